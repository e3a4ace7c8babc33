package metrics

import "math"

// Decision is what a threshold does: Recall is the part of the positives that is on
// (TPR), FalseAlarms the part of the negatives that is on (FPR), Precision the part of
// what is on that is positive, on this data's mix, 0 if nothing is on. F1 is the harmonic
// mean of precision and recall, 2·TP/(2·TP+FP+FN) (van Rijsbergen 1979).
type Decision struct {
	Threshold   float64 `json:"threshold"`
	Recall      float64 `json:"recall"`
	FalseAlarms float64 `json:"false_alarms"`
	Precision   float64 `json:"precision"`
	F1          float64 `json:"f1"`
}

// At is the decision at a given threshold: a picture counts as positive at or above it.
func (s Scores) At(threshold float64) (Decision, error) {
	r, err := s.rank()
	if err != nil {
		return Decision{}, err
	}
	return r.at(threshold), nil
}

func (r *ranked) at(threshold float64) Decision {
	var tp, fp float64
	for i, v := range r.score {
		switch {
		case v < threshold:
		case r.positive[i]:
			tp += r.weight[i]
		default:
			fp += r.weight[i]
		}
	}
	return r.decision(threshold, tp, fp)
}

func (r *ranked) decision(threshold, tp, fp float64) Decision {
	d := Decision{Threshold: threshold, Recall: tp / r.pos, FalseAlarms: fp / r.neg, F1: 2 * tp / (tp + fp + r.pos)}
	if tp+fp > 0 {
		d.Precision = tp / (tp + fp)
	}
	return d
}

// decisions are all that thresholds can do, from the highest threshold, at which nothing
// is on, to the lowest, at which everything is. A threshold lies half way between two
// neighbouring scores, so that it does not hang on one picture's last digit.
func (r *ranked) decisions() []Decision {
	out := []Decision{r.decision(math.Nextafter(r.score[len(r.score)-1], math.Inf(1)), 0, 0)}
	r.descend(func(score, next, tp, fp float64) {
		out = append(out, r.decision((score+next)/2, tp, fp))
	})
	return out
}

// Confusion are the numbers of pictures that a threshold sorts right and wrong.
type Confusion struct {
	TruePositive  int `json:"true_positive"`
	FalseNegative int `json:"false_negative"`
	FalsePositive int `json:"false_positive"`
	TrueNegative  int `json:"true_negative"`
}

// ConfusionAt counts at a threshold; it is defined for one answer only, too.
func (s Scores) ConfusionAt(threshold float64) Confusion {
	var c Confusion
	for i, v := range s.Score {
		switch on := v >= threshold; {
		case on && s.Positive[i]:
			c.TruePositive++
		case on:
			c.FalsePositive++
		case s.Positive[i]:
			c.FalseNegative++
		default:
			c.TrueNegative++
		}
	}
	return c
}
