package dataset

import (
	"fmt"
	"math/rand/v2"

	"perceive/camera/opencv"
)

// renderer turns layouts into pixels. It belongs to one goroutine and keeps its memory.
type renderer struct {
	warp opencv.Warper
	soft opencv.Softener
	// from is a cached picture in Go's memory: native code is lent no other. part is a
	// picture of a mosaic.
	from, part []byte
}

func (r *renderer) Close() error { return r.warp.Close() }

// render draws a layout into pix, h rows of w pixels: first the pictures and what
// lies over them, then the light and the air, then what the camera does to it.
func (r *renderer) render(rng *rand.Rand, c *Cache, a Augment, lay *layout, pix []byte, w, h int) error {
	for i := range lay.views {
		if err := r.place(c, &lay.views[i], pix, w, h); err != nil {
			return fmt.Errorf("dataset: %s: %w", lay.views[i].it.Name, err)
		}
	}
	cover(rng, pix, w, lay.hidden)
	if !lay.views[0].it.Fixed {
		a.colour(rng, pix)
		a.fog(rng, pix, w, h)
		a.rain(rng, pix, w, h)
	}
	var err error
	switch {
	case lay.blur == 0:
	case lay.motion != 0:
		err = r.soft.Motion(pix, w, h, lay.blur, lay.motion)
	default:
		err = r.soft.Focus(pix, w, h, lay.blur)
	}
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	a.grain(rng, pix, w)
	if a.JPEG > 0 && rng.Float64() < a.JPEG {
		if err := r.soft.JPEG(pix, w, h, int(uniform(rng, a.JPEGMin, 90))); err != nil {
			return fmt.Errorf("dataset: %w", err)
		}
	}
	return nil
}

// place draws one view into its window.
func (r *renderer) place(c *Cache, v *view, pix []byte, w, h int) error {
	p := c.pix[v.item]
	src := p.bgr
	if c.mapped != nil {
		r.from = append(r.from[:0], p.bgr...)
		src = r.from
	}
	win := v.window
	vw, vh := int(win.x1-win.x0), int(win.y1-win.y0)
	if vw == w && vh == h {
		return r.warp.Warp(pix, w, h, src, p.w, p.h, v.m, PadGrey)
	}
	if n := 3 * vw * vh; len(r.part) < n {
		r.part = make([]byte, n)
	}
	part := r.part[:3*vw*vh]
	if err := r.warp.Warp(part, vw, vh, src, p.w, p.h, v.m.moved(-win.x0, -win.y0), PadGrey); err != nil {
		return err
	}
	for y := range vh {
		copy(pix[3*((int(win.y0)+y)*w+int(win.x0)):], part[3*vw*y:3*vw*(y+1)])
	}
	return nil
}
