package metrics_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/trainer/metrics"
)

// The minimum of the same objective by scipy 1.17's Nelder–Mead, to 1e-10.
func TestPlattAgainstSciPy(t *testing.T) {
	got, err := metrics.FitPlatt(sixty())
	if err != nil || !scalar.EqualWithinAbs(got.A, 1.4471227850521133, 1e-6) || !scalar.EqualWithinAbs(got.B, -0.11533335636065711, 1e-6) {
		t.Errorf("%+v (%v), want A 1.4471228, B -0.1153334", got, err)
	}
}

// drawn are pictures whose true probabilities are known, and a network that says
// σ((logit(p) − b)/a) instead.
func drawn(n int, seed uint64, c metrics.Platt) metrics.Scores {
	rng := rand.New(rand.NewPCG(seed, 7))
	var s metrics.Scores
	for range n {
		p := rng.Float64()
		s.Add(c.Undo(p), rng.Float64() < p)
	}
	return s
}

// The distortion is found again, probabilities fitted on some pictures are right on
// others, and their order is untouched. With 20,000 pictures the standard errors of A
// and B are about 0.02.
func TestPlattUndoesADistortion(t *testing.T) {
	want := metrics.Platt{A: 0.4, B: 1.5}
	got, err := metrics.FitPlatt(drawn(20000, 1, want))
	if err != nil || !scalar.EqualWithinAbs(got.A, want.A, 0.06) || !scalar.EqualWithinAbs(got.B, want.B, 0.06) {
		t.Fatalf("%+v (%v), want %+v", got, err, want)
	}
	raw := drawn(5000, 2, want)
	var calibrated metrics.Scores
	for i, p := range raw.Score {
		calibrated.Add(got.Apply(p), raw.Positive[i])
		if back := got.Undo(got.Apply(p)); !scalar.EqualWithinAbs(back, p, 1e-6) {
			t.Fatalf("%g is %g after calibration and back", p, back)
		}
	}
	auc, _ := raw.AUC()
	same, _ := calibrated.AUC()
	if auc != same {
		t.Errorf("ROC AUC %.9f, calibrated %.9f", auc, same)
	}
	before, _ := raw.ECE()
	after, _ := calibrated.ECE()
	if after > before/4 || after > 0.02 {
		t.Errorf("ECE %.3f, calibrated %.3f", before, after)
	}
}

// Whatever the scores say, the fit is finite and keeps their order.
func TestPlattExtremes(t *testing.T) {
	for name, s := range map[string]metrics.Scores{
		"told apart":       scores([]float64{0.001, 0.002, 0.998, 0.999}, 0, 0, 1, 1),
		"certain":          scores([]float64{0, 0, 1, 1}, 0, 0, 1, 1),
		"certainly wrong":  scores([]float64{1, 1, 0, 0}, 0, 0, 1, 1),
		"says nothing":     scores([]float64{0.5, 0.5, 0.5}, 0, 1, 1),
		"one positive":     scores([]float64{0.1, 0.2, 0.3, 0.2, 0.1, 0.9}, 0, 0, 0, 0, 0, 1),
		"never even close": scores([]float64{1e-7, 1e-7, 2e-7, 3e-7}, 0, 0, 1, 1),
	} {
		c, err := metrics.FitPlatt(s)
		if err != nil || !(c.A > 0) || math.IsInf(c.A, 0) || math.IsNaN(c.B) || math.IsInf(c.B, 0) {
			t.Errorf("%s: %+v: %v", name, c, err)
			continue
		}
		if lo, hi := c.Apply(0), c.Apply(1); !(lo > 0 && lo < hi && hi <= 1) {
			t.Errorf("%s: %+v makes 0 and 1 to %g and %g", name, c, lo, hi)
		}
	}
}

// By hand: −(ln 0.8 + ln 0.75)/2.
func TestLogLoss(t *testing.T) {
	got, err := scores([]float64{0.8, 0.25}, 1, 0).LogLoss()
	if want := -(math.Log(0.8) + math.Log(0.75)) / 2; err != nil || !scalar.EqualWithinAbs(got, want, 1e-12) {
		t.Errorf("%g (%v), want %g", got, err, want)
	}
}

// A calibration helps where there is a distortion, and costs where there is none: on the
// mean of 50 draws of 60 pictures, two unknowns cost about 2/(2·48) nats a picture.
func TestCrossValidate(t *testing.T) {
	gain := func(c metrics.Platt) (sum float64) {
		for seed := range uint64(50) {
			raw, calibrated, err := metrics.CrossValidate(drawn(60, seed, c))
			if err != nil {
				t.Fatal(err)
			}
			sum += (raw - calibrated) / 50
		}
		return sum
	}
	if g := gain(metrics.Platt{A: 0.4, B: 1.5}); g < 0.1 {
		t.Errorf("a distortion: %.4f nats gained", g)
	}
	if g := gain(metrics.Platt{A: 1}); g > -0.005 || g < -0.06 {
		t.Errorf("no distortion: %.4f nats gained, want about -0.02", g)
	}
	if _, _, err := metrics.CrossValidate(scores([]float64{0.1, 0.2, 0.3}, 0, 0, 1)); err == nil {
		t.Error("one positive is in no fit when it is to be judged")
	}
}

// Whatever a network in its first steps says, there is a fit: logits that are almost
// alike, far from zero, of few or many pictures.
func TestPlattAlwaysEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		centre, spread := 10*rng.Float64()-8, math.Pow(10, 6*rng.Float64()-5)
		s := scores([]float64{0.5, 0.4}, 1, 0)
		for range 1 + rng.IntN(100) {
			s.Add(1/(1+math.Exp(-max(-15, min(15, centre+spread*rng.NormFloat64())))), rng.IntN(3) == 0)
		}
		if rng.IntN(2) == 0 { // the first two are like the others
			s.Score[0], s.Score[1] = s.Score[2], s.Score[2]
		}
		c, err := metrics.FitPlatt(s)
		if err != nil || !(c.A > 0) {
			t.Fatalf("centre %g, spread %g, %d pictures: %+v: %v", centre, spread, len(s.Score), c, err)
		}
		if da, db := slope(s, c); math.Abs(da) > 1e-5 || math.Abs(db) > 1e-5 {
			t.Fatalf("centre %g, spread %g, %d pictures: %+v is no minimum: gradient %g, %g", centre, spread, len(s.Score), c, da, db)
		}
	}
}

// slope is the gradient of FitPlatt's mean cost with respect to log A, the logits' mean held
// where it is, and to B: written down a second time, from the derivatives by hand.
func slope(s metrics.Scores, c metrics.Platt) (da, db float64) {
	pos, neg := s.Counts()
	n := float64(len(s.Score))
	logit := func(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
	var mean float64
	for _, p := range s.Score {
		mean += logit(p) / n
	}
	for i, p := range s.Score {
		target := 1 / (float64(neg) + 2)
		if s.Positive[i] {
			target = (float64(pos) + 1) / (float64(pos) + 2)
		}
		d := 1/(1+math.Exp(-c.A*logit(p)-c.B)) - target
		da, db = da+d*c.A*(logit(p)-mean)/n, db+d/n
	}
	return da + math.Log(c.A)/(4*n), db
}
