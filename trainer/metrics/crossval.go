package metrics

import "math"

// folds of cross-validation.
const folds = 5

// LogLoss is the mean of −log of the probability that the truth was given, in nats: 0 is
// best, ln 2 what saying one half gives. Proper, as Brier, and the loss of FitPlatt.
func (s Scores) LogLoss() (float64, error) {
	if err := s.probabilities(); err != nil {
		return math.NaN(), err
	}
	return s.logLoss(Platt{A: 1}) / float64(len(s.Score)), nil
}

// logLoss is the sum over the pictures once they are calibrated.
func (s Scores) logLoss(c Platt) float64 {
	var sum float64
	for i, p := range s.Score {
		u := c.A*logit(p) + c.B
		if s.Positive[i] {
			u = -u
		}
		sum += math.Max(u, 0) + math.Log1p(math.Exp(-math.Abs(u)))
	}
	return sum
}

// CrossValidate is the log loss of the scores as they are, and of scores that were
// calibrated by a fit on the other pictures: if that is not lower, the pictures are too
// few, or the scores good enough, for a calibration to help. The k-th positive and the k-th
// negative picture are in fold k mod 5.
func CrossValidate(s Scores) (raw, calibrated float64, err error) {
	if raw, err = s.LogLoss(); err != nil {
		return raw, raw, err
	}
	for fold := range folds {
		var in, out Scores
		var seen [2]int
		for i, p := range s.Score {
			k := int(truth(s.Positive[i]))
			if seen[k]%folds == fold {
				out.Add(p, s.Positive[i])
			} else {
				in.Add(p, s.Positive[i])
			}
			seen[k]++
		}
		c, err := FitPlatt(in)
		if err != nil {
			return raw, math.NaN(), err
		}
		calibrated += out.logLoss(c) / float64(len(s.Score))
	}
	return raw, calibrated, nil
}
