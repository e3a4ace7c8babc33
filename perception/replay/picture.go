package replay

import (
	"fmt"
	"image"
	"image/color"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/perception"
)

// widest is how wide a picture is drawn in a comparison, pixels.
const widest = 640

// Picture draws a divergence as a JPEG file: the input, what the golden says of it, and what is
// said now.
func (d *Divergence) Picture(h perception.Header) ([]byte, error) {
	f := d.Frame
	if f == nil {
		f = camera.NewFrame(widest, widest*9/16, nil)
	}
	scale := max(1, (f.Width+widest-1)/widest)
	p := perception.NewPainter(h.Labels, f.Width/scale, f.Height/scale)
	defer p.Close()
	size := p.Size()
	const gap, head = 8, 28
	w, hgt := 3*size.X+2*gap, size.Y+head
	pix := make([]byte, 3*w*hgt)
	c, err := opencv.NewCanvas(w, hgt, pix)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.FilledRect(image.Rect(0, 0, w, hgt), color.RGBA{255, 255, 255, 255})
	empty := perception.Result{Seq: d.Now.Seq, Time: d.Now.Time, Status: perception.OK}
	for i, panel := range []struct {
		title string
		r     *perception.Result
	}{{fmt.Sprintf("input, frame %d", d.Now.Seq), &empty}, {"golden", &d.Golden}, {"this run", &d.Now}} {
		got, err := p.Paint(panel.r, f)
		if err != nil {
			return nil, err
		}
		x := i * (size.X + gap)
		for y := range size.Y {
			copy(pix[3*((y+head)*w+x):], got.Pix[y*got.Stride:][:got.Stride])
		}
		c.Text(x+4, head-9, 12, panel.title, color.RGBA{20, 20, 20, 255})
	}
	return opencv.EncodeJPEG(w, hgt, pix, 90)
}
