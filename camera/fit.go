package camera

import "fmt"

// Placement is where a frame lies inside a network's input when it is letterboxed
// (aspect ratio kept, centred, the rest padded):
// input pixel = frame pixel * Scale + (X, Y).
type Placement struct {
	Scale         float64
	X, Y          int // left and top padding, input pixels
	Width, Height int // size of the picture inside the input, input pixels
}

// Place computes the placement of a w×h frame in an inW×inH input.
// The picture is centred; sizes are rounded to whole pixels and are at least 1.
func Place(w, h, inW, inH int) (Placement, error) {
	if w <= 0 || h <= 0 || inW <= 0 || inH <= 0 {
		return Placement{}, fmt.Errorf("camera: cannot place a %d×%d frame in a %d×%d input", w, h, inW, inH)
	}
	s := min(float64(inW)/float64(w), float64(inH)/float64(h))
	p := Placement{Scale: s, Width: clamp(round(float64(w)*s), 1, inW), Height: clamp(round(float64(h)*s), 1, inH)}
	p.X, p.Y = (inW-p.Width)/2, (inH-p.Height)/2
	return p, nil
}

// ToFrame maps a point in input pixels back to frame pixels.
func (p Placement) ToFrame(x, y float64) (fx, fy float64) {
	return (x - float64(p.X)) / p.Scale, (y - float64(p.Y)) / p.Scale
}

// ToInput maps a point in frame pixels to input pixels.
func (p Placement) ToInput(x, y float64) (ix, iy float64) {
	return x*p.Scale + float64(p.X), y*p.Scale + float64(p.Y)
}

func round(v float64) int { return int(v + 0.5) }

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }
