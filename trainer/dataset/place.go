package dataset

import (
	"math"
	"math/rand/v2"
)

// affine maps picture pixels to input pixels: x' = m[0]x+m[1]y+m[2], y' = m[3]x+m[4]y+m[5].
type affine [6]float64

// place draws where a picture of pw×ph lies in an input of w×h.
func (a Augment) place(rng *rand.Rand, pw, ph, w, h int, located bool) affine {
	fit := math.Min(float64(w)/float64(pw), float64(h)/float64(ph))
	zoomIn := or1(a.ZoomIn)
	if !located {
		zoomIn = math.Min(zoomIn, or1(a.ZoomInUnlocated))
	}
	s := fit * math.Exp(uniform(rng, math.Log(or1(a.ZoomOut)), math.Log(zoomIn)))
	aspect := math.Exp(uniform(rng, -a.Aspect, a.Aspect))
	sx, sy := s*aspect, s/aspect
	// The picture slides within the input, or the input within the picture.
	slideX, slideY := uniform(rng, 0, 1), uniform(rng, 0, 1)
	if a.still() {
		slideX, slideY = 0.5, 0.5 // the letterbox
	}
	tx, ty := slideX*(float64(w)-float64(pw)*sx), slideY*(float64(h)-float64(ph)*sy)
	if rng.Float64() < a.Flip {
		return affine{-sx, 0, float64(w) - tx, 0, sy, ty}
	}
	return affine{sx, 0, tx, 0, sy, ty}
}

// still reports that pictures stay where the letterbox puts them.
func (a Augment) still() bool {
	return or1(a.ZoomOut) == 1 && or1(a.ZoomIn) == 1 && a.Aspect == 0
}

func uniform(rng *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }

// moved is the placement, moved by x and y input pixels.
func (m affine) moved(x, y float64) affine {
	m[2] += x
	m[5] += y
	return m
}

// box maps a box; scale is the picture's against the box's own.
func (m affine) box(b Box, scale float64) rect {
	x0, x1 := m[0]*b.X*scale+m[2], m[0]*(b.X+b.W)*scale+m[2]
	y0, y1 := m[4]*b.Y*scale+m[5], m[4]*(b.Y+b.H)*scale+m[5]
	return rect{math.Min(x0, x1), math.Min(y0, y1), math.Max(x0, x1), math.Max(y0, y1)}
}

// rect is a rectangle in input pixels; x1 and y1 are its far edges.
type rect struct{ x0, y0, x1, y1 float64 }

func (r rect) clip(to rect) rect {
	return rect{math.Max(r.x0, to.x0), math.Max(r.y0, to.y0), math.Min(r.x1, to.x1), math.Min(r.y1, to.y1)}
}

func (r rect) empty() bool { return !(r.x1 > r.x0 && r.y1 > r.y0) }

func (r rect) area() float64 {
	if r.empty() {
		return 0
	}
	return (r.x1 - r.x0) * (r.y1 - r.y0)
}

// middle is r with its sides shrunk to a part around its centre.
func (r rect) middle(part float64) rect {
	mx, my := (r.x0+r.x1)/2, (r.y0+r.y1)/2
	rx, ry := (r.x1-r.x0)*part/2, (r.y1-r.y0)*part/2
	return rect{mx - rx, my - ry, mx + rx, my + ry}
}
