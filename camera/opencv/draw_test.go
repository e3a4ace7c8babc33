//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"testing"
)

var ink = color.RGBA{R: 30, G: 60, B: 250, A: 255}

// drawn returns what draw leaves on a w×h grey picture, and the rectangle that changed.
func drawn(t *testing.T, w, h int, draw func(c *Canvas)) (pix []byte, changed image.Rectangle) {
	t.Helper()
	pix = make([]byte, 3*w*h)
	fill(pix, 100)
	c, err := NewCanvas(w, h, pix)
	if err != nil {
		t.Fatal(err)
	}
	draw(c)
	c.Close()
	c.Close()
	for i, v := range pix {
		if v != 100 {
			x, y := i/3%w, i/3/w
			changed = changed.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return pix, changed
}

// Text stays on its line: as wide as TextWidth says, and as high as was asked for.
func TestTextStaysInItsArea(t *testing.T) {
	const w, h, x, y = 640, 120, 20, 80
	for _, size := range []float64{6, 9, 14, 21, 40} {
		for _, text := range []string{"HI", "stop sign 0.97", "gjpqy,;|", "W"} {
			t.Run(fmt.Sprint(size, text), func(t *testing.T) {
				_, changed := drawn(t, w, h, func(c *Canvas) { c.Text(x, y, size, text, ink) })
				edge := 2 + int(size/9) // the stroke's width and its soft border
				area := image.Rect(x-edge, y-int(1.4*size)-edge, x+TextWidth(size, text)+edge, y+int(0.5*size)+edge)
				if changed.Empty() || !changed.In(area) {
					t.Errorf("changed %v, want something in %v", changed, area)
				}
				if text == "HI" {
					if d := float64(y-changed.Min.Y) - size; d < -2 || d > 2+size/9 {
						t.Errorf("capitals are %d pixels high, want %v", y-changed.Min.Y, size)
					}
				}
			})
		}
	}
}

func TestTextOutside(t *testing.T) {
	for _, at := range []image.Point{{-200, 20}, {20, -50}, {700, 20}, {20, 500}, {1 << 20, 1 << 20}} {
		if _, changed := drawn(t, 64, 48, func(c *Canvas) { c.Text(at.X, at.Y, 9, "car", ink) }); !changed.Empty() {
			t.Errorf("text at %v changed %v", at, changed)
		}
	}
	a, _ := drawn(t, 64, 48, func(c *Canvas) { c.Text(5, 20, 9, "a é", ink) })
	b, _ := drawn(t, 64, 48, func(c *Canvas) { c.Text(5, 20, 9, "a ??", ink) })
	if c, _ := drawn(t, 64, 48, func(c *Canvas) { c.Text(5, 20, 9, "a ?", ink) }); !bytes.Equal(a, b) && !bytes.Equal(a, c) {
		t.Error("what the font does not have should be question marks")
	}
}

func TestRectangles(t *testing.T) {
	r := image.Rect(10, 12, 30, 40)
	for _, tc := range []struct {
		name string
		draw func(c *Canvas)
		in   func(x, y int) bool
	}{
		{"filled", func(c *Canvas) { c.FilledRect(r, ink) }, func(x, y int) bool { return image.Pt(x, y).In(r) }},
		{"outline", func(c *Canvas) { c.Rect(r, ink, 3) }, func(x, y int) bool {
			return image.Pt(x, y).In(r) && !image.Pt(x, y).In(r.Inset(3))
		}},
		{"no thickness is one pixel", func(c *Canvas) { c.Rect(r, ink, 0) }, func(x, y int) bool {
			return image.Pt(x, y).In(r) && !image.Pt(x, y).In(r.Inset(1))
		}},
		{"outline thicker than the rectangle", func(c *Canvas) { c.Rect(r, ink, 50) }, func(x, y int) bool { return image.Pt(x, y).In(r) }},
		{"larger than the picture", func(c *Canvas) { c.FilledRect(image.Rect(-9, -9, 99, 99), ink) }, func(x, y int) bool { return true }},
		{"outline around the picture", func(c *Canvas) { c.Rect(image.Rect(-9, -9, 99, 99), ink, 2) }, func(x, y int) bool { return false }},
		{"outside", func(c *Canvas) { c.FilledRect(image.Rect(64, 0, 80, 48), ink) }, func(x, y int) bool { return false }},
		{"empty", func(c *Canvas) { c.Rect(image.Rectangle{}, ink, 2) }, func(x, y int) bool { return false }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pix, _ := drawn(t, 64, 48, tc.draw)
			for y := range 48 {
				for x := range 64 {
					want := []byte{100, 100, 100}
					if tc.in(x, y) {
						want = []byte{ink.B, ink.G, ink.R}
					}
					if got := pix[3*(64*y+x):][:3]; !bytes.Equal(got, want) {
						t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
					}
				}
			}
		})
	}
}

func TestNewCanvasRefuses(t *testing.T) {
	for _, tc := range []struct{ w, h, n int }{{64, 48, 64*48*3 - 1}, {0, 48, 100}, {64, -1, 100}, {64, 48, 0}} {
		if c, err := NewCanvas(tc.w, tc.h, make([]byte, tc.n)); err == nil {
			c.Close()
			t.Errorf("%d×%d in %d bytes: no error", tc.w, tc.h, tc.n)
		}
	}
}

func TestDrawingAllocatesNothing(t *testing.T) {
	c, err := NewCanvas(640, 120, make([]byte, 640*120*3))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, draw := range map[string]func(){
		"text":   func() { c.Text(10, 50, 14, "stop sign 0.97", ink) },
		"filled": func() { c.FilledRect(image.Rect(1, 2, 30, 40), ink) },
		"rect":   func() { c.Rect(image.Rect(1, 2, 30, 40), ink, 2) },
	} {
		if n := testing.AllocsPerRun(100, draw); n > 0 {
			t.Errorf("%s: %v allocations a call", name, n)
		}
	}
}
