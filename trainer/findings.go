package trainer

import (
	"context"
	"fmt"
	"image"
	"strconv"

	"perceive/models"
	"perceive/trainer/dataset"
	"perceive/trainer/report"
)

// Findings are a network's answers on labelled pictures, and what they are worth.
type Findings struct {
	Set           *dataset.Set
	Probabilities [][]float32     // by picture and label; nil where it could not be decoded
	Peaks         [][]image.Point // where each map is highest, input pixels; nil without maps
	Measured      []Measured

	cache         *dataset.Cache
	calibrations  []*models.Calibration
	rules         []string
	width, height int
}

// Examine scores a cache of inputs and measures the answers.
func Examine(ctx context.Context, p Predictor, c *dataset.Cache, cfg MeasureConfig) (*Findings, error) {
	probabilities, peaks, err := p.Look(ctx, c)
	if err != nil {
		return nil, err
	}
	f, err := Judge(c, probabilities, cfg)
	if err != nil {
		return nil, err
	}
	f.Peaks, f.width, f.height = peaks, p.Width, p.Height
	return f, nil
}

// Judge measures answers that are there already: without peaks, and of no use for a report.
func Judge(c *dataset.Cache, probabilities [][]float32, cfg MeasureConfig) (*Findings, error) {
	measured, err := Measure(c.Set, probabilities, cfg)
	return &Findings{Set: c.Set, Probabilities: probabilities, Measured: measured, cache: c, calibrations: cfg.Calibrations, rules: cfg.Rules}, err
}

// Report writes a report's folder with the findings: figures, curves, reliability
// and the worst mistakes.
func (f *Findings) Report(dir, title string, facts []report.Fact) error {
	sections, err := f.sections()
	if err != nil {
		return fmt.Errorf("trainer: report: %w", err)
	}
	page := report.Page{Title: title, Facts: facts, Sections: sections}
	if err := page.Write(dir); err != nil {
		return fmt.Errorf("trainer: %w", err)
	}
	return nil
}

func (f *Findings) sections() ([]report.Section, error) {
	curves, err1 := f.curves()
	if err1 != nil {
		return nil, err1
	}
	probabilities, err2 := f.reliability()
	if err2 != nil {
		return nil, err2
	}
	mistakes, err3 := f.mistakes()
	return []report.Section{f.figures(), curves, probabilities, mistakes}, err3
}

const none = "–"

// figures are the tables of numbers.
func (f *Findings) figures() report.Section {
	rank := report.Table{Title: "Ranking", Head: []string{"label", "positive", "negative", "ROC AUC", "average precision", "precision at recall 0.9"}}
	at := report.Table{Title: "At the threshold", Head: []string{"label", "threshold", "recall", "false alarms", "precision", "F1"}}
	confusion := report.Table{Title: "Confusion at the threshold", Head: []string{"label", "there, on", "there, off", "not there, on", "not there, off"}}
	rules := report.Table{Title: "Where the threshold comes from", Head: []string{"label", "threshold", "rule"}}
	for l, m := range f.Measured {
		d, c := m.Decision(), m.Confusion
		first, second := []string{m.Label, strconv.Itoa(m.Positive), strconv.Itoa(m.Negative), none, none, none}, []string{m.Label, fixed(d.Threshold), none, none, none, none}
		if m.Defined() {
			within := m.Intervals
			first = append(first[:3], interval(m.AUC, [2]float64{m.Low, m.High}), interval(m.AP, within["ap"]), interval(m.PrecisionAtRecall90, within["precision_at_recall_90"]))
			second = append(second[:2], interval(m.Recall, within["recall"]), interval(m.FalseAlarms, within["false_alarms"]), interval(m.Precision, within["precision"]), interval(m.F1, within["f1"]))
		}
		rank.Rows, at.Rows = append(rank.Rows, first), append(at.Rows, second)
		confusion.Rows = append(confusion.Rows, []string{m.Label, strconv.Itoa(c.TruePositive), strconv.Itoa(c.FalseNegative), strconv.Itoa(c.FalsePositive), strconv.Itoa(c.TrueNegative)})
		rule := m.Rule + ", on these pictures"
		if m.Set != nil {
			rule = "the model's own"
			if f.rules != nil {
				rule = f.rules[l]
			}
		}
		rules.Rows = append(rules.Rows, []string{m.Label, fixed(d.Threshold), rule})
	}
	return report.Section{Title: "Labels", Tables: []report.Table{rank, at, confusion, rules},
		Text: "Each label on the pictures where its answer is known. In brackets: 95 % bootstrap intervals over the pictures."}
}

// curves are what each threshold would do.
func (f *Findings) curves() (report.Section, error) {
	roc := report.Chart{Title: "ROC", X: "false alarms (part of the negatives)", Y: "recall (part of the positives)", Unit: true,
		Series: []report.Series{{X: []float64{0, 1}, Y: []float64{0, 1}, Guide: true}}}
	pr := report.Chart{Title: "Precision and recall", X: "recall", Y: "precision", Unit: true}
	for l, s := range Tally(f.Set, f.Probabilities) {
		if !f.Measured[l].Defined() {
			continue
		}
		alarms, found, err := s.ROC()
		if err != nil {
			return report.Section{}, err
		}
		recall, precision, err := s.PR()
		if err != nil {
			return report.Section{}, err
		}
		roc.Series = append(roc.Series, report.Series{Name: f.Set.Labels[l], X: alarms, Y: found})
		steps := report.Series{Name: f.Set.Labels[l], X: []float64{0}, Y: precision[:1:1]}
		for i, r := range recall {
			steps.X, steps.Y = append(steps.X, steps.X[len(steps.X)-1], r), append(steps.Y, precision[i], precision[i])
		}
		pr.Series = append(pr.Series, steps)
	}
	return report.Section{Title: "Every threshold", Charts: []report.Chart{roc, pr},
		Text: "What each label would do at every threshold. The dashed line is chance."}, nil
}

func fixed(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

func interval(v float64, within [2]float64) string {
	return fmt.Sprintf("%.3f (%.3f–%.3f)", v, within[0], within[1])
}
