package perception

import (
	"fmt"
	"image"
	"image/color"

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

// draw draws a result on the canvas.
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
	long := 8 * unit // of a bar
	width := 0
	for _, l := range a.head.Labels {
		width = max(width, opencv.TextWidth(float64(unit), l.Label))
	}
	corner := image.Rect(0, 0, width+long+8*unit, 2*unit*(len(r.Answers)+1)+unit)
	a.taken = append(a.taken[:0], corner)
	c.FilledRect(corner, panel)
	a.bars(c, r, unit, width+2*unit, long)
	a.places(c, r, unit) // over the panel, which would hide what is up there
	return nil
}

// bars draws a line a label: its name and, from x on, its bar.
func (a *Annotator) bars(c *opencv.Canvas, r *Result, unit, x, long int) {
	line := 2 * unit
	c.Text(unit, line, float64(unit)*0.8, fmt.Sprintf("%.2f s  frame %d", r.Time.Seconds(), r.Seq), dim)
	for i, ans := range r.Answers {
		y := line * (i + 2)
		col, ink := palette[i%len(palette)], white
		if ans.State != On {
			col, ink = dim, dim
		}
		c.Text(unit, y, float64(unit), a.head.Labels[i].Label, ink)
		bar := image.Rect(x, y-unit, x+long, y)
		c.FilledRect(image.Rect(x, y-unit, x+int(float32(long)*ans.P), y), col)
		c.Rect(bar, dim, 1)
		at := x + int(float32(long)*a.head.Labels[i].Threshold)
		c.FilledRect(image.Rect(at, y-unit-2, at+2, y+2), white)
		c.Text(x+long+unit, y, float64(unit), fmt.Sprintf("%.2f", ans.P), ink)
	}
}

// places draws where the labels were seen: frames, then the marks of the peaks, then
// the names, so that no frame crosses a name.
func (a *Annotator) places(c *opencv.Canvas, r *Result, unit int) {
	thick := max(2, unit/6)
	for i, ans := range r.Answers {
		for _, b := range ans.Where.Boxes {
			c.Rect(b.Inset(-1), panel, thick+2) // told apart from a bright road, too
			c.Rect(b.Rectangle, palette[i%len(palette)], thick)
		}
	}
	for i, ans := range r.Answers {
		if ans.Where.Known() {
			at := cross(c, ans.Where.Peak.Point, unit/2+1, thick, palette[i%len(palette)])
			a.taken = append(a.taken, at)
		}
	}
	for i, ans := range r.Answers {
		name, col := a.head.Labels[i].Label, palette[i%len(palette)]
		if w := &ans.Where; w.Known() && len(w.Boxes) == 0 {
			around := image.Rectangle{Min: w.Peak.Point, Max: w.Peak.Point}.Inset(-unit)
			a.tag(c, around, unit, fmt.Sprintf("%s %.2f", name, w.Peak.P), col)
		}
		for _, b := range ans.Where.Boxes {
			a.tag(c, b.Rectangle, unit, fmt.Sprintf("%s %.2f", name, b.P), col)
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
func (a *Annotator) tag(c *opencv.Canvas, r image.Rectangle, unit int, text string, col color.RGBA) {
	size := 0.9 * float64(unit)
	w, h := opencv.TextWidth(size, text)+unit, unit+unit/2
	picture := image.Rect(0, 0, a.canvas.Width, a.canvas.Height)
	r = r.Intersect(picture)
	for _, p := range [...]image.Point{
		{r.Min.X, r.Min.Y - h}, {r.Min.X, r.Max.Y}, {r.Max.X - w, r.Min.Y - h}, {r.Max.X - w, r.Max.Y},
		{r.Max.X, r.Min.Y}, {r.Min.X - w, r.Min.Y},
		{r.Min.X, r.Max.Y - h}, {r.Max.X - w, r.Max.Y - h}, {r.Min.X, r.Min.Y}, {r.Max.X - w, r.Min.Y},
	} {
		at := image.Rectangle{Min: p, Max: p.Add(image.Pt(w, h))}
		if at.In(picture) && free(at, a.taken) {
			a.taken = append(a.taken, at)
			c.FilledRect(at, col)
			c.Text(at.Min.X+unit/2, at.Max.Y-(h-int(size))/2, size, text, panel)
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
