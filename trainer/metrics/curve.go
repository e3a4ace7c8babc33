package metrics

import (
	"math"

	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"
)

// AUC is the area under the ROC curve: the probability that a positive picture
// scores above a negative one, a tie counting half. 0.5 is chance, 1 perfect.
func (s Scores) AUC() (float64, error) {
	r, err := s.rank()
	if err != nil {
		return math.NaN(), err
	}
	return r.auc(), nil
}

func (r *ranked) auc() float64 {
	tpr, fpr, _ := stat.ROC(nil, r.score, r.positive, r.weight)
	return integrate.Trapezoidal(fpr, tpr)
}

// ROC is the curve of recall over false alarms, from (0, 0) to (1, 1).
func (s Scores) ROC() (falseAlarms, recall []float64, err error) {
	r, err := s.rank()
	if err != nil {
		return nil, nil, err
	}
	recall, falseAlarms, _ = stat.ROC(nil, r.score, r.positive, nil)
	return falseAlarms, recall, nil
}

// AP is the average precision: the mean over the positives of the precision at
// their score, Σ (Rₙ−Rₙ₋₁)·Pₙ over the distinct scores from the highest down, as
// scikit-learn's average_precision_score. Chance is the part of positives.
func (s Scores) AP() (float64, error) {
	r, err := s.rank()
	if err != nil {
		return math.NaN(), err
	}
	return r.ap(), nil
}

func (r *ranked) ap() float64 {
	var ap, recall float64
	r.descend(func(_, _, tp, fp float64) {
		ap += (tp/r.pos - recall) * tp / (tp + fp)
		recall = tp / r.pos
	})
	return ap
}

// PR is the curve of precision over recall, a point a distinct score from the highest
// down. Between its points it is a staircase: AP is the area below.
func (s Scores) PR() (recall, precision []float64, err error) {
	r, err := s.rank()
	if err != nil {
		return nil, nil, err
	}
	r.descend(func(_, _, tp, fp float64) {
		recall, precision = append(recall, tp/r.pos), append(precision, tp/(tp+fp))
	})
	return recall, precision, nil
}

// PrecisionAt is the highest precision of any threshold that finds at least the given
// part of the positives, as torchmetrics' precision_at_fixed_recall.
func (s Scores) PrecisionAt(recall float64) (float64, error) {
	r, err := s.rank()
	if err != nil {
		return math.NaN(), err
	}
	return r.precisionAt(recall), nil
}

func (r *ranked) precisionAt(recall float64) float64 {
	var best float64
	r.descend(func(_, _, tp, fp float64) {
		if tp/r.pos >= recall {
			best = max(best, tp/(tp+fp))
		}
	})
	return best
}
