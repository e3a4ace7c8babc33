package perception_test

import (
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/perception"
)

var whiteInk = color.RGBA{255, 255, 255, 255}

// grey reads a pixel of a frame.
func grey(f *camera.Frame, x, y int) int { return int(f.Pix[y*f.Stride+3*x]) }

// The video has a frame for every result, also before the first picture; the lower part
// shows the picture itself, the corner the panel.
func TestAnnotatedVideo(t *testing.T) {
	d := detector(t)
	path := filepath.Join(t.TempDir(), "a.mp4")
	src := &frames{n: 25, side: 240, bad: []int{0, 1, 9}, end: io.EOF}
	info := src.Info()
	info.Width, info.Height = 0, 0 // pictures whose size is known when they come
	a, err := perception.NewAnnotator(path, perception.NewHeader(d, info, "test"), d)
	if err != nil {
		t.Fatal(err)
	}
	p := perception.Pipeline{Source: src, Detector: d, Sinks: []perception.Sink{a}}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	video, err := opencv.OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	defer video.Close()
	for i := range src.n {
		f, err := video.Next(t.Context())
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		want := 10 * i
		if slices.Contains(src.bad, i) {
			want = 0
		}
		// H.264 smooths the steps; the black frames show that none is lost.
		if got := grey(f, 4, 235); got < want-25 || got > want+25 {
			t.Errorf("frame %d: grey %d at the bottom, want %d", i, got, want)
		}
		f.Release()
	}
}

func TestAnnotatedVideoNeedsAPicture(t *testing.T) {
	d := detector(t)
	path := filepath.Join(t.TempDir(), "a.mp4")
	src := &frames{n: 3, bad: []int{0, 1, 2}, end: io.EOF}
	info := src.Info()
	info.Width = 0
	a, err := perception.NewAnnotator(path, perception.NewHeader(d, info, "test"), d)
	if err != nil {
		t.Fatal(err)
	}
	p := perception.Pipeline{Source: src, Detector: d, Sinks: []perception.Sink{a}}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v: want one that names the file", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
}

// Drawing happens where it is asked for, and nowhere else.
func TestCanvas(t *testing.T) {
	const w, h = 60, 40
	pix := make([]byte, 3*w*h)
	c, err := opencv.NewCanvas(w, h, pix)
	if err != nil {
		t.Fatal(err)
	}
	c.FilledRect(image.Rect(50, 30, 99, 99), whiteInk) // reaches out of the picture
	c.Rect(image.Rect(2, 2, 12, 12), whiteInk, 1)
	c.Text(20, 20, 9, "I", whiteInk)
	c.Close()
	f := &camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: pix}
	for _, p := range []struct{ x, y, want int }{{55, 35, 255}, {49, 35, 0}, {2, 2, 255}, {11, 11, 255}, {12, 12, 0}, {6, 6, 0}} {
		if got := grey(f, p.x, p.y); got != p.want {
			t.Errorf("pixel %d,%d is %d, want %d", p.x, p.y, got, p.want)
		}
	}
	lit := 0
	for y := 8; y < 24; y++ {
		for x := 18; x < 34; x++ {
			if grey(f, x, y) > 128 {
				lit++
			}
		}
	}
	if lit < 5 || opencv.TextWidth(9, "I") > 14 {
		t.Errorf("%d pixels of the letter, %d wide", lit, opencv.TextWidth(9, "I"))
	}
	if _, err := opencv.NewCanvas(w, h, pix[1:]); err == nil {
		t.Error("too few bytes: no error")
	}
}
