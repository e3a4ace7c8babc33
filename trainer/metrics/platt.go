package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
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
	start := []float64{0, math.Log(float64(pos)+1) - math.Log(float64(neg)+1)}
	best, err := optimize.Minimize(plattProblem(z, t), start, &optimize.Settings{GradientThreshold: 1e-9}, &optimize.Newton{})
	// At the last digit the line search may find nothing lower: that is the minimum, too.
	if best == nil || len(best.Gradient) != 2 || !(math.Hypot(best.Gradient[0], best.Gradient[1]) < 1e-5) {
		return Platt{}, fmt.Errorf("metrics: no calibration found: %v", err)
	}
	a := math.Exp(best.X[0])
	return Platt{a, best.X[1] - a*mean}, nil
}

// plattProblem is the mean of what FitPlatt minimises, of log A and B, with its first
// and second derivatives.
func plattProblem(z, t []float64) optimize.Problem {
	const prior = 1.0 / (slopeStd * slopeStd)
	n := float64(len(z))
	return optimize.Problem{
		Func: func(x []float64) float64 {
			a, sum := math.Exp(x[0]), prior*x[0]*x[0]/2
			for i := range z {
				u := a*z[i] + x[1]
				sum += math.Max(u, 0) - u*t[i] + math.Log1p(math.Exp(-math.Abs(u)))
			}
			return sum / n
		},
		Grad: func(g, x []float64) {
			a := math.Exp(x[0])
			g[0], g[1] = prior*x[0], 0
			for i := range z {
				d := sigmoid(a*z[i]+x[1]) - t[i]
				g[0], g[1] = g[0]+d*a*z[i], g[1]+d
			}
			g[0], g[1] = g[0]/n, g[1]/n
		},
		Hess: func(h *mat.SymDense, x []float64) {
			a, aa, ab, bb := math.Exp(x[0]), float64(prior), 0.0, 0.0
			for i := range z {
				q := sigmoid(a*z[i] + x[1])
				v, w := a*z[i], q*(1-q)
				aa, ab, bb = aa+w*v*v+(q-t[i])*v, ab+w*v, bb+w
			}
			h.SetSym(0, 0, aa/n)
			h.SetSym(0, 1, ab/n)
			h.SetSym(1, 1, bb/n)
		},
	}
}
