package trainer

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"perceive/trainer/dataset"
)

// ErrGate reports a model file that tells labels apart less well than the one it was
// made from, by more than is allowed.
var ErrGate = errors.New("too much is lost")

// ErrNoVerdict reports data on which nothing can be lost: no label has both answers.
var ErrNoVerdict = errors.New("no label has both answers on this data")

// Gate is how much ROC AUC may be lost, in points of a hundred: by any label, and in the
// mean of all.
type Gate struct{ Label, Mean float64 }

// NewGate allows a third of a label's loss in the mean.
func NewGate(label float64) Gate { return Gate{label, label / 3} }

// Drop is what a label lost on a data set.
type Drop struct {
	Label              string
	Positive, Negative int
	// Before and After are the ROC AUC; Defined reports whether both answers are there,
	// without which there is none.
	Before, After float64
	Defined       bool
	// Flips are the pictures, labelled or not, on which the decision differs.
	Flips, Pictures int
}

// Points lost, of a hundred. Less than 0 is a gain.
func (l Drop) Points() float64 { return 100 * (l.Before - l.After) }

// Drops compares predictions of two files on a data set, label by label, at the
// thresholds of both.
func Drops(set *dataset.Set, before, after [][]float32, thresholds []float32) ([]Drop, error) {
	var out []Drop
	was, is := Tally(set, before), Tally(set, after)
	for l, label := range set.Labels {
		loss := Drop{Label: label}
		loss.Positive, loss.Negative = was[l].Counts()
		if loss.Defined = loss.Positive > 0 && loss.Negative > 0; loss.Defined {
			var err1, err2 error
			loss.Before, err1 = was[l].AUC()
			loss.After, err2 = is[l].AUC()
			if err := errors.Join(err1, err2); err != nil {
				return nil, fmt.Errorf("trainer: label %q: %w", label, err)
			}
		}
		for i := range before {
			if before[i] == nil || after[i] == nil {
				continue
			}
			loss.Pictures++
			if t := thresholds[l]; (before[i][l] >= t) != (after[i][l] >= t) {
				loss.Flips++
			}
		}
		out = append(out, loss)
	}
	return out, nil
}

// MeanPoints is the mean loss of the labels that have one; NaN if none has.
func MeanPoints(losses []Drop) float64 {
	var sum, n float64
	for _, l := range losses {
		if l.Defined {
			sum += l.Points()
			n++
		}
	}
	return sum / n
}

// Check refuses, with ErrGate and every reason, what lost too much. Where it cannot be told
// the error is ErrNoVerdict.
func (g Gate) Check(losses []Drop) error {
	mean := MeanPoints(losses)
	if math.IsNaN(mean) {
		return fmt.Errorf("trainer: %w", ErrNoVerdict)
	}
	var why []string
	for _, l := range losses {
		if l.Defined && !(l.Points() <= g.Label) {
			why = append(why, fmt.Sprintf("%s %.2f points of ROC AUC (%.2f allowed)", l.Label, l.Points(), g.Label))
		}
	}
	if !(mean <= g.Mean) {
		why = append(why, fmt.Sprintf("the mean %.2f (%.2f allowed)", mean, g.Mean))
	}
	if len(why) > 0 {
		return fmt.Errorf("trainer: %w: %s", ErrGate, strings.Join(why, ", "))
	}
	return nil
}
