package trainer

import (
	"errors"
	"fmt"

	"perceive/models"
	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// Measured is how well one label is told apart on a data set.
type Measured struct {
	Label string `json:"label"`
	models.Metric
	// Best is the decision that the rule chooses on this data: on the data that it was
	// chosen on, an upper bound.
	Best metrics.Decision `json:"best"`
	// Rule says how Best was chosen, Chosen whether there was something to choose by.
	Rule   string `json:"best_rule"`
	Chosen bool   `json:"-"`
	// Set is the decision at the model's own threshold, chosen on other data.
	Set *metrics.Decision `json:"set,omitempty"`
	// Confusion counts the pictures at the threshold of Set, or else of Best.
	Confusion metrics.Confusion `json:"confusion"`
	// Uncalibrated is the ECE that the probabilities had without their calibration.
	Uncalibrated *float64 `json:"ece_uncalibrated,omitempty"`
}

// Decision is at the threshold that the figures are for: Set, or else Best.
func (m Measured) Decision() metrics.Decision {
	if m.Set != nil {
		return *m.Set
	}
	return m.Best
}

// Defined reports whether both answers are there, without which most figures are 0.
func (m Measured) Defined() bool { return m.Positive > 0 && m.Negative > 0 }

// resamples of the bootstrap: enough for two digits of an interval's end.
const resamples = 1000

// MeasureConfig says at which thresholds labels are measured.
type MeasureConfig struct {
	// Thresholds are the model's own, chosen on other data; Rules say how. nil chooses
	// them here.
	Thresholds []float32
	Rules      []string
	// Rule is how thresholds are chosen on this data.
	Rule metrics.Rule
	// Calibrations, if not nil, are in the probabilities already: the error without them
	// is measured, too.
	Calibrations []*models.Calibration
	// Seed of the bootstrap.
	Seed uint64
}

// Measure gives each label's figures on the pictures where it is known. A label
// without a positive or a negative picture has figures of 0 and threshold 0.5.
func Measure(set *dataset.Set, predictions [][]float32, cfg MeasureConfig) ([]Measured, error) {
	var out []Measured
	for l, s := range Tally(set, predictions) {
		m := Measured{Label: set.Labels[l]}
		m.Positive, m.Negative = s.Counts()
		err := m.choose(s, cfg.Rule)
		if err == nil && cfg.Thresholds != nil {
			d := metrics.Decision{Threshold: float64(cfg.Thresholds[l])}
			if m.Chosen {
				d, err = s.At(d.Threshold)
			}
			m.Set = &d
		}
		if err == nil && m.Chosen {
			err = m.figures(s, cfg, l)
		}
		if err != nil {
			return nil, fmt.Errorf("trainer: label %q: %w", m.Label, err)
		}
		m.Confusion = s.ConfusionAt(m.Decision().Threshold)
		out = append(out, m)
	}
	return out, nil
}

// choose makes the decision of a rule.
func (m *Measured) choose(s metrics.Scores, rule metrics.Rule) error {
	d, reached, err := rule.Choose(s)
	switch {
	case errors.Is(err, metrics.ErrUndefined):
		m.Best, m.Rule = metrics.Decision{Threshold: 0.5}, "one half, for want of one of the answers"
		return nil
	case err != nil:
		return err
	}
	m.Best, m.Chosen, m.Rule = d, true, rule.String()+": "+rule.Words()
	if !reached {
		m.Rule = rule.String() + ": out of reach, so " + metrics.Rule{}.Words()
	}
	return nil
}

// figures measures everything at the decision's threshold, with intervals.
func (m *Measured) figures(s metrics.Scores, cfg MeasureConfig, l int) error {
	at := m.Decision().Threshold
	f, err := s.Figures(at)
	if err != nil {
		return err
	}
	low, high, err := s.Intervals(at, resamples, cfg.Seed)
	if err != nil {
		return err
	}
	m.Metric = models.Metric{Positive: m.Positive, Negative: m.Negative, AUC: f.AUC, AP: f.AP, Low: low.AUC, High: high.AUC,
		PrecisionAtRecall90: f.PrecisionAt, Recall: f.Recall, FalseAlarms: f.FalseAlarms, Precision: f.Precision, F1: f.F1,
		ECE: f.ECE, Brier: f.Brier,
		Intervals: map[string][2]float64{
			"ap": {low.AP, high.AP}, "precision_at_recall_90": {low.PrecisionAt, high.PrecisionAt},
			"recall": {low.Recall, high.Recall}, "false_alarms": {low.FalseAlarms, high.FalseAlarms},
			"precision": {low.Precision, high.Precision}, "f1": {low.F1, high.F1},
			"ece": {low.ECE, high.ECE}, "brier": {low.Brier, high.Brier},
		}}
	if cfg.Calibrations == nil || cfg.Calibrations[l] == nil {
		return nil
	}
	raw, err := uncalibrated(s, *cfg.Calibrations[l]).ECE()
	m.Uncalibrated = &raw
	return err
}

// MeanAUC is the mean over the labels that have one, 0 if none has.
func MeanAUC(measured []Measured) float64 {
	return meanOf(measured, func(m Measured) float64 { return m.AUC })
}

// MeanAP is that of average precision.
func MeanAP(measured []Measured) float64 {
	return meanOf(measured, func(m Measured) float64 { return m.AP })
}

func meanOf(measured []Measured, figure func(Measured) float64) float64 {
	var sum, n float64
	for _, m := range measured {
		if m.Defined() {
			sum += figure(m)
			n++
		}
	}
	return sum / max(n, 1)
}
