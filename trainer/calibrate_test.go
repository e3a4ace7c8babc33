package trainer

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/trainer/dataset"
	"perceive/trainer/loss"
	"perceive/trainer/metrics"
)

// untrained is a network of random weights.
func untrained(t *testing.T, c Config) *Trained {
	t.Helper()
	l, err := c.task(nil).Layout()
	if err != nil {
		t.Fatal(err)
	}
	p := make([]float32, l.Size)
	l.Init(p, 3)
	return &Trained{Progress: Progress{Config: c, BestStep: 1}, Params: p}
}

// Folded into the parameters, a calibration gives σ(a·logit(p)+b), worked out in float64,
// of every probability; the order of pictures, and so the ROC AUC, stays; the run itself is
// not changed.
func TestCalibrationIsFolded(t *testing.T) {
	for _, tasks := range []string{"", loss.Uncertainty} { // the latter has parameters behind the network's
		c := tiny()
		c.Loss.Tasks = tasks
		run := untrained(t, c)
		s, err := run.Scorer(orttest.Runtime(t), ort.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		set := squares(40, 7)
		cache, err := dataset.NewInputs(t.Context(), set, 64, 32, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := s.Predictor().Predict(t.Context(), cache)
		if err != nil {
			t.Fatal(err)
		}
		fit := []metrics.Platt{{A: 0.5, B: 1.25}, {A: 3, B: 8}}
		calibrated, err := run.Calibrated([]models.Calibration{{A: fit[0].A, B: fit[0].B}, {A: fit[1].A, B: fit[1].B}})
		if err != nil {
			t.Fatal(err)
		}
		copy(s.Params, calibrated.Params)
		got, err := s.Predictor().Predict(t.Context(), cache)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			for l := range got[i] {
				if want := fit[l].Apply(float64(raw[i][l])); !scalar.EqualWithinAbs(float64(got[i][l]), want, 1e-5) {
					t.Errorf("picture %d, label %d: %g is %g, want %g", i, l, raw[i][l], got[i][l], want)
				}
			}
		}
		before, err1 := Evaluate(set, raw)
		after, err2 := Evaluate(set, got)
		if err1 != nil || err2 != nil || !scalar.EqualWithinAbs(before.Mean, after.Mean, 1e-9) {
			t.Errorf("mean ROC AUC %g (%v), calibrated %g (%v)", before.Mean, err1, after.Mean, err2)
		}
		if _, weights, err := calibrated.Deploy(); err != nil || len(weights) == 0 {
			t.Errorf("deploy: %d weights: %v", len(weights), err)
		}
		if &run.Params[0] == &calibrated.Params[0] || run.Calibration != nil {
			t.Error("the run that was calibrated has changed")
		}
	}
	if _, err := untrained(t, tiny()).Calibrated([]models.Calibration{{A: 1}}); err == nil {
		t.Error("one calibration for two labels")
	}
}

// twisted are pictures of one label whose network says σ((z−b)/a) where z is the true logit.
func twisted(n int, a, b float64) (*dataset.Set, [][]float32) {
	rng := rand.New(rand.NewPCG(1, 1))
	set := &dataset.Set{Labels: []string{"car"}}
	var p [][]float32
	for range n {
		z := 2 * rng.NormFloat64()
		state := dataset.Negative
		if rng.Float64() < 1/(1+math.Exp(-z)) {
			state = dataset.Positive
		}
		set.Items = append(set.Items, dataset.Item{Labels: []dataset.State{state}})
		p = append(p, []float32{float32(1 / (1 + math.Exp(-(z-b)/a)))})
	}
	return set, p
}

// A distortion is fitted on the known pictures alone; what cannot be fitted, or is not
// worth it, is left, and the note says why.
func TestCalibrateSaysWhatItDid(t *testing.T) {
	set, p := twisted(2000, 0.5, 1)
	set.Items = append(set.Items, dataset.Item{Labels: []dataset.State{dataset.Unknown}})
	p = append(p, []float32{float32(math.NaN())}) // nobody may look at it
	c, err := Calibrate(set, p, "val")
	if err != nil {
		t.Fatal(err)
	}
	if k := c[0]; !scalar.EqualWithinAbs(k.A, 0.5, 0.06) || !scalar.EqualWithinAbs(k.B, 1, 0.15) || k.Note != "" ||
		k.Positive+k.Negative != 2000 || k.ECEAfter > k.ECEBefore/2 || k.Split != "val" {
		t.Errorf("%+v, want a 0.5, b 1 on 2000 pictures and half of the error", k)
	}
	one := &dataset.Set{Labels: set.Labels, Items: []dataset.Item{{Labels: []dataset.State{dataset.Positive}}}}
	few := &dataset.Set{Labels: set.Labels, Items: []dataset.Item{one.Items[0], {Labels: []dataset.State{dataset.Negative}}}}
	well, q := twisted(60, 1, 0)
	for _, tc := range []struct {
		set  *dataset.Set
		p    [][]float32
		says string
	}{{one, [][]float32{{0.9}}, "one answer only"}, {few, [][]float32{{0.9}, {0.2}}, "too few"}, {well, q, "cross-validated"}} {
		c, err := Calibrate(tc.set, tc.p, "val")
		if err != nil || c[0].A != 1 || c[0].B != 0 || !strings.Contains(c[0].Note, tc.says) {
			t.Errorf("%+v (%v), want a note with %q", c, err, tc.says)
		}
	}
}

// The model's own threshold is what the figures are at, the rule is what is best here; a
// label with one answer has counts and nothing else.
func TestMeasureAtWhichThreshold(t *testing.T) {
	set := &dataset.Set{Labels: []string{"car", "tram"}}
	var p [][]float32
	for i, y := range []dataset.State{dataset.Negative, dataset.Negative, dataset.Positive, dataset.Positive} {
		set.Items = append(set.Items, dataset.Item{Labels: []dataset.State{y, dataset.Positive}})
		p = append(p, []float32{0.2 * float32(i+1), 0.7})
	}
	m, err := Measure(set, p, MeasureConfig{Thresholds: []float32{0.3, 0.5}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	// By hand: at 0.3 one of two negatives is on, and both positives.
	if c := m[0]; c.Set == nil || c.Recall != 1 || c.FalseAlarms != 0.5 || !scalar.EqualWithinAbs(c.Precision, 2./3, 1e-12) || !scalar.EqualWithinAbs(c.F1, 0.8, 1e-12) ||
		c.Confusion != (metrics.Confusion{TruePositive: 2, FalsePositive: 1, TrueNegative: 1}) || !scalar.EqualWithinAbs(c.Best.Threshold, 0.5, 1e-6) {
		t.Errorf("%+v", c)
	}
	if c := m[1]; c.Defined() || c.Positive != 4 || c.F1 != 0 || c.Confusion.TruePositive != 4 || !strings.Contains(c.Rule, "one half") {
		t.Errorf("one answer: %+v", c)
	}
}
