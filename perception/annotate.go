package perception

import (
	"context"
	"fmt"
	"image"

	"perceive/camera"
	"perceive/camera/opencv"
)

// Annotator is a sink that writes a video with the answers drawn in: a bar for each
// label, bright when it is on, and around what was seen of it a frame with its name.
type Annotator struct {
	path   string
	head   Header
	fps    float64
	out    *opencv.Writer
	canvas camera.Frame
	blank  int               // frames without a picture before the first with one
	taken  []image.Rectangle // where this frame has text or marks already
}

// usualFPS is the rate of a video whose source does not say its own.
const usualFPS = 25

// NewAnnotator starts a video at path. The file appears when Close has completed it.
func NewAnnotator(path string, h Header) (*Annotator, error) {
	a := &Annotator{path: path, head: h, fps: h.Source.FPS}
	if a.fps <= 0 {
		a.fps = usualFPS
	}
	if h.Source.Width > 1 && h.Source.Height > 1 {
		return a, a.open(h.Source.Width, h.Source.Height)
	}
	return a, nil
}

// open starts the video once its size is known.
func (a *Annotator) open(w, h int) error {
	out, err := opencv.CreateVideo(a.path, w, h, a.fps)
	if err != nil {
		return fmt.Errorf("perception: annotated video: %w", err)
	}
	a.out = out
	a.resize(w, h)
	for ; a.blank > 0; a.blank-- {
		if err := a.out.WriteFrame(&a.canvas); err != nil {
			return fmt.Errorf("perception: annotated video: %w", err)
		}
	}
	return nil
}

// resize makes the canvas w×h and black.
func (a *Annotator) resize(w, h int) {
	if a.canvas.Width != w || a.canvas.Height != h {
		a.canvas = camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: make([]byte, 3*w*h)}
	}
	clear(a.canvas.Pix)
}

// Emit implements Sink.
func (a *Annotator) Emit(_ context.Context, r *Result, f *camera.Frame) error {
	if a.out == nil && f == nil {
		a.blank++
		return nil
	}
	if a.out == nil {
		if err := a.open(f.Width, f.Height); err != nil {
			return err
		}
	}
	if f != nil {
		a.resize(f.Width, f.Height)
		for y := range f.Height {
			copy(a.canvas.Pix[y*a.canvas.Stride:][:3*f.Width], f.Pix[y*f.Stride:])
		}
	} else {
		clear(a.canvas.Pix)
	}
	if err := a.draw(r); err != nil {
		return fmt.Errorf("perception: annotated video: frame %d: %w", r.Seq, err)
	}
	if err := a.out.WriteFrame(&a.canvas); err != nil {
		return fmt.Errorf("perception: annotated video: %w", err)
	}
	return nil
}

// Close completes the video and gives it its name.
func (a *Annotator) Close() error {
	if a.out == nil {
		return fmt.Errorf("perception: annotated video %s: no frame had a picture, so there is no video", a.path)
	}
	if err := a.out.Close(); err != nil {
		return fmt.Errorf("perception: annotated video: %w", err)
	}
	return nil
}
