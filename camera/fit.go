package camera

import "fmt"

// Placement is where a frame lies inside a network's input when it is letterboxed
// (aspect ratio kept, centred, the rest padded):
// input pixel = frame pixel * Scale + (X, Y).
type Placement struct {
	Scale, ScaleY float64 // input pixels a frame pixel, across and down: the same but for Stretch
	X, Y          int     // left and top padding, input pixels
	Width, Height int     // size of the picture inside the input, input pixels
}

// Fit says how a frame fills an input of another shape.
type Fit string

// The ways to fit. The empty Fit is Letterbox.
const (
	// Letterbox keeps the aspect ratio and centres the picture; the rest is padded.
	Letterbox Fit = "letterbox"
	// Corner is Letterbox with the picture in the top left.
	Corner Fit = "letterbox-top-left"
	// Stretch fills the input and does not keep the aspect ratio.
	Stretch Fit = "stretch"
)

// Place computes the placement of a w×h frame in an inW×inH input under Letterbox.
// Sizes are rounded to whole pixels and are at least 1.
func Place(w, h, inW, inH int) (Placement, error) { return Letterbox.Place(w, h, inW, inH) }

// Place computes the placement of a w×h frame in an inW×inH input.
func (f Fit) Place(w, h, inW, inH int) (Placement, error) {
	if w <= 0 || h <= 0 || inW <= 0 || inH <= 0 {
		return Placement{}, fmt.Errorf("camera: cannot place a %d×%d frame in a %d×%d input", w, h, inW, inH)
	}
	sx, sy := float64(inW)/float64(w), float64(inH)/float64(h)
	switch f {
	case "", Letterbox, Corner:
		s := min(sx, sy)
		p := Placement{Scale: s, ScaleY: s, Width: clamp(round(float64(w)*s), 1, inW), Height: clamp(round(float64(h)*s), 1, inH)}
		if f != Corner {
			p.X, p.Y = (inW-p.Width)/2, (inH-p.Height)/2
		}
		return p, nil
	case Stretch:
		return Placement{Scale: sx, ScaleY: sy, Width: inW, Height: inH}, nil
	}
	return Placement{}, fmt.Errorf("camera: fit %q is unknown (known: %s, %s, %s)", f, Letterbox, Corner, Stretch)
}

// ToFrame maps a point in input pixels back to frame pixels.
func (p Placement) ToFrame(x, y float64) (fx, fy float64) {
	return (x - float64(p.X)) / p.Scale, (y - float64(p.Y)) / p.ScaleY
}

// ToInput maps a point in frame pixels to input pixels.
func (p Placement) ToInput(x, y float64) (ix, iy float64) {
	return x*p.Scale + float64(p.X), y*p.ScaleY + float64(p.Y)
}

func round(v float64) int { return int(v + 0.5) }

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }
