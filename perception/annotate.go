package perception

import (
	"context"
	"fmt"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
)

// Annotator is a sink that writes a video with the results drawn in: see Painter.
type Annotator struct {
	path  string
	head  Header
	fps   float64
	out   *opencv.Writer
	paint *Painter
	blank []Result // frames without a picture before the first with one
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
	a.paint = NewPainter(a.head.Labels, w, h)
	a.paint.Timeline(a.length())
	size := a.paint.Size()
	var err error
	if a.out, err = opencv.CreateVideo(a.path, size.X, size.Y, a.fps); err != nil {
		return fmt.Errorf("perception: annotated video: %w", err)
	}
	for i := range a.blank {
		if err := a.write(&a.blank[i], nil); err != nil {
			return err
		}
	}
	a.blank = nil
	return nil
}

// length is how long the recording lasts, 0 if nobody knows.
func (a *Annotator) length() time.Duration {
	return time.Duration(float64(a.head.Source.Frames) / a.fps * float64(time.Second))
}

// Emit implements Sink.
func (a *Annotator) Emit(_ context.Context, r *Result, f *camera.Frame) error {
	if a.out == nil && f == nil {
		a.blank = append(a.blank, Result{Seq: r.Seq, Time: r.Time, Status: r.Status, Reason: r.Reason})
		return nil
	}
	if a.out == nil {
		if err := a.open(f.Width, f.Height); err != nil {
			return err
		}
	}
	return a.write(r, f)
}

func (a *Annotator) write(r *Result, f *camera.Frame) error {
	picture, err := a.paint.Paint(r, f)
	if err != nil {
		return fmt.Errorf("perception: annotated video: frame %d: %w", r.Seq, err)
	}
	if err := a.out.WriteFrame(picture); err != nil {
		return fmt.Errorf("perception: annotated video: %w", err)
	}
	return nil
}

// Close completes the video and gives it its name.
func (a *Annotator) Close() error {
	if a.out == nil {
		return fmt.Errorf("perception: annotated video %s: no frame had a picture, so there is no video", a.path)
	}
	a.paint.Close()
	if err := a.out.Close(); err != nil {
		return fmt.Errorf("perception: annotated video: %w", err)
	}
	return nil
}
