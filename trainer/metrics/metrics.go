// Package metrics measures yes/no answers, label by label, on the pictures where
// the answer is known.
package metrics

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"
)

// ErrUndefined reports a measure that the data does not define: no positive or no
// negative picture. It is a fact about the data, not zero.
var ErrUndefined = errors.New("metrics: undefined")

// Scores are a label's scores and answers, equal in length: the higher the score,
// the more likely positive.
type Scores struct {
	Score    []float64
	Positive []bool
}

// Add appends one picture.
func (s *Scores) Add(score float64, positive bool) {
	s.Score = append(s.Score, score)
	s.Positive = append(s.Positive, positive)
}

// Counts are the numbers of positive and negative pictures.
func (s Scores) Counts() (positive, negative int) {
	for _, p := range s.Positive {
		if p {
			positive++
		}
	}
	return positive, len(s.Positive) - positive
}

// sorted is the scores in ascending order with their answers, or why they cannot be
// measured.
func (s Scores) sorted() (score []float64, positive []bool, err error) {
	if len(s.Score) != len(s.Positive) {
		return nil, nil, fmt.Errorf("metrics: %d scores for %d answers", len(s.Score), len(s.Positive))
	}
	for i, v := range s.Score {
		if math.IsNaN(v) {
			return nil, nil, fmt.Errorf("metrics: score %d is not a number", i)
		}
	}
	pos, neg := s.Counts()
	if pos == 0 || neg == 0 {
		return nil, nil, fmt.Errorf("%w: %d positive and %d negative pictures", ErrUndefined, pos, neg)
	}
	order := make([]int, len(s.Score))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return s.Score[order[a]] < s.Score[order[b]] })
	for _, i := range order {
		score, positive = append(score, s.Score[i]), append(positive, s.Positive[i])
	}
	return score, positive, nil
}

// AUC is the area under the ROC curve: the probability that a positive picture
// scores above a negative one, a tie counting half. 0.5 is chance, 1 perfect.
func (s Scores) AUC() (float64, error) {
	score, positive, err := s.sorted()
	if err != nil {
		return math.NaN(), err
	}
	tpr, fpr, _ := stat.ROC(nil, score, positive, nil)
	return integrate.Trapezoidal(fpr, tpr), nil
}

// AP is the average precision: the mean over the positives of the precision at
// their score, Σ (Rₙ−Rₙ₋₁)·Pₙ over the distinct scores from the highest down, as
// scikit-learn's average_precision_score.
func (s Scores) AP() (float64, error) {
	score, positive, err := s.sorted()
	if err != nil {
		return math.NaN(), err
	}
	total, _ := s.Counts()
	var ap, tp, seen, recall float64
	for i := len(score) - 1; i >= 0; {
		j := i
		for ; j >= 0 && score[j] == score[i]; j-- {
			seen++
			if positive[j] {
				tp++
			}
		}
		r := tp / float64(total)
		ap += (r - recall) * tp / seen
		recall, i = r, j
	}
	return ap, nil
}

// Best is the threshold with the highest Youden index J = TPR − FPR (Youden 1950) when a
// picture counts as positive at or above it, and its rates. J does not depend on how many
// positives the data happens to hold, as F1 and accuracy do. The threshold lies half way
// between two neighbouring scores, so that it does not hang on one picture's last digit;
// of equals the highest wins.
func (s Scores) Best() (Decision, error) {
	score, positive, err := s.sorted()
	if err != nil {
		return Decision{}, err
	}
	pos, neg := s.Counts()
	best := Decision{Threshold: math.Nextafter(score[len(score)-1], math.Inf(1))}
	var tp, fp float64
	for i := len(score) - 1; i >= 0; i-- {
		if positive[i] {
			tp++
		} else {
			fp++
		}
		if i > 0 && score[i-1] == score[i] {
			continue
		}
		d := Decision{Threshold: score[i], Recall: tp / float64(pos), FalseAlarms: fp / float64(neg), Precision: tp / (tp + fp)}
		if i > 0 {
			d.Threshold = (score[i] + score[i-1]) / 2
		}
		if d.Recall-d.FalseAlarms > best.Recall-best.FalseAlarms {
			best = d
		}
	}
	return best, nil
}

// At is the decision at a given threshold.
func (s Scores) At(threshold float64) (Decision, error) {
	if _, _, err := s.sorted(); err != nil {
		return Decision{}, err
	}
	pos, neg := s.Counts()
	var tp, fp float64
	for i, v := range s.Score {
		switch {
		case v < threshold:
		case s.Positive[i]:
			tp++
		default:
			fp++
		}
	}
	d := Decision{Threshold: threshold, Recall: tp / float64(pos), FalseAlarms: fp / float64(neg)}
	if tp+fp > 0 {
		d.Precision = tp / (tp + fp)
	}
	return d, nil
}

// Decision is what a threshold does: Recall is the part of the positives that is on
// (TPR), FalseAlarms the part of the negatives that is on (FPR), Precision the part of
// what is on that is positive, on this data's mix.
type Decision struct {
	Threshold   float64 `json:"threshold"`
	Recall      float64 `json:"recall"`
	FalseAlarms float64 `json:"false_alarms"`
	Precision   float64 `json:"precision"`
}

// Interval is the 95 % percentile bootstrap interval of the AUC over n resamples
// of the pictures (Efron 1979). The same seed gives the same interval.
func (s Scores) Interval(n int, seed uint64) (low, high float64, err error) {
	if _, _, err := s.sorted(); err != nil {
		return math.NaN(), math.NaN(), err
	}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	var aucs []float64
	for range n {
		var r Scores
		for range s.Score {
			i := rng.IntN(len(s.Score))
			r.Add(s.Score[i], s.Positive[i])
		}
		// A resample without one of the classes has no AUC and is drawn over.
		if a, err := r.AUC(); err == nil {
			aucs = append(aucs, a)
		}
	}
	if len(aucs) == 0 {
		return math.NaN(), math.NaN(), fmt.Errorf("%w: no resample holds both answers", ErrUndefined)
	}
	slices.Sort(aucs)
	return stat.Quantile(0.025, stat.Empirical, aucs, nil), stat.Quantile(0.975, stat.Empirical, aucs, nil), nil
}
