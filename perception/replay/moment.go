package replay

import (
	"slices"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// Moment is a frame in which the models disagree.
type Moment struct {
	Seq   uint64
	Time  time.Duration
	Flips int
	// Delta is the largest difference of a probability.
	Delta float64
	// Why says it label by label.
	Why string
	// Pictures are what each model says, drawn, BGR, W×H pixels.
	Pictures [2][]byte
	W, H     int
}

// worse is the order of moments: changed states first, then the difference.
func (m Moment) worse(than Moment) bool {
	if m.Flips != than.Flips {
		return m.Flips > than.Flips
	}
	return m.Delta > than.Delta
}

// candidate is a moment that may still grow.
type candidate struct {
	Moment
	frame   *camera.Frame
	results [2]perception.Result
}

// draw makes the moment's pictures, of the size of the first one's.
func (c *candidate) draw(heads ...perception.Header) error {
	scale := max(1, (c.frame.Width+widest-1)/widest)
	for i, h := range heads {
		p := perception.NewPainter(h.Labels, c.frame.Width/scale, c.frame.Height/scale)
		got, err := p.Paint(&c.results[i], c.frame)
		if err != nil {
			return wrap(err)
		}
		c.Pictures[i], c.W, c.H = slices.Clone(got.Pix), max(c.W, got.Width), max(c.H, got.Height)
		p.Close()
	}
	for i := range c.Pictures { // with fewer labels: black below
		c.Pictures[i] = append(c.Pictures[i], make([]byte, 3*c.W*c.H-len(c.Pictures[i]))...)
	}
	return nil
}
