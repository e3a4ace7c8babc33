package perception

import (
	"fmt"
	"image"
	"image/color"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
)

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

const (
	// readable is the width in pixels below which a picture is enlarged, by most at most: texts
	// have no room in it.
	readable = 560
	most     = 8
	// smallest is the height of capitals that can be read in a video, pixels.
	smallest = 9
)

// Painter draws results on pictures: around what was seen of a label a frame with its name, in a
// corner number, time and latency of the frame, and under the picture a row for each label with
// its probability, as a bar or over time. It belongs to one goroutine.
type Painter struct {
	labels  []HeaderLabel
	picture image.Point // size in the canvas
	unit    int         // height of capitals
	column  int         // where a row's bar begins
	canvas  camera.Frame
	fitter  opencv.Fitter
	time    *timeline
	taken   []image.Rectangle // where there is text or a mark already
}

// NewPainter makes a painter for pictures of w×h pixels. Others are fitted in.
func NewPainter(labels []HeaderLabel, w, h int) *Painter {
	k := min(max(1, (readable+w-1)/w), most)
	p := &Painter{labels: labels, picture: image.Pt(w*k, h*k)}
	p.unit = max(smallest, min(h*k/45, w*k/64))
	for _, l := range labels {
		p.column = max(p.column, opencv.TextWidth(float64(p.unit), l.Label))
	}
	p.column += 2*p.unit + opencv.TextWidth(float64(p.unit), "0.00") + p.unit
	height := h*k + p.rows()
	p.canvas = camera.Frame{Width: w * k, Height: height, Stride: 3 * w * k, Pix: make([]byte, 3*w*k*height)}
	return p
}

// Timeline draws each label over time instead of bars: over the whole recording if it is known to
// be short, else over the last seconds.
func (p *Painter) Timeline(length time.Duration) {
	if w := p.chart(0).Dx(); w > 1 {
		p.time = newTimeline(len(p.labels), w, length)
	}
}

// rows is the height of what is under the picture: even, as videos want it with their own.
func (p *Painter) rows() int {
	h := 2*p.unit*len(p.labels) + p.unit/2
	return h + (p.picture.Y+h)%2
}

// Size is that of the painted pictures.
func (p *Painter) Size() image.Point { return image.Pt(p.canvas.Width, p.canvas.Height) }

// Close frees what is not Go's memory.
func (p *Painter) Close() { p.fitter.Close() }

// Paint draws a result on its picture, black if f is nil. What it returns is valid until it is
// called again.
func (p *Painter) Paint(r *Result, f *camera.Frame) (*camera.Frame, error) {
	clear(p.canvas.Pix)
	place := camera.Placement{}
	if f != nil {
		var err error
		if place, err = p.fitter.Fit(p.canvas.Pix[:3*p.picture.X*p.picture.Y], p.picture.X, p.picture.Y, 0, f); err != nil {
			return nil, err
		}
	}
	c, err := opencv.NewCanvas(p.canvas.Width, p.canvas.Height, p.canvas.Pix)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	p.taken = p.taken[:0]
	p.corner(c, r)
	if r.Status == OK && f != nil {
		p.places(c, r, place, image.Pt(f.Width, f.Height))
	}
	p.under(c, r)
	return &p.canvas, nil
}

// corner says which frame this is, and what is the matter with it.
func (p *Painter) corner(c *opencv.Canvas, r *Result) {
	text := fmt.Sprintf("frame %d  %.2f s", r.Seq, r.Time.Seconds())
	if took := r.Took.Guard + r.Took.Fit + r.Took.Infer; r.Took.Infer > 0 {
		text += fmt.Sprintf("  %.1f ms", float64(took.Microseconds())/1000)
	}
	p.line(c, 0, text, white)
	if r.Status != OK {
		p.line(c, 1, fmt.Sprintf("%s: %s", r.Status, r.Reason), alarm)
	}
}

// line writes a line from the top.
func (p *Painter) line(c *opencv.Canvas, n int, text string, ink color.RGBA) {
	h := 2 * p.unit
	for len(text) > 4 && opencv.TextWidth(float64(p.unit), text) > p.picture.X-p.unit {
		text = text[:len(text)-4] + "..."
	}
	at := image.Rect(0, n*h, opencv.TextWidth(float64(p.unit), text)+p.unit, (n+1)*h).Intersect(image.Rectangle{Max: p.picture})
	p.taken = append(p.taken, at)
	c.FilledRect(at, panel)
	c.Text(p.unit/2, n*h+h-p.unit/2, float64(p.unit), text, ink)
}

// chart is where a label's bar or timeline is.
func (p *Painter) chart(label int) image.Rectangle {
	top := p.picture.Y + p.unit/2 + 2*p.unit*label
	return image.Rect(p.column, top, p.picture.X-p.unit/2, top+2*p.unit-max(2, p.unit/4))
}

// under draws the rows of the labels.
func (p *Painter) under(c *opencv.Canvas, r *Result) {
	c.FilledRect(image.Rect(0, p.picture.Y, p.canvas.Width, p.canvas.Height), panel)
	if p.time != nil {
		p.time.add(r)
	}
	number := p.column - p.unit - opencv.TextWidth(float64(p.unit), "0.00")
	for i, l := range p.labels {
		row, col := p.chart(i), palette[i%len(palette)]
		base := row.Max.Y - (row.Dy()-p.unit)/2
		known := r.Status == OK && i < len(r.Answers)
		ink := dim
		if known && r.Answers[i].State == On {
			ink = col
		}
		c.Text(p.unit/2, base, float64(p.unit), l.Label, ink)
		if known {
			c.Text(number, base, float64(p.unit), fmt.Sprintf("%.2f", r.Answers[i].P), ink)
		}
		switch {
		case p.time != nil:
			p.time.draw(&p.canvas, i, row, l.Threshold, col)
		case known && row.Dx() > 0:
			bar := row
			bar.Max.X = row.Min.X + int(float32(row.Dx())*r.Answers[i].P)
			c.FilledRect(bar, ink)
			c.Rect(row, dim, 1)
			at := row.Min.X + int(float32(row.Dx())*l.Threshold)
			c.FilledRect(image.Rect(at, row.Min.Y, at+2, row.Max.Y), white)
		}
	}
}

// places draws where the labels were seen in a frame of a size that was placed in the picture:
// frames, then the marks of the peaks, then the names, so that no frame crosses a name.
func (p *Painter) places(c *opencv.Canvas, r *Result, place camera.Placement, size image.Point) {
	thick := max(2, p.unit/6)
	point := func(at image.Point) image.Point {
		return image.Pt(place.X+at.X*place.Width/size.X, place.Y+at.Y*place.Height/size.Y)
	}
	rect := func(b image.Rectangle) image.Rectangle { return image.Rectangle{Min: point(b.Min), Max: point(b.Max)} }
	for i, ans := range r.Answers {
		for _, b := range ans.Where.Boxes {
			c.Rect(rect(b.Rectangle).Inset(-1), panel, thick+2) // told apart from a bright road, too
			c.Rect(rect(b.Rectangle), palette[i%len(palette)], thick)
		}
	}
	for i, ans := range r.Answers {
		if ans.Where.Known() {
			at := cross(c, point(ans.Where.Peak.Point), p.unit/2+1, thick, palette[i%len(palette)])
			p.taken = append(p.taken, at)
		}
	}
	for i, ans := range r.Answers {
		name, col := p.labels[i].Label, palette[i%len(palette)]
		if w := &ans.Where; w.Known() && len(w.Boxes) == 0 {
			at := point(w.Peak.Point)
			p.tag(c, image.Rectangle{Min: at, Max: at}.Inset(-p.unit), fmt.Sprintf("%s %.2f", name, w.Peak.P), col)
		}
		for _, b := range ans.Where.Boxes {
			p.tag(c, rect(b.Rectangle), fmt.Sprintf("%s %.2f", name, b.P), col)
		}
	}
}

// cross marks a pixel, and returns what it covers.
func cross(c *opencv.Canvas, at image.Point, arm, thick int, col color.RGBA) image.Rectangle {
	dot := image.Rectangle{Min: at, Max: at}.Inset(-(thick + 1) / 2)
	wide, high := dot, dot
	wide.Min.X, wide.Max.X = dot.Min.X-arm, dot.Max.X+arm
	high.Min.Y, high.Max.Y = dot.Min.Y-arm, dot.Max.Y+arm
	c.FilledRect(wide.Inset(-1), panel)
	c.FilledRect(high.Inset(-1), panel)
	c.FilledRect(wide, col)
	c.FilledRect(high, col)
	return wide.Union(high).Inset(-1)
}

// tag writes a text beside a rectangle, or else inside it, where it covers no other
// text and no mark. If there is no such place it is left out: the colour says it, too.
func (p *Painter) tag(c *opencv.Canvas, r image.Rectangle, text string, col color.RGBA) {
	size := 0.9 * float64(p.unit)
	w, h := opencv.TextWidth(size, text)+p.unit, p.unit+p.unit/2
	picture := image.Rectangle{Max: p.picture}
	r = r.Intersect(picture)
	for _, from := range [...]image.Point{
		{r.Min.X, r.Min.Y - h}, {r.Min.X, r.Max.Y}, {r.Max.X - w, r.Min.Y - h}, {r.Max.X - w, r.Max.Y},
		{r.Max.X, r.Min.Y}, {r.Min.X - w, r.Min.Y},
		{r.Min.X, r.Max.Y - h}, {r.Max.X - w, r.Max.Y - h}, {r.Min.X, r.Min.Y}, {r.Max.X - w, r.Min.Y},
	} {
		at := image.Rectangle{Min: from, Max: from.Add(image.Pt(w, h))}
		if at.In(picture) && free(at, p.taken) {
			p.taken = append(p.taken, at)
			c.FilledRect(at, col)
			c.Text(at.Min.X+p.unit/2, at.Max.Y-(h-int(size))/2, size, text, panel)
			return
		}
	}
}

// free is whether a rectangle overlaps none of others.
func free(r image.Rectangle, others []image.Rectangle) bool {
	for _, o := range others {
		if r.Overlaps(o) {
			return false
		}
	}
	return true
}
