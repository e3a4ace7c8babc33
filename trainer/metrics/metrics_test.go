package metrics_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/trainer/metrics"
)

func scores(s []float64, y ...int) metrics.Scores {
	var out metrics.Scores
	for i, v := range s {
		out.Add(v, y[i] == 1)
	}
	return out
}

// AUC by hand: the share of pairs of a positive and a negative that are in order, ties
// half. AP of the first row is scikit-learn's documented example (0.83); the others
// were worked out by hand from Σ (Rₙ−Rₙ₋₁)·Pₙ, and the decisions by trying every
// threshold.
func TestByHand(t *testing.T) {
	for _, tc := range []struct {
		name    string
		s       metrics.Scores
		auc, ap float64
		best    metrics.Decision
	}{
		{"scikit-learn's example", scores([]float64{0.1, 0.4, 0.35, 0.8}, 0, 0, 1, 1), 0.75, 5. / 6, metrics.Decision{Threshold: 0.6, Recall: 0.5, Precision: 1}},
		{"perfect", scores([]float64{0.1, 0.2, 0.8, 0.9}, 0, 0, 1, 1), 1, 1, metrics.Decision{Threshold: 0.5, Recall: 1, Precision: 1}},
		{"reversed", scores([]float64{0.9, 0.8, 0.2, 0.1}, 0, 0, 1, 1), 0, (1./3 + 2./4) / 2, metrics.Decision{Threshold: math.Nextafter(0.9, 1)}},
		{"all equal", scores([]float64{0.5, 0.5, 0.5}, 0, 1, 1), 0.5, 2. / 3, metrics.Decision{Threshold: math.Nextafter(0.5, 1)}},
		{"a tie across", scores([]float64{0.2, 0.5, 0.5, 0.9}, 0, 0, 1, 1), 0.875, (1 + 2./3) / 2, metrics.Decision{Threshold: 0.7, Recall: 0.5, Precision: 1}},
		{"nothing is free", scores([]float64{0.2, 0.4, 0.6, 0.8}, 0, 1, 0, 1), 0.75, (1 + 2./3) / 2, metrics.Decision{Threshold: 0.7, Recall: 0.5, Precision: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			auc, err1 := tc.s.AUC()
			ap, err2 := tc.s.AP()
			best, _, err3 := metrics.Rule{}.Choose(tc.s)
			at, err4 := tc.s.At(best.Threshold)
			if err := errors.Join(err1, err2, err3, err4); err != nil {
				t.Fatal(err)
			}
			if !scalar.EqualWithinAbs(auc, tc.auc, 1e-12) || !scalar.EqualWithinAbs(ap, tc.ap, 1e-12) {
				t.Errorf("AUC %g, AP %g, want %g, %g", auc, ap, tc.auc, tc.ap)
			}
			if !scalar.EqualWithinAbs(best.Threshold, tc.best.Threshold, 1e-12) || best.Recall != tc.best.Recall ||
				best.FalseAlarms != tc.best.FalseAlarms || best.Precision != tc.best.Precision {
				t.Errorf("best decision %+v, want %+v", best, tc.best)
			}
			if at != best {
				t.Errorf("at its threshold it is %+v, was %+v", at, best)
			}
		})
	}
}

// AUC against its definition, by counting pairs, on random scores with ties.
func TestAUCCountsPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var s metrics.Scores
		for range 200 {
			s.Add(float64(rng.IntN(40)), rng.IntN(3) == 0)
		}
		var good, pairs float64
		for i := range s.Score {
			for j := range s.Score {
				if s.Positive[i] && !s.Positive[j] {
					pairs++
					switch {
					case s.Score[i] > s.Score[j]:
						good++
					case s.Score[i] == s.Score[j]:
						good += 0.5
					}
				}
			}
		}
		if got, err := s.AUC(); err != nil || !scalar.EqualWithinAbs(got, good/pairs, 1e-12) {
			t.Errorf("AUC %g (%v), %g by counting", got, err, good/pairs)
		}
	}
}

func TestUndefined(t *testing.T) {
	for name, s := range map[string]metrics.Scores{
		"nothing":       {},
		"positives":     scores([]float64{1, 2}, 1, 1),
		"negatives":     scores([]float64{1, 2}, 0, 0),
		"not a number":  scores([]float64{math.NaN(), 2}, 0, 1),
		"unequal lists": {Score: []float64{1}, Positive: []bool{true, false}},
	} {
		if v, err := s.AUC(); err == nil {
			t.Errorf("%s: AUC %g without an error", name, v)
		}
		if _, _, err := (metrics.Rule{}).Choose(s); err == nil {
			t.Errorf("%s: a threshold without an error", name)
		}
		if _, err := metrics.FitPlatt(s); err == nil {
			t.Errorf("%s: a calibration without an error", name)
		}
	}
	if _, err := (metrics.Scores{}).AUC(); !errors.Is(err, metrics.ErrUndefined) {
		t.Errorf("no pictures: %v, want ErrUndefined", err)
	}
}
