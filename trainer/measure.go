package trainer

import (
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
	// Threshold has the highest F1 on this data, and F1 is that. Chosen on the data it
	// is measured on, F1 is an upper bound.
	Threshold float64 `json:"threshold"`
	F1        float64 `json:"f1"`
	// Sources are the figures within each source that knows the label, by name.
	Sources []SourceMetric `json:"sources,omitempty"`
}

// SourceMetric is one source's share. A source whose pictures all give one answer has
// no AUC of its own; AUC is then 0.
type SourceMetric struct {
	Source   string  `json:"source"`
	Positive int     `json:"positive"`
	Negative int     `json:"negative"`
	AUC      float64 `json:"auc,omitempty"`
}

// resamples of the bootstrap: enough for two digits of an interval's end.
const resamples = 1000

// Measure gives each label's figures on the pictures where it is known. A label
// without a positive or a negative picture has figures of 0 and threshold 0.5.
func Measure(set *dataset.Set, predictions [][]float32, seed uint64) ([]Measured, error) {
	var out []Measured
	for l, s := range Tally(set, predictions) {
		m := Measured{Label: set.Labels[l], Threshold: 0.5}
		m.Positive, m.Negative = s.Counts()
		var err error
		if m.AUC, err = s.AUC(); err == nil {
			m.AP, _ = s.AP()
			m.Low, m.High, err = s.Interval(resamples, seed)
		}
		if err == nil {
			m.Threshold, m.F1, err = s.BestF1()
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
			m.AUC = auc
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b SourceMetric) int {
		return b.Positive + b.Negative - a.Positive - a.Negative
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
