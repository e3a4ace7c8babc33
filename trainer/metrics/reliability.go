package metrics

import (
	"fmt"
	"math"
)

// Bins is the number of bins of ECE: equal in width over 0 to 1, as in Naeini et al.
// (2015), "Obtaining well calibrated probabilities using Bayesian binning".
const Bins = 10

// Bin are the pictures whose probability lies in one part of 0 to 1.
type Bin struct {
	// Mean is their mean probability, Observed the part of them that is positive.
	Mean, Observed float64
	Count          int
}

// Reliability sorts the pictures into n bins of equal width, the last one closed; what
// lies between two belongs to the upper one. Bins may be empty.
func (s Scores) Reliability(n int) ([]Bin, error) {
	if err := s.probabilities(); err != nil {
		return nil, err
	}
	out := make([]Bin, n)
	for i, p := range s.Score {
		b := &out[bin(p, n)]
		b.Count++
		b.Mean += p
		if s.Positive[i] {
			b.Observed++
		}
	}
	for i := range out {
		if c := float64(out[i].Count); c > 0 {
			out[i].Mean, out[i].Observed = out[i].Mean/c, out[i].Observed/c
		}
	}
	return out, nil
}

func bin(p float64, n int) int { return min(n-1, int(p*float64(n))) }

// probabilities reports scores that are none, and the lack of any.
func (s Scores) probabilities() error {
	if err := s.check(); err != nil {
		return err
	}
	for i, p := range s.Score {
		if p < 0 || p > 1 {
			return fmt.Errorf("metrics: score %d is %g, not a probability", i, p)
		}
	}
	if len(s.Score) == 0 {
		return fmt.Errorf("%w: no pictures", ErrUndefined)
	}
	return nil
}

// ECE is the expected calibration error, Σ nᵦ/n·|mean probability − part of positives|
// over Bins bins (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599, for one
// yes/no label). 0 is best, 1 worst. Of perfect probabilities it is not 0 on few pictures:
// each bin has its own chance error, so it falls to about 0.1 at 100 and 0.03 at 1,000.
func (s Scores) ECE() (float64, error) {
	if err := s.probabilities(); err != nil {
		return math.NaN(), err
	}
	return ece(s.Score, s.Positive, nil), nil
}

// ece with weights; nil are all 1.
func ece(score []float64, positive []bool, weight []float64) float64 {
	var gap [Bins]float64 // Σ w·(p − y)
	var n float64
	for i, p := range score {
		w := 1.0
		if weight != nil {
			w = weight[i]
		}
		gap[bin(p, Bins)] += w * (p - truth(positive[i]))
		n += w
	}
	var sum float64
	for _, g := range gap {
		sum += math.Abs(g)
	}
	return sum / n
}

// Brier is the mean square of probability − answer (Brier 1950): 0 is best, 0.25 is what
// saying one half gives. It is proper: only the true probabilities minimise it.
func (s Scores) Brier() (float64, error) {
	if err := s.probabilities(); err != nil {
		return math.NaN(), err
	}
	return brier(s.Score, s.Positive, nil), nil
}

func brier(score []float64, positive []bool, weight []float64) float64 {
	var sum, n float64
	for i, p := range score {
		w, d := 1.0, p-truth(positive[i])
		if weight != nil {
			w = weight[i]
		}
		sum += w * d * d
		n += w
	}
	return sum / n
}

func truth(positive bool) float64 {
	if positive {
		return 1
	}
	return 0
}

// Wilson is the 95 % interval of a part of which k in n was seen (Wilson 1927), 0 <= k <= n:
// within 0 to 1, and wide for few.
func Wilson(k, n float64) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const z = 1.959964 // 97.5 % of the normal distribution lie below
	p := k / n
	centre, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, (centre-half)/(1+z*z/n)), min(1, (centre+half)/(1+z*z/n))
}
