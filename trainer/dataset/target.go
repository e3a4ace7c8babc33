package dataset

import "math"

// Stride is the size of a map's cell in input pixels.
const Stride = 8

// Teach is what one picture in one placement says: maps and their weights
// [L,h,w] at Stride, presence and its mask [L]. All are overwritten.
type Teach struct {
	Map, MapWeight         []float32
	Presence, PresenceMask []float32
}

const (
	// minVisible is the part of a box that must lie inside the input for the
	// object to count as seen; less, and whether it shows is nobody's guess.
	minVisible = 0.3
	// minHeight is the smallest height, in input pixels, at which an object counts.
	minHeight = 4
	// core is the part of a box, along each side, whose cells are positive.
	core = 0.5
)

// teach fills t for item it placed by m in an input of w×h pixels.
//
// Where a label is located, every cell outside boxes is a known negative, the
// cells at the core of a box are positive, and the rest of the box is ignored. The
// weights are divided by the number of positive cells of the label, so that a car
// that fills the picture does not outweigh a stop sign of twelve pixels.
func (t Teach) teach(it *Item, m affine, scale float64, w, h int) {
	gw, gh := w/Stride, h/Stride
	clear(t.Map)
	clear(t.MapWeight)
	clear(t.Presence)
	clear(t.PresenceMask)
	for l, state := range it.Labels {
		if state == Unknown {
			continue
		}
		t.PresenceMask[l] = 1
		if !it.Located(l) {
			t.Presence[l] = 1
			continue
		}
		grid := grid{t.Map[l*gw*gh:][:gw*gh], t.MapWeight[l*gw*gh:][:gw*gh], gw, gh}
		for i := range grid.weight {
			grid.weight[i] = 1
		}
		if state == Negative {
			continue
		}
		present, doubtful := grid.draw(it, l, m, scale, w, h)
		switch {
		case present:
			t.Presence[l] = 1
		case doubtful:
			t.PresenceMask[l] = 0
		}
		grid.balance()
	}
}

// grid is one label's map.
type grid struct {
	value, weight []float32
	w, h          int
}

// draw marks label l's boxes. present: one is clearly seen; doubtful: one is cut
// or shrunk so far that nobody could say.
func (g grid) draw(it *Item, l int, m affine, scale float64, w, h int) (present, doubtful bool) {
	type rect struct{ x0, y0, x1, y1 float64 }
	var cores []rect
	for _, b := range it.Boxes {
		if b.Label != l {
			continue
		}
		x0, y0, x1, y1 := m.box(b, scale)
		cx0, cy0 := math.Max(0, x0), math.Max(0, y0)
		cx1, cy1 := math.Min(float64(w), x1), math.Min(float64(h), y1)
		if cx1 <= cx0 || cy1 <= cy0 {
			continue
		}
		g.set(cx0, cy0, cx1, cy1, g.weight, 0)
		if (cx1-cx0)*(cy1-cy0) < minVisible*(x1-x0)*(y1-y0) || y1-y0 < minHeight {
			doubtful = true
			continue
		}
		present = true
		mx, my, rx, ry := (cx0+cx1)/2, (cy0+cy1)/2, (cx1-cx0)*core/2, (cy1-cy0)*core/2
		cores = append(cores, rect{mx - rx, my - ry, mx + rx, my + ry})
	}
	// Cores last: an object before another's rim is still an object.
	for _, c := range cores {
		g.set(c.x0, c.y0, c.x1, c.y1, g.value, 1)
		g.set(c.x0, c.y0, c.x1, c.y1, g.weight, 1)
	}
	return present, doubtful
}

// set writes v into all cells that a rectangle in input pixels touches.
func (g grid) set(x0, y0, x1, y1 float64, to []float32, v float32) {
	for y := cell(y0, g.h); y <= cell(y1, g.h); y++ {
		for x := cell(x0, g.w); x <= cell(x1, g.w); x++ {
			to[y*g.w+x] = v
		}
	}
}

func cell(v float64, n int) int { return max(0, min(n-1, int(v/Stride))) }

// balance divides the weights by the number of positive cells.
func (g grid) balance() {
	var n float32
	for i, v := range g.value {
		n += v * g.weight[i]
	}
	if n > 1 {
		for i := range g.weight {
			g.weight[i] /= n
		}
	}
}
