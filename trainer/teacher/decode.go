package teacher

import (
	"cmp"
	"image"
	"math"
	"slices"
)

const (
	// classes of COCO.
	classes = 80
	// least is the probability from which an object is kept. What is less likely still
	// teaches: by its absence.
	least = 0.05
	// overlap is the intersection over union from which two boxes are one object.
	overlap = 0.5
	// padGrey surrounds a picture, as YOLOX's authors feed it.
	padGrey = 114
)

var strides = []int{8, 16, 32}

// anchors is the number of cells at all strides.
func anchors(side int) int {
	n := 0
	for _, s := range strides {
		n += (side / s) * (side / s)
	}
	return n
}

// decode reads the output: a row a cell, x, y, w, h, objectness and a probability a class,
// where the centre is (x + column)·stride and the size e^w·stride. A box's probability is
// objectness times class.
func decode(out []float32, side int) []Seen {
	var seen []Seen
	row := 0
	for _, stride := range strides {
		n := side / stride
		for cell := range n * n {
			v := out[(row+cell)*(5+classes):][:5+classes]
			for class, p := range v[5:] {
				if p *= v[4]; p < least {
					continue
				}
				s := float64(stride)
				w, h := math.Exp(float64(v[2]))*s, math.Exp(float64(v[3]))*s
				x, y := (float64(v[0])+float64(cell%n))*s, (float64(v[1])+float64(cell/n))*s
				seen = append(seen, Seen{class, x - w/2, y - h/2, w, h, float64(p)})
			}
		}
		row += n * n
	}
	return seen
}

// inside clips boxes to a view, and leaves out those that it cuts: another view has them
// whole.
func inside(seen []Seen, r image.Rectangle, w int) []Seen {
	const edge = 2 // pixels
	x0, y0, x1, y1 := float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)
	var out []Seen
	for _, s := range seen {
		if (r.Min.X > 0 && s.X < x0+edge) || (r.Max.X < w && s.X+s.W > x1-edge) {
			continue
		}
		right, bottom := math.Min(s.X+s.W, x1), math.Min(s.Y+s.H, y1)
		s.X, s.Y = math.Max(s.X, x0), math.Max(s.Y, y0)
		if s.W, s.H = right-s.X, bottom-s.Y; s.W > 0 && s.H > 0 {
			out = append(out, s)
		}
	}
	return out
}

// suppress keeps the likeliest of boxes of a class that overlap.
func suppress(seen []Seen) []Seen {
	slices.SortStableFunc(seen, func(a, b Seen) int { return cmp.Compare(b.P, a.P) })
	var kept []Seen
	for _, s := range seen {
		if !slices.ContainsFunc(kept, func(k Seen) bool { return k.Class == s.Class && iou(k, s) > overlap }) {
			kept = append(kept, s)
		}
	}
	return kept
}

// iou is the intersection over union.
func iou(a, b Seen) float64 {
	w := math.Min(a.X+a.W, b.X+b.W) - math.Max(a.X, b.X)
	h := math.Min(a.Y+a.H, b.Y+b.H) - math.Max(a.Y, b.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (a.W*a.H + b.W*b.H - w*h)
}
