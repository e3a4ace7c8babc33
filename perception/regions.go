package perception

import "image"

// finder finds where a label's map points at. It keeps its memory.
type finder struct {
	done  []bool // cells that belong to a part already
	stack []image.Point
}

const (
	// standOut is the least probability of a cell that belongs to a part, and shareOfPeak
	// its least share of the map's highest one.
	standOut    = 0.25
	shareOfPeak = 0.5
	// maxBoxes bounds what is said of one label.
	maxBoxes = 8
)

// find reads a map: rows of g.cells.X probabilities. Cells that see nothing but padding
// have no say. Boxes go into the memory of boxes, as far as its capacity reaches.
func (f *finder) find(p []float32, g *grid, boxes []Box) Where {
	peak, at := float32(0), image.Point{}
	for y := g.picture.Min.Y; y < g.picture.Max.Y; y++ {
		for x := g.picture.Min.X; x < g.picture.Max.X; x++ {
			if v := p[y*g.cells.X+x]; v > peak {
				peak, at = v, image.Pt(x, y)
			}
		}
	}
	if peak == 0 {
		return Where{}
	}
	cell := g.pixels(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))})
	w := Where{Peak: Peak{cell.Min.Add(cell.Max).Div(2), peak}, Boxes: boxes[:0]}
	if peak < standOut {
		return w
	}
	if len(f.done) < len(p) {
		f.done = make([]bool, len(p))
	}
	clear(f.done)
	least := max(standOut, shareOfPeak*peak)
	for y := g.picture.Min.Y; y < g.picture.Max.Y; y++ {
		for x := g.picture.Min.X; x < g.picture.Max.X; x++ {
			if i := y*g.cells.X + x; p[i] >= least && !f.done[i] {
				part, v := f.grow(p, g, image.Pt(x, y), least)
				w.Boxes = insert(w.Boxes, Box{g.pixels(part), v})
			}
		}
	}
	return w
}

// grow floods from a cell to its four neighbours, and returns the part's bounds in
// cells and its highest probability.
func (f *finder) grow(p []float32, g *grid, start image.Point, least float32) (part image.Rectangle, peak float32) {
	f.stack = append(f.stack[:0], start)
	f.done[start.Y*g.cells.X+start.X] = true
	for len(f.stack) > 0 {
		c := f.stack[len(f.stack)-1]
		f.stack = f.stack[:len(f.stack)-1]
		part = part.Union(image.Rectangle{Min: c, Max: c.Add(image.Pt(1, 1))})
		peak = max(peak, p[c.Y*g.cells.X+c.X])
		for _, n := range [4]image.Point{{c.X - 1, c.Y}, {c.X + 1, c.Y}, {c.X, c.Y - 1}, {c.X, c.Y + 1}} {
			if i := n.Y*g.cells.X + n.X; n.In(g.picture) && p[i] >= least && !f.done[i] {
				f.done[i] = true
				f.stack = append(f.stack, n)
			}
		}
	}
	return part, peak
}

// insert keeps boxes sorted, strongest first; of equal ones the one found first stays
// first. What is too much for their capacity, the weakest, falls off.
func insert(boxes []Box, b Box) []Box {
	i := len(boxes)
	for i > 0 && boxes[i-1].P < b.P {
		i--
	}
	if len(boxes) < cap(boxes) {
		boxes = append(boxes, Box{})
	}
	if i < len(boxes) {
		copy(boxes[i+1:], boxes[i:])
		boxes[i] = b
	}
	return boxes
}
