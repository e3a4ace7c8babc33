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

// The video has a frame for every result, also before the first picture; the middle
// shows the picture itself, the corner the panel.
func TestAnnotatedVideo(t *testing.T) {
	d := detector(t)
	path := filepath.Join(t.TempDir(), "a.mp4")
	src := &frames{n: 25, side: 240, bad: []int{0, 1, 9}, end: io.EOF}
	info := src.Info()
	info.Width, info.Height = 0, 0 // pictures whose size is known when they come
	a, err := perception.NewAnnotator(path, perception.NewHeader(d, info, "test"))
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
		if got := grey(f, 120, 150); got < want-25 || got > want+25 {
			t.Errorf("frame %d: grey %d in the middle, want %d", i, got, want)
		}
		f.Release()
	}
}

// What was seen has a frame and a name in its label's colour, the picture inside stays,
// and the peak has its mark; of a label that stands out nowhere there is the mark alone.
func TestAnnotatedVideoShowsWhere(t *testing.T) {
	const w, h, n = 640, 360, 5
	path := filepath.Join(t.TempDir(), "a.mp4")
	head := perception.Header{Source: camera.Info{FPS: 25, Width: w, Height: h},
		Labels: []perception.HeaderLabel{{Label: "car", Threshold: 0.5}, {Label: "sign", Threshold: 0.5}}}
	a, err := perception.NewAnnotator(path, head)
	if err != nil {
		t.Fatal(err)
	}
	box := image.Rect(300, 160, 460, 260)
	r := perception.Result{Status: perception.OK, Answers: []perception.Answer{
		{P: 0.9, State: perception.On, Where: perception.Where{Peak: perception.Peak{Point: image.Pt(340, 200), P: 0.8}, Boxes: []perception.Box{{Rectangle: box, P: 0.8}}}},
		{P: 0.6, State: perception.On, Where: perception.Where{Peak: perception.Peak{Point: image.Pt(560, 300), P: 0.2}}},
	}}
	f := camera.NewFrame(w, h, nil)
	for i := range f.Pix {
		f.Pix[i] = 100
	}
	for range n {
		if err := a.Emit(t.Context(), &r, f); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	video, err := opencv.OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	defer video.Close()
	got, err := video.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	car, sign, road := color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255}, color.RGBA{100, 100, 100, 255}
	for _, tc := range []struct {
		what string
		at   image.Point
		want color.RGBA
	}{
		{"the frame's left", image.Pt(box.Min.X, 210), car}, {"its right", image.Pt(box.Max.X-1, 210), car}, {"its bottom", image.Pt(380, box.Max.Y-1), car},
		{"the name's ground", image.Pt(box.Min.X+2, box.Min.Y-10), car}, {"the peak", image.Pt(340, 200), car}, {"the other peak", image.Pt(560, 300), sign},
		{"inside", image.Pt(420, 230), road}, {"outside", image.Pt(500, 210), road}, {"beside the other peak", image.Pt(580, 310), road},
	} {
		p := got.Pix[tc.at.Y*got.Stride+3*tc.at.X:]
		// H.264 has half the resolution for colour.
		for i, want := range []uint8{tc.want.B, tc.want.G, tc.want.R} {
			if d := int(p[i]) - int(want); d < -70 || d > 70 {
				t.Errorf("%s, %v: blue-green-red %v, want about %v", tc.what, tc.at, p[:3], tc.want)
				break
			}
		}
	}
}

func TestAnnotatedVideoNeedsAPicture(t *testing.T) {
	d := detector(t)
	path := filepath.Join(t.TempDir(), "a.mp4")
	src := &frames{n: 3, bad: []int{0, 1, 2}, end: io.EOF}
	info := src.Info()
	info.Width = 0
	a, err := perception.NewAnnotator(path, perception.NewHeader(d, info, "test"))
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
