package dataset

import (
	"context"
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
// is over side pixels to it: for training, which scales them once more. progress, if
// not nil, is told the number done.
func NewCache(ctx context.Context, set *Set, side int, progress func(done int)) (*Cache, error) {
	return newCache(ctx, set, progress, func(fit *opencv.Fitter, w, h int, bgr []byte) (picture, error) {
		p := picture{w: w, h: h, scale: 1, bgr: bgr}
		long := max(w, h)
		if long <= side {
			return p, nil
		}
		p.scale = float64(side) / float64(long)
		p.w, p.h = max(1, int(float64(w)*p.scale+0.5)), max(1, int(float64(h)*p.scale+0.5))
		p.bgr = make([]byte, 3*p.w*p.h)
		return p, fitInto(fit, p, w, h, bgr)
	})
}

// NewInputs decodes all pictures and letterboxes them into inputs of w×h pixels, once,
// byte for byte as on the vehicle: for evaluation.
func NewInputs(ctx context.Context, set *Set, w, h int, progress func(done int)) (*Cache, error) {
	return newCache(ctx, set, progress, func(fit *opencv.Fitter, pw, ph int, bgr []byte) (picture, error) {
		p := picture{w: w, h: h, bgr: make([]byte, 3*w*h)}
		return p, fitInto(fit, p, pw, ph, bgr)
	})
}

// fitInto letterboxes w×h pixels into p.
func fitInto(fit *opencv.Fitter, p picture, w, h int, bgr []byte) error {
	_, err := fit.Fit(p.bgr, p.w, p.h, PadGrey, &camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: bgr})
	return err
}

func newCache(ctx context.Context, set *Set, progress func(done int), shape func(fit *opencv.Fitter, w, h int, bgr []byte) (picture, error)) (*Cache, error) {
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
				c.pix[i], bad[i] = load(&fit, &set.Items[i], shape)
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

func load(fit *opencv.Fitter, it *Item, shape func(fit *opencv.Fitter, w, h int, bgr []byte) (picture, error)) (picture, error) {
	read := it.Pixels
	if read == nil {
		read = func() (int, int, []byte, error) { return opencv.DecodeFile(it.Path) }
	}
	w, h, bgr, err := read()
	if err != nil {
		return picture{}, err
	}
	p, err := shape(fit, w, h, bgr)
	if err != nil {
		return picture{}, fmt.Errorf("%s: %w", it.Name, err)
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

// Input copies picture i, of a cache that NewInputs made, into dst.
func (c *Cache) Input(dst []byte, i int) error {
	p := c.pix[i]
	if len(p.bgr) != len(dst) {
		return fmt.Errorf("dataset: %s: %d bytes for an input of %d: the picture could not be decoded, or the cache is of another size", c.Set.Items[i].Name, len(p.bgr), len(dst))
	}
	copy(dst, p.bgr)
	return nil
}

// PadGrey surrounds a picture that does not fill the input, 0 to 255: the level that
// the networks turn into zero.
const PadGrey = 114

// mapped reports whether the pictures lie in memory that is not Go's.
func (c *Cache) mapped() bool { return false }
