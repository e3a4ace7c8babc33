package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"
)

// Platt maps a probability to a calibrated one: σ(A·logit(p) + B), A > 0 (Platt 1999,
// "Probabilistic outputs for support vector machines"). It keeps the order of pictures,
// so ROC AUC and average precision stay what they are. Uncalibrated is {1, 0}.
type Platt struct{ A, B float64 }

// extreme bounds a probability away from 0 and 1 before its logit is taken: half of the
// last place of a float32 next to 1. Logits are within ±16.6.
const extreme = 1.0 / (1 << 24)

func logit(p float64) float64 {
	p = min(max(p, extreme), 1-extreme)
	return math.Log(p) - math.Log1p(-p)
}

func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

// Apply calibrates one probability.
func (c Platt) Apply(p float64) float64 { return sigmoid(c.A*logit(p) + c.B) }

// Undo is the probability that Apply calibrated.
func (c Platt) Undo(p float64) float64 { return sigmoid((logit(p) - c.B) / c.A) }

// slopeStd is the standard deviation of the prior of log A around 0. It weighs as much as
// a fraction of a picture, and keeps A finite and above 0 where the scores say nothing, or
// the opposite.
const slopeStd = 2

// FitPlatt fits A and B on probabilities with known answers, by maximum likelihood:
//
//	−Σ tᵢ·log qᵢ + (1−tᵢ)·log(1−qᵢ) + (log A)²/(2·slopeStd²),  qᵢ = σ(A·logit(pᵢ)+B)
//
// Targets t are Platt's: (N₊+1)/(N₊+2) for a positive, 1/(N₋+2) for a negative, which
// keeps the fit finite where few pictures are told apart without a mistake.
// ErrUndefined if an answer is missing.
func FitPlatt(s Scores) (Platt, error) {
	if err := s.probabilities(); err != nil {
		return Platt{}, err
	}
	pos, neg := s.Counts()
	if pos == 0 || neg == 0 {
		return Platt{}, fmt.Errorf("%w: %d positive and %d negative pictures", ErrUndefined, pos, neg)
	}
	z, t := make([]float64, len(s.Score)), make([]float64, len(s.Score))
	for i, p := range s.Score {
		z[i], t[i] = logit(p), 1/(float64(neg)+2)
		if s.Positive[i] {
			t[i] = (float64(pos) + 1) / (float64(pos) + 2)
		}
	}
	// About their mean, logits that are all alike leave A and B apart.
	mean := stat.Mean(z, nil)
	floats.AddConst(-mean, z)
	x := []float64{0, math.Log(float64(pos)+1) - math.Log(float64(neg)+1)}
	cost := plattCost(z, t)
	// Nelder–Mead needs no step length, which line searches lose where the cost is not convex
	// in log A. The second simplex starts where a first one may have shrunk too early.
	for range 2 {
		best, err := optimize.Minimize(optimize.Problem{Func: cost}, x, &optimize.Settings{
			Converger: &optimize.FunctionConverge{Absolute: 1e-15, Iterations: 60}}, &optimize.NelderMead{SimplexSize: 0.5})
		if err != nil {
			return Platt{}, fmt.Errorf("metrics: no calibration found: %w", err)
		}
		x = best.X
	}
	a := math.Exp(x[0])
	return Platt{a, x[1] - a*mean}, nil
}

// plattCost is the mean of what FitPlatt minimises, of log A and B.
func plattCost(z, t []float64) func(x []float64) float64 {
	return func(x []float64) float64 {
		if math.Abs(x[0]) > 50 {
			return math.Inf(1) // the prior alone is far from any minimum
		}
		a, sum := math.Exp(x[0]), x[0]*x[0]/(2*slopeStd*slopeStd)
		for i := range z {
			u := a*z[i] + x[1]
			sum += math.Max(u, 0) - u*t[i] + math.Log1p(math.Exp(-math.Abs(u)))
		}
		return sum / float64(len(z))
	}
}
