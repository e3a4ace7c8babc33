package dataset

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"perceive/camera"
	"perceive/camera/opencv"
)

// Cache holds a set's pictures decoded and no larger than needed, so that an epoch
// costs no decoding. It is read-only and safe for concurrent use.
type Cache struct {
	Set *Set
	pix []picture
	// Bad lists the pictures that could not be decoded, with the reason. They are
	// out of every batch.
	Bad []error
}

// picture is W×H BGR; its boxes are the item's times scale.
type picture struct {
	w, h  int
	scale float64
	bgr   []byte
}

// NewCache decodes all pictures on every core and shrinks those whose longer side
// is over side pixels to it. progress, if not nil, is told the number done.
func NewCache(ctx context.Context, set *Set, side int, progress func(done int)) (*Cache, error) {
	c := &Cache{Set: set, pix: make([]picture, len(set.Items))}
	bad := make([]error, len(set.Items))
	var done, next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			var fit opencv.Fitter
			defer fit.Close()
			for {
				i := int(next.Add(1) - 1)
				if i >= len(set.Items) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				c.pix[i], bad[i] = load(&fit, &set.Items[i], side)
				if n := done.Add(1); progress != nil {
					progress(int(n))
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("dataset: decoding: %w", err)
	}
	for _, err := range bad {
		if err != nil {
			c.Bad = append(c.Bad, err)
		}
	}
	if len(c.Bad) == len(set.Items) {
		return nil, fmt.Errorf("dataset: none of the %d pictures can be read; the first: %w", len(c.Bad), c.Bad[0])
	}
	return c, nil
}

func load(fit *opencv.Fitter, it *Item, side int) (picture, error) {
	var w, h int
	var bgr []byte
	var err error
	if it.Pixels != nil {
		w, h, bgr, err = it.Pixels()
	} else {
		w, h, bgr, err = opencv.DecodeFile(it.Path)
	}
	if err != nil {
		return picture{}, err
	}
	p := picture{w: w, h: h, scale: 1, bgr: bgr}
	if long := max(w, h); long > side {
		p.scale = float64(side) / float64(long)
		p.w, p.h = max(1, int(float64(w)*p.scale+0.5)), max(1, int(float64(h)*p.scale+0.5))
		p.bgr = make([]byte, 3*p.w*p.h)
		frame := camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: bgr}
		if _, err := fit.Fit(p.bgr, p.w, p.h, PadGrey, &frame); err != nil {
			return picture{}, fmt.Errorf("%s: %w", it.Name, err)
		}
	}
	return p, nil
}

// Usable are the indices of the pictures that were decoded.
func (c *Cache) Usable() []int {
	var out []int
	for i, p := range c.pix {
		if p.bgr != nil {
			out = append(out, i)
		}
	}
	return out
}

// Letterbox draws picture i into dst, h rows of w BGR pixels, as the vehicle does.
func (c *Cache) Letterbox(fit *opencv.Fitter, dst []byte, w, h, i int) error {
	p := c.pix[i]
	if p.bgr == nil {
		return errors.New("dataset: the picture could not be decoded")
	}
	_, err := fit.Fit(dst, w, h, PadGrey, &camera.Frame{Width: p.w, Height: p.h, Stride: 3 * p.w, Pix: p.bgr})
	return err
}

// PadGrey surrounds a picture that does not fill the input, 0 to 255: the level that
// the networks turn into zero.
const PadGrey = 114
