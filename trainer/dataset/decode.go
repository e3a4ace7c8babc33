package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"perceive/camera"
	"perceive/camera/opencv"
)

// decode fills the cache on every core. keep, if not nil, takes each picture's pixels
// away.
func (c *Cache) decode(ctx context.Context, progress func(int), sh shape, bad []error, keep func(i int, p *picture) error) error {
	var done, next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			var fit opencv.Fitter
			defer fit.Close()
			for {
				i := int(next.Add(1) - 1)
				if i >= len(bad) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("decoding: %w", err)
				}
				if c.pix[i], bad[i] = load(&fit, &c.Set.Items[i], sh); bad[i] == nil && keep != nil {
					if err := keep(i, &c.pix[i]); err != nil {
						return err
					}
				}
				if n := done.Add(1); progress != nil {
					progress(int(n))
				}
			}
		})
	}
	return g.Wait()
}

// Decode is the picture itself, h rows of w pixels, BGR.
func (it *Item) Decode() (w, h int, bgr []byte, err error) {
	if it.Pixels != nil {
		return it.Pixels()
	}
	return opencv.DecodeFile(it.Path)
}

func load(fit *opencv.Fitter, it *Item, sh shape) (picture, error) {
	w, h, bgr, err := it.Decode()
	if err != nil {
		return picture{}, err
	}
	p := picture{fw: w, fh: h}
	p.w, p.h, p.scale = sh.size(w, h)
	if p.scale == 1 {
		p.bgr = bgr
		return p, nil
	}
	p.bgr = make([]byte, 3*p.w*p.h)
	fit.How = sh.fit
	if _, err := fit.Fit(p.bgr, p.w, p.h, sh.pad, &camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: bgr}); err != nil {
		return picture{}, fmt.Errorf("%s: %w", it.Name, err)
	}
	return p, nil
}

// errStray reports a picture with a box that is not in it: which of its boxes are right
// nobody knows.
var errStray = errors.New("lies outside the picture")

// strayBoxes takes pictures out whose boxes cannot be theirs.
func (c *Cache) strayBoxes() {
	for i := range c.pix {
		p, it := &c.pix[i], &c.Set.Items[i]
		for n, b := range it.Boxes {
			if p.bgr == nil || b.X < float64(p.fw) && b.Y < float64(p.fh) && b.X+b.W > 0 && b.Y+b.H > 0 {
				continue
			}
			c.Bad = append(c.Bad, fmt.Errorf("%s: box %d of %s, %gx%g at (%g, %g), %w of %d×%d", it.Name, n, c.Set.Labels[b.Label], b.W, b.H, b.X, b.Y, errStray, p.fw, p.fh))
			p.bgr = nil
		}
	}
}

// Flaws are the bad pictures by reason.
func (c *Cache) Flaws() Flaws {
	var f Flaws
	for _, err := range c.Bad {
		reason := badPictures
		switch {
		case errors.Is(err, errStray):
			reason = strayBoxes
		case errors.Is(err, fs.ErrNotExist):
			reason = missingPictures
		}
		f.add(reason, "%v", err)
	}
	return f
}

// Check is an error where the policy refuses bad pictures.
func (c *Cache) Check(p Policy) error {
	f := c.Flaws()
	if err := p.check(&f); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	return nil
}
