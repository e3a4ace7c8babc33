package metrics

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Figures are everything that is measured of a label at one threshold.
type Figures struct {
	AUC         float64 `json:"auc"`
	AP          float64 `json:"ap"`
	PrecisionAt float64 `json:"precision_at_recall_90"` // see Recall90
	Recall      float64 `json:"recall"`
	FalseAlarms float64 `json:"false_alarms"`
	Precision   float64 `json:"precision"`
	F1          float64 `json:"f1"`
	ECE         float64 `json:"ece"`
	Brier       float64 `json:"brier"`
}

// Recall90 is the recall of Figures.PrecisionAt.
const Recall90 = 0.9

// fields are the figures in their order, to treat them alike.
func (f *Figures) fields() []*float64 {
	return []*float64{&f.AUC, &f.AP, &f.PrecisionAt, &f.Recall, &f.FalseAlarms, &f.Precision, &f.F1, &f.ECE, &f.Brier}
}

// Figures measures probabilities at a threshold. ErrUndefined if an answer is missing.
func (s Scores) Figures(threshold float64) (Figures, error) {
	if err := s.probabilities(); err != nil {
		return Figures{}, err
	}
	r, err := s.rank()
	if err != nil {
		return Figures{}, err
	}
	return r.figures(threshold), nil
}

func (r *ranked) figures(threshold float64) Figures {
	d := r.at(threshold)
	return Figures{AUC: r.auc(), AP: r.ap(), PrecisionAt: r.precisionAt(Recall90),
		Recall: d.Recall, FalseAlarms: d.FalseAlarms, Precision: d.Precision, F1: d.F1,
		ECE: ece(r.score, r.positive, r.weight), Brier: brier(r.score, r.positive, r.weight)}
}

// Intervals are the 95 % percentile bootstrap intervals of all figures over n resamples
// of the pictures (Efron 1979). The threshold stays: where it was chosen on the same
// pictures, the choice is not in the interval. Those of ECE are biased upwards, because a
// resample has the chance error of its bins twice. The same seed gives the same intervals.
func (s Scores) Intervals(threshold float64, n int, seed uint64) (low, high Figures, err error) {
	if err := s.probabilities(); err != nil {
		return low, high, err
	}
	r, err := s.rank()
	if err != nil {
		return low, high, err
	}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	draws := make([][]float64, len(low.fields()))
	for range n {
		if !r.resample(rng) {
			continue // without one of the answers it has no AUC
		}
		f := r.figures(threshold)
		for i, v := range f.fields() {
			draws[i] = append(draws[i], *v)
		}
	}
	if len(draws[0]) == 0 {
		return low, high, fmt.Errorf("%w: no resample holds both answers", ErrUndefined)
	}
	lo, hi := low.fields(), high.fields()
	for i, d := range draws {
		slices.Sort(d)
		*lo[i], *hi[i] = stat.Quantile(0.025, stat.Empirical, d, nil), stat.Quantile(0.975, stat.Empirical, d, nil)
	}
	return low, high, nil
}

// resample draws as many pictures as there are, with replacement, and reports whether
// both answers are among them. The order stays, only the weights change.
func (r *ranked) resample(rng *rand.Rand) bool {
	clear(r.weight)
	for range r.weight {
		r.weight[rng.IntN(len(r.weight))]++
	}
	r.pos, r.neg = 0, 0
	for i, w := range r.weight {
		if r.positive[i] {
			r.pos += w
		} else {
			r.neg += w
		}
	}
	return r.pos > 0 && r.neg > 0
}
