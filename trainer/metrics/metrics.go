// Package metrics measures yes/no answers, label by label, on the pictures where
// the answer is known: how well they are ranked, what a threshold does, and whether
// a probability means what it says.
package metrics

import (
	"errors"
	"fmt"
	"math"
	"sort"
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

// check reports scores that nothing can be said about.
func (s Scores) check() error {
	if len(s.Score) != len(s.Positive) {
		return fmt.Errorf("metrics: %d scores for %d answers", len(s.Score), len(s.Positive))
	}
	for i, v := range s.Score {
		if math.IsNaN(v) {
			return fmt.Errorf("metrics: score %d is not a number", i)
		}
	}
	return nil
}

// ranked are the pictures in ascending order of their scores, each with a weight: how
// often it counts. pos and neg are the sums of weights.
type ranked struct {
	score    []float64
	positive []bool
	weight   []float64
	pos, neg float64
}

// rank sorts the scores; every picture counts once. ErrUndefined if an answer is missing.
func (s Scores) rank() (*ranked, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	pos, neg := s.Counts()
	if pos == 0 || neg == 0 {
		return nil, fmt.Errorf("%w: %d positive and %d negative pictures", ErrUndefined, pos, neg)
	}
	order := make([]int, len(s.Score))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return s.Score[order[a]] < s.Score[order[b]] })
	r := &ranked{pos: float64(pos), neg: float64(neg)}
	for _, i := range order {
		r.score, r.positive, r.weight = append(r.score, s.Score[i]), append(r.positive, s.Positive[i]), append(r.weight, 1)
	}
	return r, nil
}

// descend calls f for each distinct score from the highest down with the weights of the
// positives and negatives at or above it; next is the score below, or the same at the end.
func (r *ranked) descend(f func(score, next, tp, fp float64)) {
	var tp, fp float64
	for i := len(r.score) - 1; i >= 0; i-- {
		if r.positive[i] {
			tp += r.weight[i]
		} else {
			fp += r.weight[i]
		}
		next := r.score[max(0, i-1)]
		if (i > 0 && next == r.score[i]) || tp+fp == 0 {
			continue
		}
		f(r.score[i], next, tp, fp)
	}
}
