package dataset

import (
	"math/rand/v2"
)

// view is one picture in one place of the input.
type view struct {
	item  int // in the set
	it    *Item
	m     affine  // cached picture's pixels to input pixels
	scale float64 // of the cached picture against the boxes
	// window is the part of the input that shows this picture, in whole cells.
	window rect
}

// layout is what one picture of a batch is made of, and everything that decides what is
// still to be seen in it. It is drawn before a pixel is touched.
type layout struct {
	views []view
	// hidden are the rectangles that lie over the picture.
	hidden []rect
	// blur is the standard deviation of a blur, in input pixels; motion, if not zero, its
	// direction instead of all directions.
	blur   float64
	motion float64
}

// drawer is what a layout is drawn from.
type drawer struct {
	augment Augment
	w, h    int
	cache   *Cache
	// pick draws a picture.
	pick func(rng *rand.Rand) int
}

// draw replaces l.
func (d *drawer) draw(rng *rand.Rand, l *layout) {
	*l = layout{views: l.views[:0], hidden: l.hidden[:0]}
	a, whole := d.augment, rect{0, 0, float64(d.w), float64(d.h)}
	first := d.pick(rng)
	fixed := d.cache.Set.Items[first].Fixed
	if !fixed && a.Mosaic > 0 && rng.Float64() < a.Mosaic && d.w >= 4*Stride && d.h >= 4*Stride {
		d.mosaic(rng, l, first)
	} else {
		l.views = append(l.views, d.view(rng, first, whole))
	}
	located := !fixed
	for _, v := range l.views {
		located = located && v.it.fullyLocated()
	}
	if a.Occlude > 0 && rng.Float64() < a.Occlude && located {
		for range 1 + rng.IntN(3) {
			bw, bh := uniform(rng, 0.02, a.OccludeMax)*whole.x1, uniform(rng, 0.02, a.OccludeMax)*whole.y1
			x, y := uniform(rng, 0, whole.x1-bw), uniform(rng, 0, whole.y1-bh)
			// Whole pixels, so that what is painted is what is reckoned with.
			l.hidden = append(l.hidden, rect{float64(int(x)), float64(int(y)), float64(int(x+bw) + 1), float64(int(y+bh) + 1)}.clip(whole))
		}
	}
	if a.Blur > 0 && rng.Float64() < a.Blur {
		l.blur = uniform(rng, 0.3*a.BlurMax, a.BlurMax)
		if rng.IntN(2) == 0 {
			l.motion = uniform(rng, 1e-3, 3.14)
		}
	}
}

// cut draws where a mosaic divides n pixels: between 35 and 65 %, on a cell's edge.
func cut(rng *rand.Rand, n int) int {
	return max(1, min(n/Stride-1, int(uniform(rng, 0.35, 0.65)*float64(n)/Stride+0.5))) * Stride
}

// mosaic puts four pictures around a cross that lies between cells, so that each cell
// belongs to one picture. A picture that must not be moved is no part of one: the first
// has the input to itself then.
func (d *drawer) mosaic(rng *rand.Rand, l *layout, first int) {
	w, h := float64(d.w), float64(d.h)
	x, y := float64(cut(rng, d.w)), float64(cut(rng, d.h))
	for i, win := range [4]rect{{0, 0, x, y}, {x, 0, w, y}, {0, y, x, h}, {x, y, w, h}} {
		item := first
		if i > 0 {
			item = d.pick(rng)
		}
		if d.cache.Set.Items[item].Fixed {
			l.views = append(l.views[:0], d.view(rng, first, rect{0, 0, w, h}))
			return
		}
		l.views = append(l.views, d.view(rng, item, win))
	}
}

func (d *drawer) view(rng *rand.Rand, item int, win rect) view {
	v := view{item: item, it: &d.cache.Set.Items[item], scale: d.cache.pix[item].scale, window: win}
	p, a := d.cache.pix[item], d.augment
	if v.it.Fixed {
		a = Augment{}
	}
	v.m = a.place(rng, p.w, p.h, int(win.x1-win.x0), int(win.y1-win.y0), v.it.fullyLocated()).moved(win.x0, win.y0)
	return v
}

// fullyLocated reports whether the picture says where everything is that it is known to hold.
func (it *Item) fullyLocated() bool {
	for l, s := range it.Labels {
		if s == Positive && !it.Located(l) {
			return false
		}
	}
	return true
}
