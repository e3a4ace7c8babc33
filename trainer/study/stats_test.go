package study

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
)

func TestInterval(t *testing.T) {
	const tol = 1e-6
	nan := math.NaN()
	// Student's sleep data (1908), second drug less first. R 4: t.test(extra ~ group, data =
	// sleep, paired = TRUE) gives -1.58, -2.4598858 to -0.7001142.
	first := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2}
	second := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	var sleep []float64
	for i := range first {
		sleep = append(sleep, first[i]-second[i])
	}
	for _, tc := range []struct {
		name            string
		x               []float64
		mean, low, high float64
		outcome         Outcome
	}{
		{"sleep", sleep, -1.58, -2.4598858, -0.7001142, Worse},
		// By hand: t(0.975, 4) = 2.776445, standard error √2.5/√5 = 0.707107.
		{"one to five", []float64{1, 2, 3, 4, 5}, 3, 1.036757, 4.963243, Better},
		{"what is missing is left out", []float64{1, nan, 2, 3, nan, 4, 5}, 3, 1.036757, 4.963243, Better},
		// By hand: t(0.975, 1) = 12.706205, standard error 1.
		{"two values", []float64{-1, 1}, 0, -12.706205, 12.706205, NoneSeen},
		{"all the same", []float64{2, 2, 2}, 2, 2, 2, Better},
		{"one value", []float64{0.5}, 0.5, nan, nan, Unmeasured},
		{"none", nil, nan, nan, nan, Unmeasured},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := interval(tc.x)
			for _, v := range []struct {
				name      string
				got, want float64
			}{{"mean", got.Mean, tc.mean}, {"low", got.Low, tc.low}, {"high", got.High, tc.high}} {
				if !scalar.EqualWithinAbs(v.got, v.want, tol) && !(math.IsNaN(v.got) && math.IsNaN(v.want)) {
					t.Errorf("%s %g, want %g", v.name, v.got, v.want)
				}
			}
			if got.Outcome() != tc.outcome {
				t.Errorf("%q, want %q", got.Outcome(), tc.outcome)
			}
		})
	}
}

// A claim can fail, and no difference seen is not taken for none.
func TestAgreement(t *testing.T) {
	at := func(low, high float64) Interval { return Interval{(low + high) / 2, low, high, 3} }
	for _, tc := range []struct {
		name   string
		i      Interval
		expect Expectation
		want   Agreement
	}{
		{"above zero", at(0.01, 0.03), Above, AsClaimed},
		{"on both sides", at(-0.01, 0.03), Above, Undecided},
		{"below zero", at(-0.03, -0.01), Above, Against},
		{"hardly below", at(-0.009, 0.03), NotBelow, AsClaimed},
		{"too wide to say", at(-0.2, 0.3), NotBelow, Undecided},
		{"clearly below", at(-0.05, -0.02), NotBelow, Against},
		{"below by less than matters", at(-0.006, -0.002), NotBelow, AsClaimed},
		{"one seed", Interval{0.5, math.NaN(), math.NaN(), 1}, Above, Undecided},
		{"nothing claimed", at(0.01, 0.03), Silent, ""},
	} {
		if got := tc.expect.agrees(tc.i); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
