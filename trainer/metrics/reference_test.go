package metrics_test

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/trainer/metrics"
)

// sixty are pictures made by a rule that any language can repeat:
// p = round₂(((37i+11) mod 97)/97), positive where p + 0.8·((53i+7) mod 101)/101 − 0.4 > 0.55.
func sixty() metrics.Scores {
	var s metrics.Scores
	for i := range 60 {
		p := math.RoundToEven(float64((37*i+11)%97)/97*100) / 100
		s.Add(p, p+(float64((53*i+7)%101)/101*0.8-0.4) > 0.55)
	}
	return s
}

// The numbers are scikit-learn 1.9.1's on the same pictures (roc_auc_score,
// average_precision_score, precision_recall_curve, f1_score, precision_score,
// recall_score, confusion_matrix, brier_score_loss), ECE numpy's.
func TestAgainstScikitLearn(t *testing.T) {
	s := sixty()
	if pos, neg := s.Counts(); pos != 29 || neg != 31 {
		t.Fatalf("%d positive, %d negative, want 29 and 31", pos, neg)
	}
	got, err := s.Figures(0.5)
	if err != nil {
		t.Fatal(err)
	}
	want := metrics.Figures{AUC: 0.9176863181312569, AP: 0.92386096314929, PrecisionAt: 0.6904761904761905,
		Recall: 25. / 29, FalseAlarms: 5. / 31, Precision: 25. / 30, F1: 0.847457627118644,
		ECE: 0.22683333333333333, Brier: 0.12458833333333333}
	for _, f := range []struct {
		name      string
		got, want float64
	}{{"AUC", got.AUC, want.AUC}, {"AP", got.AP, want.AP}, {"precision at recall 0.9", got.PrecisionAt, want.PrecisionAt},
		{"recall", got.Recall, want.Recall}, {"false alarms", got.FalseAlarms, want.FalseAlarms}, {"precision", got.Precision, want.Precision},
		{"F1", got.F1, want.F1}, {"ECE", got.ECE, want.ECE}, {"Brier", got.Brier, want.Brier}} {
		if !scalar.EqualWithinAbs(f.got, f.want, 1e-12) {
			t.Errorf("%s %.16g, want %.16g", f.name, f.got, f.want)
		}
	}
	if c := s.ConfusionAt(0.5); c != (metrics.Confusion{TruePositive: 25, FalseNegative: 4, FalsePositive: 5, TrueNegative: 26}) {
		t.Errorf("confusion %+v", c)
	}
}

// Thresholds of the same pictures, by trying all of them in numpy.
func TestRules(t *testing.T) {
	for _, tc := range []struct {
		rule                         string
		threshold, recall, precision float64
	}{
		{"youden", 0.48, 26. / 29, 26. / 31},
		{"f1", 0.48, 26. / 29, 26. / 31},
		{"precision=0.9", 0.675, 19. / 29, 1},
		{"recall=0.95", 0.315, 28. / 29, 28. / 41},
	} {
		rule, err := metrics.ParseRule(tc.rule)
		if err != nil || rule.String() != tc.rule {
			t.Fatalf("%s: %v: %v", tc.rule, rule, err)
		}
		d, ok, err := rule.Choose(sixty())
		if err != nil || !ok || !scalar.EqualWithinAbs(d.Threshold, tc.threshold, 1e-12) ||
			!scalar.EqualWithinAbs(d.Recall, tc.recall, 1e-12) || !scalar.EqualWithinAbs(d.Precision, tc.precision, 1e-12) {
			t.Errorf("%s: %+v, %v, %v; want threshold %g, recall %g, precision %g", tc.rule, d, ok, err, tc.threshold, tc.recall, tc.precision)
		}
	}
	for _, text := range []string{"best", "precision", "precision=", "precision=0", "recall=1.1", "recall=NaN", "f1=0.5", "youden=1", " f1"} {
		if r, err := metrics.ParseRule(text); err == nil {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}

// The highest score is a negative's: no threshold has a precision of 0.9, and the
// decision is Youden's, by hand.
func TestRuleOutOfReach(t *testing.T) {
	s := scores([]float64{0.1, 0.2, 0.6, 0.7, 0.9}, 0, 0, 1, 1, 0)
	rule, err := metrics.ParseRule("precision=0.9")
	if err != nil {
		t.Fatal(err)
	}
	d, ok, err := rule.Choose(s)
	if err != nil || ok || d.Threshold != 0.4 || d.Recall != 1 {
		t.Errorf("%+v, reached %v: %v", d, ok, err)
	}
}

// By hand: bins [0.2,0.3) with 0.2 and 0.25, of which one positive, and the last one with
// 0.9 and 1: ECE = ½·|0.225−0.5| + ½·|0.95−1| = 0.1625; Brier = (0.04+0.5625+0.01+0)/4.
func TestReliability(t *testing.T) {
	s := scores([]float64{0.2, 0.25, 0.9, 1}, 0, 1, 1, 1)
	ece, err1 := s.ECE()
	brier, err2 := s.Brier()
	bins, err3 := s.Reliability(10)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if !scalar.EqualWithinAbs(ece, 0.1625, 1e-15) || !scalar.EqualWithinAbs(brier, 0.6125/4, 1e-15) {
		t.Errorf("ECE %g, Brier %g", ece, brier)
	}
	if b := bins[2]; b.Count != 2 || b.Observed != 0.5 || !scalar.EqualWithinAbs(b.Mean, 0.225, 1e-15) {
		t.Errorf("third bin %+v", b)
	}
	if b := bins[9]; b.Count != 2 || b.Observed != 1 || bins[0].Count != 0 {
		t.Errorf("last bin %+v, first %+v", b, bins[0])
	}
	for name, s := range map[string]metrics.Scores{"no pictures": {}, "a logit": scores([]float64{1.5}, 1)} {
		if v, err := s.ECE(); err == nil {
			t.Errorf("%s: ECE %g without an error", name, v)
		}
	}
}

// None of 10: the interval's end is z²/(n+z²); 81 of 263 is the example of Newcombe
// (1998), table I, method 3.
func TestWilson(t *testing.T) {
	for _, tc := range []struct{ k, n, low, high float64 }{{0, 10, 0, 3.841459 / 13.841459}, {81, 263, 0.2553, 0.3662}, {0, 0, 0, 1}} {
		if low, high := metrics.Wilson(tc.k, tc.n); !scalar.EqualWithinAbs(low, tc.low, 5e-5) || !scalar.EqualWithinAbs(high, tc.high, 5e-5) {
			t.Errorf("%g of %g: %.4f to %.4f, want %.4f to %.4f", tc.k, tc.n, low, high, tc.low, tc.high)
		}
	}
}
