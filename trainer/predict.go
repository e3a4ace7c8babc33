package trainer

import (
	"context"
	"image"

	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// Predictor is anything that gives probabilities for a batch of frames: the network
// in training, or a model file.
type Predictor struct {
	// Frames is the memory of a batch, uint8 [Batch,Height,Width,3].
	Frames               []byte
	Batch, Width, Height int
	// Run scores the frames in memory: [Batch,L], valid until the next Run.
	Run func(ctx context.Context) ([]float32, error)
	// Maps, if not nil, are the maps of the last Run: [Batch,M,h,w] of the first M labels; nil if the network
	// has none.
	Maps func() (maps []float32, h, w int)
}

// Predict scores every usable picture of a cache that dataset.NewInputs made:
// rows of probabilities by picture, nil where a picture could not be decoded.
func (p Predictor) Predict(ctx context.Context, c *dataset.Cache) ([][]float32, error) {
	out, _, err := p.Look(ctx, c)
	return out, err
}

// Look is Predict with the place, in pixels of the input, where the map of each mapped
// label is highest; nil where the network has no maps.
func (p Predictor) Look(ctx context.Context, c *dataset.Cache) (probabilities [][]float32, peaks [][]image.Point, err error) {
	probabilities, peaks = make([][]float32, len(c.Set.Items)), make([][]image.Point, len(c.Set.Items))
	usable := c.Usable()
	size := 3 * p.Width * p.Height
	for from := 0; from < len(usable); from += p.Batch {
		some := usable[from:min(from+p.Batch, len(usable))]
		for i, item := range some {
			if err := c.Input(p.Frames[i*size:][:size], item); err != nil {
				return nil, nil, err
			}
		}
		scores, err := p.Run(ctx)
		if err != nil {
			return nil, nil, err
		}
		labels := len(scores) / p.Batch
		for i, item := range some {
			probabilities[item] = append([]float32(nil), scores[i*labels:][:labels]...)
			peaks[item] = p.peaks(i)
		}
	}
	return probabilities, peaks, nil
}

// peaks of picture i of the batch that was just run.
func (p Predictor) peaks(i int) []image.Point {
	if p.Maps == nil {
		return nil
	}
	maps, h, w := p.Maps()
	if len(maps) == 0 {
		return nil
	}
	out := make([]image.Point, len(maps)/(p.Batch*h*w))
	for l := range out {
		best := 0
		cells := maps[(i*len(out)+l)*h*w:][:h*w]
		for j, v := range cells {
			if v > cells[best] {
				best = j
			}
		}
		out[l] = image.Pt((2*(best%w)+1)*p.Width/(2*w), (2*(best/w)+1)*p.Height/(2*h))
	}
	return out
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
