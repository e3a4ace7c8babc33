//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"image"
	"image/color"

	"gocv.io/x/gocv"
)

// Canvas draws on a picture in memory. Close it when the drawing is done.
type Canvas struct {
	v views
	m *gocv.Mat
}

// NewCanvas lays a canvas over h rows of w BGR pixels.
func NewCanvas(w, h int, bgr []byte) (*Canvas, error) {
	c := &Canvas{}
	m, err := c.v.bgr(bgr, w, h, 3*w)
	if err != nil {
		c.v.done()
		return nil, fmt.Errorf("opencv: canvas: %w", err)
	}
	c.m = m
	return c, nil
}

// capital is the height of capital letters of OpenCV's plain font at scale 1, pixels.
const capital = 21

// Text writes a line whose capitals are size pixels high, with its lower left corner
// at x, y. The font has ASCII only; other characters become question marks.
func (c *Canvas) Text(x, y int, size float64, text string, col color.RGBA) {
	gocv.PutTextWithParams(c.m, text, image.Pt(x, y), gocv.FontHersheySimplex, size/capital, col, max(1, int(size/9)), gocv.LineAA, false)
}

// TextWidth is how wide Text writes, in pixels.
func TextWidth(size float64, text string) int {
	return gocv.GetTextSize(text, gocv.FontHersheySimplex, size/capital, max(1, int(size/9))).X
}

// FilledRect fills a rectangle, its right and lower edge left out. What reaches out of
// the picture is cut off. (OpenCV's own rectangle has soft edges.)
func (c *Canvas) FilledRect(r image.Rectangle, col color.RGBA) {
	r = r.Intersect(image.Rect(0, 0, c.m.Cols(), c.m.Rows()))
	if r.Empty() {
		return
	}
	part := c.m.Region(r)
	defer part.Close()
	part.SetTo(gocv.NewScalar(float64(col.B), float64(col.G), float64(col.R), 0))
}

// Rect outlines a rectangle with lines of some pixels, drawn inside it.
func (c *Canvas) Rect(r image.Rectangle, col color.RGBA, thickness int) {
	inner := r.Inset(max(1, thickness))
	c.FilledRect(image.Rect(r.Min.X, r.Min.Y, r.Max.X, inner.Min.Y), col)
	c.FilledRect(image.Rect(r.Min.X, inner.Max.Y, r.Max.X, r.Max.Y), col)
	c.FilledRect(image.Rect(r.Min.X, inner.Min.Y, inner.Min.X, inner.Max.Y), col)
	c.FilledRect(image.Rect(inner.Max.X, inner.Min.Y, r.Max.X, inner.Max.Y), col)
}

// Close lets go of the picture's memory; it may be called twice.
func (c *Canvas) Close() {
	c.v.done()
	c.m = nil // drawing afterwards fails in Go, not in C++
}
