package trainer

import (
	"cmp"
	"fmt"
	"slices"

	"perceive/models"
	"perceive/trainer/dataset"
)

// OfSource is what varies from source to source.
const OfSource = "source"

// Sources measures every label within each source of pictures that knows it, the largest
// first.
func (f *Findings) Sources() ([]Condition, error) {
	var out []Condition
	for l := range f.Set.Labels {
		var all []scored
		for i, it := range f.Set.Items {
			if f.Probabilities[i] != nil && it.Labels[l] != dataset.Unknown {
				all = append(all, scored{float64(f.Probabilities[i][l]), it.Labels[l] == dataset.Positive, it.Source})
			}
		}
		some, err := f.condition(l, OfSource, all)
		if err != nil {
			return nil, fmt.Errorf("trainer: label %q, sources: %w", f.Set.Labels[l], err)
		}
		slices.SortStableFunc(some, func(a, b Condition) int {
			return cmp.Compare(b.Positive+b.Negative, a.Positive+a.Negative)
		})
		out = append(out, some...)
	}
	return out, nil
}

// Divide adds to each label's figures those of its parts: sources and conditions that have
// enough pictures of both answers to say something.
func (f *Findings) Divide() error {
	sources, err := f.Sources()
	if err != nil {
		return err
	}
	conditions, err := f.Conditions()
	if err != nil {
		return err
	}
	for l := range f.Measured {
		m := &f.Measured[l]
		m.Parts = nil
		for _, c := range slices.Concat(sources, conditions) {
			if c.Label == m.Label && c.Enough() {
				m.Parts = append(m.Parts, c.part())
			}
		}
	}
	return nil
}

// part is a condition that has figures, for a model file.
func (c Condition) part() models.Part {
	return models.Part{Of: c.Of, Value: c.Value, Positive: c.Positive, Negative: c.Negative, AUC: *c.AUC, Low: c.Low, High: c.High,
		Together: *c.Reference, Recall: c.Recall, FalseAlarms: c.FalseAlarms, Intervals: c.Intervals}
}
