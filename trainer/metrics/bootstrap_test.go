package metrics_test

import (
	"math"
	"testing"
	"time"

	"perceive/trainer/metrics"
)

// The intervals hold the figures, shrink with the number of pictures, and repeat.
func TestIntervals(t *testing.T) {
	width := func(n int) float64 {
		s := drawn(n, 3, metrics.Platt{A: 1})
		f, err := s.Figures(0.5)
		if err != nil {
			t.Fatal(err)
		}
		lo, hi, err := s.Intervals(0.5, 300, 1)
		lo2, hi2, _ := s.Intervals(0.5, 300, 1)
		if err != nil || lo != lo2 || hi != hi2 {
			t.Fatalf("n=%d: %+v to %+v, again %+v to %+v (%v)", n, lo, hi, lo2, hi2, err)
		}
		for name, v := range map[string][3]float64{"AUC": {lo.AUC, f.AUC, hi.AUC}, "AP": {lo.AP, f.AP, hi.AP},
			"F1": {lo.F1, f.F1, hi.F1}, "precision": {lo.Precision, f.Precision, hi.Precision}, "Brier": {lo.Brier, f.Brier, hi.Brier}} {
			if !(v[0] < v[1] && v[1] < v[2]) {
				t.Errorf("n=%d: %s %v", n, name, v)
			}
		}
		return hi.AUC - lo.AUC
	}
	// Sixteen times the pictures, about a quarter of the width.
	if a, b := width(100), width(1600); b > a/2 {
		t.Errorf("width %g for 100 pictures, %g for 1,600", a, b)
	}
}

// The interval of recall against theory: a part of n has the standard error √(p(1−p)/n),
// and 95 % are ±1.96 of it (n: the positives, which a resample has more or fewer of).
func TestIntervalIsAsWideAsTheory(t *testing.T) {
	s := drawn(4000, 5, metrics.Platt{A: 1})
	f, err := s.Figures(0.5)
	if err != nil {
		t.Fatal(err)
	}
	lo, hi, err := s.Intervals(0.5, 2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	pos, _ := s.Counts()
	want := 2 * 1.96 * math.Sqrt(f.Recall*(1-f.Recall)/float64(pos))
	if got := hi.Recall - lo.Recall; math.Abs(got-want) > 0.1*want {
		t.Errorf("recall %.3f: width %.4f, want %.4f", f.Recall, got, want)
	}
}

// A thousand resamples of a thousand pictures of four labels take less than 2 s.
func TestIntervalsBudget(t *testing.T) {
	s := drawn(1000, 4, metrics.Platt{A: 1})
	begin := time.Now()
	if _, _, err := s.Intervals(0.5, 1000, 1); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > 500*time.Millisecond {
		t.Errorf("one label took %v, want at most 500ms", d)
	}
}
