package trainer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"perceive/models"
	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// Measured is how well one label is told apart on a data set.
type Measured struct {
	Label string `json:"label"`
	models.Metric
	// Best is the decision with the highest recall less false alarms on this data: on the
	// data that it was chosen on, an upper bound.
	Best metrics.Decision `json:"best"`
	// Chosen says whether there was something to choose by.
	Chosen bool `json:"-"`
	// Set is the decision at the model's own threshold, chosen on other data.
	Set *metrics.Decision `json:"set,omitempty"`
	// Sources are the figures within each source that knows the label, the largest first.
	Sources []SourceMetric `json:"sources,omitempty"`
}

// SourceMetric is one source's share.
type SourceMetric struct {
	Source   string `json:"source"`
	Positive int    `json:"positive"`
	Negative int    `json:"negative"`
	// AUC is nil where the source gives one answer only.
	AUC *float64 `json:"auc"`
}

// resamples of the bootstrap: enough for two digits of an interval's end.
const resamples = 1000

// Measure gives each label's figures on the pictures where it is known. A label
// without a positive or a negative picture has figures of 0 and threshold 0.5.
// thresholds, if not nil, are the model's own.
func Measure(set *dataset.Set, predictions [][]float32, thresholds []float32, seed uint64) ([]Measured, error) {
	var out []Measured
	for l, s := range Tally(set, predictions) {
		m := Measured{Label: set.Labels[l], Best: metrics.Decision{Threshold: 0.5}}
		m.Positive, m.Negative = s.Counts()
		var err error
		if m.AUC, err = s.AUC(); err == nil {
			m.AP, _ = s.AP()
			m.Low, m.High, err = s.Interval(resamples, seed)
		}
		if err == nil {
			m.Best, err = s.Best()
			m.Chosen = err == nil
		}
		if err == nil && thresholds != nil {
			var d metrics.Decision
			d, err = s.At(float64(thresholds[l]))
			m.Set = &d
		}
		switch {
		case errors.Is(err, metrics.ErrUndefined):
			m.Metric = models.Metric{Positive: m.Positive, Negative: m.Negative}
		case err != nil:
			return nil, fmt.Errorf("trainer: label %q: %w", m.Label, err)
		}
		m.Sources = bySource(set, predictions, l)
		out = append(out, m)
	}
	return out, nil
}

func bySource(set *dataset.Set, predictions [][]float32, l int) []SourceMetric {
	scores := map[string]*metrics.Scores{}
	for i, it := range set.Items {
		if predictions[i] == nil || it.Labels[l] == dataset.Unknown {
			continue
		}
		if scores[it.Source] == nil {
			scores[it.Source] = &metrics.Scores{}
		}
		scores[it.Source].Add(float64(predictions[i][l]), it.Labels[l] == dataset.Positive)
	}
	var out []SourceMetric
	for name, s := range scores {
		m := SourceMetric{Source: name}
		m.Positive, m.Negative = s.Counts()
		if auc, err := s.AUC(); err == nil {
			m.AUC = &auc
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b SourceMetric) int {
		return cmp.Or(b.Positive+b.Negative-a.Positive-a.Negative, cmp.Compare(a.Source, b.Source))
	})
	return out
}

// MeanAUC is the mean over the labels that have one, 0 if none has.
func MeanAUC(measured []Measured) float64 {
	var sum, n float64
	for _, m := range measured {
		if m.Positive > 0 && m.Negative > 0 {
			sum += m.AUC
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
