package dataset

import "math"

// Weights are how often each picture is to be drawn: as if a label and an answer to
// it were drawn evenly, then a source that knows it, with the root of what it knows,
// then one of its pictures. So every answer is met in a fair share, and no source
// teaches itself instead of the label.
func (s *Set) Weights() []float64 {
	type cell struct {
		label  int
		answer State
	}
	count := map[cell]map[string]float64{}
	for _, it := range s.Items {
		for l, st := range it.Labels {
			c := cell{l, st}
			if count[c] == nil {
				count[c] = map[string]float64{}
			}
			count[c][it.Source]++
		}
	}
	roots := map[cell]float64{}
	for c, sources := range count {
		for _, n := range sources {
			roots[c] += math.Sqrt(n)
		}
	}
	out := make([]float64, len(s.Items))
	for i, it := range s.Items {
		for l, st := range it.Labels {
			if c := (cell{l, st}); st != Unknown {
				out[i] += 1 / (roots[c] * math.Sqrt(count[c][it.Source]))
			}
		}
	}
	return out
}
