package perception

import (
	"context"
	"fmt"
	"image"
	"image/color"

	"perceive/camera"
	"perceive/camera/opencv"
)

// Annotator is a sink that writes a video with the answers drawn in: a bar for each
// label, bright when it is on, and frames around the cells that its map points at.
type Annotator struct {
	path   string
	head   Header
	fps    float64
	in     [2]int // the network's input
	out    *opencv.Writer
	canvas camera.Frame
	blank  int // frames without a picture before the first with one
	region regions
}

// usualFPS is the rate of a video whose source does not say its own.
const usualFPS = 25

// NewAnnotator starts a video at path. The file appears when Close has completed it.
func NewAnnotator(path string, h Header, d *Detector) (*Annotator, error) {
	in := d.Manifest().Input
	a := &Annotator{path: path, head: h, fps: h.Source.FPS, in: [2]int{in.Width, in.Height}}
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

var (
	white = color.RGBA{255, 255, 255, 255}
	dim   = color.RGBA{150, 150, 150, 255}
	panel = color.RGBA{24, 24, 24, 255}
	alarm = color.RGBA{255, 80, 60, 255}
	// palette has colours that are told apart on a road and by colour-blind people (Okabe
	// and Ito 2008), one a label, round and round.
	palette = []color.RGBA{{230, 159, 0, 255}, {86, 180, 233, 255}, {240, 228, 66, 255}, {0, 200, 140, 255},
		{204, 121, 167, 255}, {213, 94, 0, 255}}
)

func (a *Annotator) draw(r *Result) error {
	c, err := opencv.NewCanvas(a.canvas.Width, a.canvas.Height, a.canvas.Pix)
	if err != nil {
		return err
	}
	defer c.Close()
	unit := max(8, a.canvas.Height/45) // height of capitals: readable at any size
	if r.Status != OK {
		c.FilledRect(image.Rect(0, 0, a.canvas.Width, 3*unit), panel)
		c.Text(unit, 2*unit, float64(unit), fmt.Sprintf("frame %d  %s: %s", r.Seq, r.Status, r.Reason), alarm)
		return nil
	}
	a.places(c, r)
	a.bars(c, r, unit)
	return nil
}

// bars draws the panel of labels in the upper left corner.
func (a *Annotator) bars(c *opencv.Canvas, r *Result, unit int) {
	width := 0
	for _, l := range a.head.Labels {
		width = max(width, opencv.TextWidth(float64(unit), l.Label))
	}
	line, long := 2*unit, 8*unit
	c.FilledRect(image.Rect(0, 0, width+long+8*unit, line*(len(r.Answers)+1)+unit), panel)
	c.Text(unit, line, float64(unit)*0.8, fmt.Sprintf("%.2f s  frame %d", r.Time.Seconds(), r.Seq), dim)
	for i, ans := range r.Answers {
		y := line * (i + 2)
		col, ink := palette[i%len(palette)], white
		if !ans.On {
			col, ink = dim, dim
		}
		c.Text(unit, y, float64(unit), a.head.Labels[i].Label, ink)
		x := width + 2*unit
		bar := image.Rect(x, y-unit, x+long, y)
		c.FilledRect(image.Rect(x, y-unit, x+int(float32(long)*ans.P), y), col)
		c.Rect(bar, dim, 1)
		at := x + int(float32(long)*a.head.Labels[i].Threshold)
		c.FilledRect(image.Rect(at, y-unit-2, at+2, y+2), white)
		c.Text(x+long+unit, y, float64(unit), fmt.Sprintf("%.2f", ans.P), ink)
	}
}

// places frames where the maps of the labels that are on point at.
func (a *Annotator) places(c *opencv.Canvas, r *Result) {
	p, err := camera.Place(a.canvas.Width, a.canvas.Height, a.in[0], a.in[1])
	if err != nil || len(r.Maps.P) == 0 {
		return
	}
	cellW, cellH := float64(a.in[0])/float64(r.Maps.Width), float64(a.in[1])/float64(r.Maps.Height)
	for i, ans := range r.Answers {
		if !ans.On {
			continue
		}
		size := r.Maps.Width * r.Maps.Height
		for _, cells := range a.region.find(r.Maps.P[i*size:][:size], r.Maps.Width) {
			x0, y0 := p.ToFrame(float64(cells.Min.X)*cellW, float64(cells.Min.Y)*cellH)
			x1, y1 := p.ToFrame(float64(cells.Max.X)*cellW, float64(cells.Max.Y)*cellH)
			box := image.Rect(int(x0), int(y0), int(x1), int(y1)).Intersect(image.Rect(0, 0, a.canvas.Width, a.canvas.Height))
			c.Rect(box, palette[i%len(palette)], max(2, a.canvas.Height/300))
		}
	}
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
