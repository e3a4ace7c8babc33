package perception

import "image"

// regions finds the connected parts of a map that stand out. It keeps its memory.
type regions struct {
	seen  []bool
	stack []int
	found []image.Rectangle
}

const (
	// standOut is the least probability of a cell that is shown, and shareOfPeak its
	// least share of the map's highest one.
	standOut    = 0.25
	shareOfPeak = 0.5
)

// find returns the bounding boxes, in cells, of the parts of a map (rows of width
// cells) that stand out. The slice is valid until the next call.
func (g *regions) find(p []float32, width int) []image.Rectangle {
	g.found, g.seen = g.found[:0], append(g.seen[:0], make([]bool, len(p))...)
	var peak float32
	for _, v := range p {
		peak = max(peak, v)
	}
	least := max(standOut, shareOfPeak*peak)
	for i, v := range p {
		if v >= least && !g.seen[i] {
			g.found = append(g.found, g.grow(p, width, i, least))
		}
	}
	return g.found
}

// grow floods from a cell to its four neighbours.
func (g *regions) grow(p []float32, width, start int, least float32) image.Rectangle {
	box := image.Rectangle{}
	g.stack, g.seen[start] = append(g.stack[:0], start), true
	for len(g.stack) > 0 {
		i := g.stack[len(g.stack)-1]
		g.stack = g.stack[:len(g.stack)-1]
		x, y := i%width, i/width
		box = box.Union(image.Rect(x, y, x+1, y+1))
		for _, n := range [4]struct {
			j  int
			ok bool
		}{{i - 1, x > 0}, {i + 1, x < width-1}, {i - width, y > 0}, {i + width, i+width < len(p)}} {
			if n.ok && !g.seen[n.j] && p[n.j] >= least {
				g.seen[n.j] = true
				g.stack = append(g.stack, n.j)
			}
		}
	}
	return box
}
