package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"math"

	"perceive/camera"
)

// Cache holds a set's pictures decoded and no larger than needed, so that an epoch
// costs no decoding: in a file that is mapped into memory and outlives the program, or
// in memory alone. It is read-only and safe for concurrent use until Close.
type Cache struct {
	Set *Set
	// Bad lists the pictures that are no use, with the reason. They are out of every batch.
	Bad []error
	// File is the cache's file, "" in memory; Bytes the pixels' size. Reused: the file was
	// there and nothing was decoded; else Reason says why not.
	File   string
	Bytes  int64
	Reused bool
	Reason string

	pix    []picture
	fit    camera.Fit // of inputs
	mapped []byte
}

// picture is W×H BGR; its boxes are the item's times scale. The file's own picture has
// fw×fh pixels.
type picture struct {
	w, h, fw, fh int
	scale        float64
	bgr          []byte
}

// CacheOptions say where decoded pictures are kept.
type CacheOptions struct {
	// Dir is the folder of cache files; "" keeps the pictures in memory. Sets whose
	// pictures are neither files nor have a key are kept in memory always.
	Dir string
	// Progress, if not nil, is told how many pictures are done.
	Progress func(done int)
	// Fit, if not nil, is how OpenInputs fits pictures; nil letterboxes with PadGrey.
	Fit *Fit
}

// Fit is how a picture fills an input, and the grey level around it.
type Fit struct {
	How camera.Fit
	Pad uint8
}

// shape is how pictures are kept: its name is part of the cache's.
type shape struct {
	name string
	fit  camera.Fit
	pad  uint8
	size func(w, h int) (int, int, float64)
}

// OpenCache has all pictures decoded and those whose longer side is over side pixels
// shrunk to it: for training, which scales them once more.
func OpenCache(ctx context.Context, set *Set, side int, opts CacheOptions) (*Cache, error) {
	c, err := openCache(ctx, set, opts, shape{name: fmt.Sprintf("side %d", side), pad: PadGrey, size: func(w, h int) (int, int, float64) {
		long := max(w, h)
		if long <= side {
			return w, h, 1
		}
		scale := float64(side) / float64(long)
		return max(1, int(float64(w)*scale+0.5)), max(1, int(float64(h)*scale+0.5)), scale
	}})
	if err != nil {
		return nil, err
	}
	c.strayBoxes()
	return c, nil
}

// NewInputs is OpenInputs in memory.
func NewInputs(ctx context.Context, set *Set, w, h int, progress func(done int)) (*Cache, error) {
	return OpenInputs(ctx, set, w, h, CacheOptions{Progress: progress})
}

// OpenInputs has all pictures fitted into inputs of w×h pixels, byte for byte as on the
// vehicle: for evaluation.
func OpenInputs(ctx context.Context, set *Set, w, h int, opts CacheOptions) (*Cache, error) {
	sh := shape{name: fmt.Sprintf("input %dx%d", w, h), pad: PadGrey, size: func(int, int) (int, int, float64) { return w, h, 0 }}
	if f := opts.Fit; f != nil && *f != (Fit{camera.Letterbox, PadGrey}) {
		sh.fit, sh.pad = f.How, f.Pad
		sh.name += fmt.Sprintf(" %s pad %d", f.How, f.Pad)
	}
	return openCache(ctx, set, opts, sh)
}

// FileSize is the size of picture i's own file; 0, 0 if it could not be decoded.
func (c *Cache) FileSize(i int) (w, h int) { return c.pix[i].fw, c.pix[i].fh }

// Placed is where box b of picture i lies in the input, of a cache that OpenInputs made;
// empty if the picture could not be decoded.
func (c *Cache) Placed(i int, b Box) image.Rectangle {
	p := c.pix[i]
	place, err := c.fit.Place(p.fw, p.fh, p.w, p.h)
	if err != nil {
		return image.Rectangle{}
	}
	x0, y0 := place.ToInput(b.X, b.Y)
	x1, y1 := place.ToInput(b.X+b.W, b.Y+b.H)
	return image.Rect(int(x0), int(y0), int(math.Ceil(x1)), int(math.Ceil(y1)))
}

func openCache(ctx context.Context, set *Set, opts CacheOptions, sh shape) (*Cache, error) {
	c := &Cache{Set: set, pix: make([]picture, len(set.Items)), fit: sh.fit}
	bad := make([]error, len(set.Items))
	var err error
	if stamps, keyed := stampsOf(set); opts.Dir == "" {
		err = c.decode(ctx, opts.Progress, sh, bad, nil)
	} else if !keyed {
		c.Reason = "pictures without files are kept in memory"
		err = c.decode(ctx, opts.Progress, sh, bad, nil)
	} else {
		err = c.openFile(ctx, opts, sh, stamps, bad)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("dataset: %w", err)
	}
	for i, err := range bad {
		if err != nil {
			c.Bad = append(c.Bad, err)
		}
		c.Bytes += int64(len(c.pix[i].bgr))
	}
	if len(c.Bad) == len(set.Items) {
		c.Close()
		return nil, fmt.Errorf("dataset: none of the %d pictures can be read; the first: %w", len(c.Bad), c.Bad[0])
	}
	return c, nil
}

// Fingerprint is the set's, and another one where pictures are out of the batches.
func (c *Cache) Fingerprint() string {
	if len(c.Bad) == 0 {
		return c.Set.Fingerprint()
	}
	sum := sha256.Sum256(fmt.Append(nil, c.Set.Fingerprint(), c.Usable()))
	return hex.EncodeToString(sum[:])
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

// Input copies picture i, of a cache that OpenInputs made, into dst.
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
