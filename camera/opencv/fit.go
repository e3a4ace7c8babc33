//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// interLinearExact is OpenCV's INTER_LINEAR_EXACT: bilinear in fixed point, the
// same bytes on every processor. GoCV has no name for it.
const interLinearExact gocv.InterpolationFlags = 5

// Fitter fits frames into a network's input. The zero value is ready and letterboxes; a
// Fitter belongs to one goroutine and keeps its working memory between frames.
type Fitter struct {
	// How frames are fitted; it may change between frames.
	How camera.Fit

	half  shrinker
	views views
}

// Fit writes the frame into dst, the input's own memory: inH rows of inW BGR
// pixels. The picture goes where How places it, and the rest is filled with pad in
// all three channels.
//
// Shrinking does not alias: the frame is halved by means over 2×2 pixels while
// it is at least twice the size wanted, then scaled bilinearly. An odd last row
// or column is left out of a halving. The bytes depend on the input alone, not
// on the processor or the number of threads.
func (f *Fitter) Fit(dst []byte, inW, inH int, pad uint8, fr *camera.Frame) (camera.Placement, error) {
	p, err := f.How.Place(fr.Width, fr.Height, inW, inH)
	if err != nil {
		return p, fmt.Errorf("opencv: fit: %w", err)
	}
	defer f.views.done()
	src, err := f.views.bgr(fr.Pix, fr.Width, fr.Height, fr.Stride)
	if err != nil {
		return p, fmt.Errorf("opencv: fit frame %d: %w", fr.Seq, err)
	}
	out, err := f.views.bgr(dst, inW, inH, 3*inW)
	if err != nil {
		return p, fmt.Errorf("opencv: fit: input: %w", err)
	}
	padAround(dst, inW, inH, pad, p)
	box := f.views.region(out, image.Rect(p.X, p.Y, p.X+p.Width, p.Y+p.Height))
	if err := f.half.resize(src, box, image.Pt(fr.Width, fr.Height), image.Pt(p.Width, p.Height)); err != nil {
		return p, fmt.Errorf("opencv: fit frame %d: %w", fr.Seq, err)
	}
	return p, nil
}

// Close frees the working memory. It may be called twice; a later Fit takes
// memory anew.
func (f *Fitter) Close() error { return f.half.Close() }

// padAround fills what p leaves free in a w×h BGR picture.
func padAround(dst []byte, w, h int, pad uint8, p camera.Placement) {
	fill(dst[:3*w*p.Y], pad)
	fill(dst[3*w*(p.Y+p.Height):3*w*h], pad)
	if p.Width == w {
		return
	}
	for y := p.Y; y < p.Y+p.Height; y++ {
		row := dst[3*w*y : 3*w*(y+1)]
		fill(row[:3*p.X], pad)
		fill(row[3*(p.X+p.Width):], pad)
	}
}

// fill sets all bytes of b; copying what is set already is as fast as memset.
func fill(b []byte, v uint8) {
	if len(b) == 0 {
		return
	}
	b[0] = v
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}
