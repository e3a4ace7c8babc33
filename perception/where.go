package perception

import (
	"image"
	"math"

	"perceive/camera"
)

// Where is where in its frame a label was seen, in pixels of the frame as it came, never
// of the network's input. The zero value says nothing: the label is not on, or the
// model has no maps.
type Where struct {
	// Peak is the middle of the strongest cell of the label's map, as far as the cell
	// lies in the frame.
	Peak Peak
	// Boxes bound the connected parts of the map that stand out, strongest first and at
	// most maxBoxes; the first holds the peak. None if the map is faint all over. They
	// are in the Result's memory, as the Answers are.
	Boxes []Box
}

// Known is whether anything is said.
func (w *Where) Known() bool { return w.Peak.P > 0 }

// Peak is the pixel where a map is strongest, and its probability there.
type Peak struct {
	image.Point
	P float32
}

// Box bounds one part of a map; P is the probability of its strongest cell.
type Box struct {
	image.Rectangle
	P float32
}

// grid is the cells of a map laid over the frame that was fitted into the input.
type grid struct {
	place        camera.Placement
	frame        image.Point     // size, pixels
	cells        image.Point     // of the map, across and down
	cellW, cellH float64         // input pixels
	picture      image.Rectangle // the cells that see the frame, and not the padding alone
}

// newGrid lays a map of so many cells over a frame that was placed in an input.
func newGrid(p camera.Placement, frame, input, cells image.Point) grid {
	return grid{place: p, frame: frame, cells: cells,
		cellW: float64(input.X) / float64(cells.X), cellH: float64(input.Y) / float64(cells.Y),
		picture: image.Rect(p.X*cells.X/input.X, p.Y*cells.Y/input.Y,
			upward(p.X+p.Width, cells.X, input.X), upward(p.Y+p.Height, cells.Y, input.Y))}
}

// upward is a·b/c, rounded up.
func upward(a, b, c int) int { return (a*b + c - 1) / c }

// pixels is the rectangle of the frame that some cells of g.picture cover, rounded
// outwards: never empty, always in the frame.
func (g *grid) pixels(cells image.Rectangle) image.Rectangle {
	x0, y0 := g.place.ToFrame(float64(cells.Min.X)*g.cellW, float64(cells.Min.Y)*g.cellH)
	x1, y1 := g.place.ToFrame(float64(cells.Max.X)*g.cellW, float64(cells.Max.Y)*g.cellH)
	var r image.Rectangle
	r.Min.X, r.Max.X = within(x0, x1, g.frame.X)
	r.Min.Y, r.Max.Y = within(y0, y1, g.frame.Y)
	return r
}

// within rounds lo..hi outwards and cuts it to 0..size, of which it keeps one at least.
func within(lo, hi float64, size int) (int, int) {
	const noise = 1e-6 // of the scale's rounding: 24.000000001 is 24
	a := min(max(0, int(math.Floor(lo+noise))), size-1)
	return a, min(max(a+1, int(math.Ceil(hi-noise))), size)
}
