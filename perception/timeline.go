package perception

import (
	"image"
	"image/color"
	"time"

	"perceive/camera"
)

const (
	// wholeDrive is the longest recording that a timeline shows as a whole; of a longer one,
	// and of one whose length nobody knows, it shows the last lately.
	wholeDrive = 60 * time.Second
	lately     = 20 * time.Second
)

var unknown = color.RGBA{120, 120, 120, 255}

// timeline remembers what was said of each label, a column of pixels at a time.
type timeline struct {
	length time.Duration // that the width stands for
	whole  bool
	width  int // pixels
	cells  [][]cell
	last   int // the newest column, counted from the beginning of the recording
}

// cell is a label in a column; the zero value is a time that has not come.
type cell struct {
	p     float32 // the highest
	state State   // the strongest: a label that was on shows
	is    bool
}

func newTimeline(labels, width int, length time.Duration) *timeline {
	t := &timeline{length: length, whole: length > 0 && length <= wholeDrive, width: width, cells: make([][]cell, labels), last: -1}
	if !t.whole {
		t.length = lately
	}
	for i := range t.cells {
		t.cells[i] = make([]cell, width)
	}
	return t
}

// add takes a result over.
func (t *timeline) add(r *Result) {
	at := int(r.Time * time.Duration(t.width) / t.length)
	if t.whole {
		at = min(at, t.width-1)
	}
	at = max(at, t.last, 0)
	// A frame is held until the next: columns between them are as the one before.
	for c := max(t.last+1, at-t.width+1); c <= at; c++ {
		for i := range t.cells {
			t.cells[i][c%t.width] = cell{}
			if c < at && t.last >= 0 {
				t.cells[i][c%t.width] = t.cells[i][t.last%t.width]
			}
		}
	}
	t.last = at
	for i := range t.cells {
		c := &t.cells[i][at%t.width]
		c.is = true
		if i < len(r.Answers) {
			c.p, c.state = max(c.p, r.Answers[i].P), max(c.state, r.Answers[i].State)
		}
	}
}

// draw draws a label's row into a rectangle that is as wide as the timeline: as high as the
// probability, bright while the label was on, and grey where nothing was known.
func (t *timeline) draw(f *camera.Frame, label int, r image.Rectangle, threshold float32, col color.RGBA) {
	off := color.RGBA{col.R/3 + 16, col.G/3 + 16, col.B/3 + 16, 255}
	line := r.Max.Y - 1 - int(threshold*float32(r.Dy()-1))
	first := 0
	if !t.whole {
		first = max(0, t.last-t.width+1)
	}
	for x := range t.width {
		c := t.cells[label][(first+x)%t.width]
		if first+x > t.last {
			c = cell{}
		}
		top, ink := r.Max.Y-1-int(c.p*float32(r.Dy()-1)), off
		switch {
		case c.is && c.state == Unknown:
			top, ink = r.Min.Y, unknown
		case c.state == On:
			ink = col
		}
		for y := r.Min.Y; y < r.Max.Y; y++ {
			switch {
			case t.whole && first+x == t.last:
				put(f, r.Min.X+x, y, white)
			case c.is && y >= top:
				put(f, r.Min.X+x, y, ink)
			case y == line && x%4 < 2:
				put(f, r.Min.X+x, y, dim)
			}
		}
	}
}

// put sets a pixel.
func put(f *camera.Frame, x, y int, c color.RGBA) {
	p := f.Pix[y*f.Stride+3*x:]
	p[0], p[1], p[2] = c.B, c.G, c.R
}
