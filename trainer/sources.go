package trainer

import (
	"cmp"
	"slices"

	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// SourceMetric is one source's share.
type SourceMetric struct {
	Source   string `json:"source"`
	Positive int    `json:"positive"`
	Negative int    `json:"negative"`
	// AUC is nil where the source gives one answer only.
	AUC *float64 `json:"auc"`
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
