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
	mapped(e.Map, b.Map, e)
	mapped(e.MapWeight, b.MapWeight, e)
	copy(e.Presence, b.Presence)
	copy(e.PresenceMask, b.PresenceMask)
	f.Loader.Return(b)
	return nil
}

// mapped copies the maps of the labels that have one, the first ones of each picture.
func mapped(dst, src []float32, e *Engine) {
	n := e.task.Plan.Batch
	to, from := len(dst)/n, len(src)/n
	for i := range n {
		copy(dst[i*to:(i+1)*to], src[i*from:])
	}
}

// Predictor is anything that gives probabilities for a batch of frames: the network
// in training, or a model file.
type Predictor struct {
	// Frames is the memory of a batch, uint8 [Batch,Height,Width,3].
	Frames               []byte
	Batch, Width, Height int
	// Run scores the frames in memory: [Batch,L], valid until the next Run.
	Run func(ctx context.Context) ([]float32, error)
}

// Predict scores every usable picture of a cache that dataset.NewInputs made:
// rows of probabilities by picture, nil where a picture could not be decoded.
func (p Predictor) Predict(ctx context.Context, c *dataset.Cache) ([][]float32, error) {
	out := make([][]float32, len(c.Set.Items))
	usable := c.Usable()
	size := 3 * p.Width * p.Height
	for from := 0; from < len(usable); from += p.Batch {
		some := usable[from:min(from+p.Batch, len(usable))]
		for i, item := range some {
			if err := c.Input(p.Frames[i*size:][:size], item); err != nil {
				return nil, err
			}
		}
		scores, err := p.Run(ctx)
		if err != nil {
			return nil, err
		}
		labels := len(scores) / p.Batch
		for i, item := range some {
			out[item] = append([]float32(nil), scores[i*labels:][:labels]...)
		}
	}
	return out, nil
}

// Tally sorts predictions by label, on the pictures where the label is known.
func Tally(set *dataset.Set, predictions [][]float32) []metrics.Scores {
	out := make([]metrics.Scores, len(set.Labels))
	for i, it := range set.Items {
		for l, state := range it.Labels {
			if predictions[i] != nil && state != dataset.Unknown {
				out[l].Add(float64(predictions[i][l]), state == dataset.Positive)
			}
		}
	}
	return out
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
