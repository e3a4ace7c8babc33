package trainer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"perceive/models"
	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// Calibrate fits each label's probability calibration on predictions of a data set of the
// given name, on the pictures where the label is known. A label stays as it is, and its note
// says so, when an answer is missing there, or when cross-validation finds that a fit on
// these pictures would not lower the log loss of others.
func Calibrate(set *dataset.Set, predictions [][]float32, split string) ([]models.Calibration, error) {
	var out []models.Calibration
	for l, s := range Tally(set, predictions) {
		c, err := calibration(s, split)
		if err != nil {
			return nil, fmt.Errorf("trainer: label %q: %w", set.Labels[l], err)
		}
		out = append(out, c)
	}
	return out, nil
}

func calibration(s metrics.Scores, split string) (models.Calibration, error) {
	c := models.Calibration{A: 1, Split: split}
	c.Positive, c.Negative = s.Counts()
	if c.Positive == 0 || c.Negative == 0 {
		c.Note = "not calibrated: " + split + " has one answer only"
		return c, nil
	}
	raw, calibrated, err := metrics.CrossValidate(s)
	var fit metrics.Platt
	switch {
	case errors.Is(err, metrics.ErrUndefined):
		c.Note = "not calibrated: too few pictures of one answer in " + split
	case err != nil:
		return c, err
	case calibrated >= raw:
		c.Note = fmt.Sprintf("not calibrated: cross-validated on %s it would change the log loss from %.3f to %.3f", split, raw, calibrated)
	default:
		if fit, err = metrics.FitPlatt(s); err != nil {
			return c, err
		}
		c.A, c.B = fit.A, fit.B
	}
	var after metrics.Scores
	for i, p := range s.Score {
		after.Add(metrics.Platt{A: c.A, B: c.B}.Apply(p), s.Positive[i])
	}
	var err1, err2 error
	c.ECEBefore, err1 = s.ECE()
	c.ECEAfter, err2 = after.ECE()
	return c, errors.Join(err1, err2)
}

// Calibrated is the run with calibrations, one a label, folded into its parameters. Every
// graph made of them gives calibrated probabilities; no graph has a node more. Pictures
// keep their order, but for probabilities below about 1e-5, which float32's sigmoid gives
// in steps of 3e-8.
func (t *Trained) Calibrated(c []models.Calibration) (*Trained, error) {
	l, err := t.layout()
	if err != nil {
		return nil, err
	}
	if len(c) != len(t.Config.Labels) {
		return nil, fmt.Errorf("trainer: %d calibrations, the network has %d labels", len(c), len(t.Config.Labels))
	}
	out := &Trained{t.Progress, slices.Clone(t.Params), c}
	for i, k := range c {
		if err := t.Config.net().Fold(l, out.Params, int64(i), k.A, k.B); err != nil {
			return nil, fmt.Errorf("trainer: calibration: %w", err)
		}
	}
	return out, nil
}

// CalibrateOn fits calibrations on a cache of inputs with the scorer that t made, and
// leaves the calibrated parameters in it.
func (t *Trained) CalibrateOn(ctx context.Context, s *Scorer, c *dataset.Cache, split string) (*Trained, error) {
	raw, err := s.Predictor().Predict(ctx, c)
	if err != nil {
		return nil, err
	}
	fitted, err := Calibrate(c.Set, raw, split)
	if err != nil {
		return nil, err
	}
	out, err := t.Calibrated(fitted)
	if err != nil {
		return nil, err
	}
	copy(s.Params, out.Params)
	return out, nil
}

// uncalibrated are the scores without the calibration that is in them.
func uncalibrated(s metrics.Scores, c models.Calibration) metrics.Scores {
	var out metrics.Scores
	for i, p := range s.Score {
		out.Add(metrics.Platt{A: c.A, B: c.B}.Undo(p), s.Positive[i])
	}
	return out
}

// pointers to the elements.
func pointers(c []models.Calibration) []*models.Calibration {
	out := make([]*models.Calibration, len(c))
	for i := range c {
		out[i] = &c[i]
	}
	return out
}
