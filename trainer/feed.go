package trainer

import (
	"context"
	"errors"
	"math"

	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// Feed copies a loader's batches into the engine.
type Feed struct{ Loader *dataset.Loader }

// Next implements Batches.
func (f Feed) Next(ctx context.Context, step int, e *Engine) error {
	b, err := f.Loader.Next(ctx)
	if err != nil {
		return err
	}
	copy(e.Frames, b.Frames)
	copy(e.Map, b.Map)
	copy(e.MapWeight, b.MapWeight)
	copy(e.Presence, b.Presence)
	copy(e.PresenceMask, b.PresenceMask)
	f.Loader.Return(b)
	return nil
}

// Evaluate measures predictions: each label on the pictures where it is known, and
// the mean over the labels that can be measured.
func Evaluate(set *dataset.Set, predictions [][]float32) (Evaluation, error) {
	e := Evaluation{Mean: math.NaN()}
	var sum, n float64
	for _, s := range Tally(set, predictions) {
		auc, err := s.AUC()
		if err != nil && !errors.Is(err, metrics.ErrUndefined) {
			return e, err
		}
		ap, _ := s.AP()
		e.Labels = append(e.Labels, LabelScore{auc, ap})
		if err == nil {
			sum += auc
			n++
		}
	}
	if n > 0 {
		e.Mean = sum / n
	}
	return e, nil
}
