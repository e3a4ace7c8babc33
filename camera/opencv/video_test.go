//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"perceive/camera"
	"perceive/camera/cameratest"
)

// numbered draws a frame that says its number: a bar in one of 16 columns for
// the number modulo 16, on a grey that steps with the rest. It survives lossy coding.
func numbered(w, h, n int) []byte {
	pix := make([]byte, 3*w*h)
	fill(pix, byte(40+10*(n/16%16)))
	bar := w / 16
	for y := range h {
		fill(pix[3*(y*w+bar*(n%16)):][:3*bar], 255)
	}
	return pix
}

// number reads it back.
func number(f *camera.Frame) int {
	row := f.Pix[f.Height/2*f.Stride:]
	bar := f.Width / 16
	col := 0
	for i := range 16 {
		if row[3*(bar*i+bar/2)] > row[3*(bar*col+bar/2)] {
			col = i
		}
	}
	grey := row[3*(bar*((col+8)%16)+bar/2)]
	return (int(grey)-40+5)/10*16 + col
}

func checkNumber(t *testing.T, f *camera.Frame) {
	if got := number(f); got != int(f.Seq) {
		t.Errorf("frame %d shows picture %d", f.Seq, got)
	}
}

// drawVideo writes n numbered frames and returns the path.
func drawVideo(t testing.TB, name string, w, h, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	out, err := CreateVideo(path, w, h, 25)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := out.Write(numbered(w, h, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVideoSource(t *testing.T) {
	for _, name := range []string{"drive.mp4", "drive.mkv", "drive.mov"} {
		path := drawVideo(t, name, 192, 108, 70)
		t.Run(name, func(t *testing.T) {
			cameratest.TestSource(t, func(t *testing.T) camera.Source {
				src, err := Options{Threads: 1, Buffers: 3}.OpenVideo(path)
				if err != nil {
					t.Fatal(err)
				}
				return src
			}, cameratest.Want{
				Info:   camera.Info{URI: path, Kind: "video", Width: 192, Height: 108, FPS: 25, Frames: 70},
				Frames: 70,
				Check: func(t *testing.T, f *camera.Frame) {
					checkNumber(t, f)
					// 40 ms a frame from 0 on; the last frames have no time in the stream and go on by the rate.
					// Matroska rounds to milliseconds.
					if d := f.Time.Milliseconds() - 40*int64(f.Seq); d < -1 || d > 1 {
						t.Errorf("frame %d is at %v", f.Seq, f.Time)
					}
				},
			})
		})
	}
}

// Bytes overwritten in the middle: OpenCV answers like at the end of the file. The
// frames behind are still read, and each frame keeps its own number.
func TestVideoDamagedInTheMiddle(t *testing.T) {
	path := drawVideo(t, "drive.mp4", 192, 108, 200)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(data, []byte("mdat")) + 4
	end := start + bytes.Index(data[start:], []byte("moov"))
	mid := start + (end-start)/2
	for i := mid; i < mid+200; i++ {
		data[i] = 0xff
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	good, bad, last := 0, 0, -1
	for seq := uint64(0); ; seq++ {
		f, err := src.Next(context.Background())
		var fe *camera.FrameError
		switch {
		case errors.As(err, &fe):
			bad++
			if fe.Seq != seq || !strings.Contains(err.Error(), path) {
				t.Errorf("frame %d: %v", seq, err)
			}
			continue
		case errors.Is(err, io.EOF):
			if bad == 0 || good < 190 || last < 195 {
				t.Errorf("%d good frames up to picture %d, %d bad", good, last, bad)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		if f.Seq != seq {
			t.Fatalf("frame %d has number %d", seq, f.Seq)
		}
		good, last = good+1, number(f)
		f.Release()
	}
}

// truncated copies a file without its end.
func truncated(t *testing.T, path string, keep float64) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "cut"+filepath.Ext(path))
	if err := os.WriteFile(out, data[:int(keep*float64(len(data)))], 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVideoTruncated(t *testing.T) {
	path := truncated(t, drawVideo(t, "drive.mkv", 192, 108, 200), 0.6)
	src, err := OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	good := 0
	for {
		f, err := src.Next(context.Background())
		var fe *camera.FrameError
		if errors.As(err, &fe) {
			continue
		}
		if err == nil {
			// The last frames refer to pictures behind the cut: what the decoder makes
			// of them is its own.
			if f.Seq < 100 {
				checkNumber(t, f)
			}
			good++
			f.Release()
			continue
		}
		if !errors.Is(err, camera.ErrTruncated) || !strings.Contains(err.Error(), path) {
			t.Errorf("the end is %v, want ErrTruncated with the file's name", err)
		}
		if _, again := src.Next(context.Background()); !errors.Is(again, err) {
			t.Errorf("asked again: %v", again)
		}
		break
	}
	if good < 50 || good > 199 {
		t.Errorf("%d frames before the end", good)
	}
}

func TestOpenVideoRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := drawVideo(t, "whole.mp4", 64, 48, 30)
	for _, tc := range []struct {
		name, path string
		want       error
		says       string
	}{
		{"missing", filepath.Join(dir, "none.mp4"), fs.ErrNotExist, "no such file"},
		{"empty", write("empty.mp4", ""), ErrEmpty, "empty file"},
		{"folder", dir, nil, "folder"},
		{"text", write("text.mp4", strings.Repeat("not a video\n", 200)), ErrNotVideo, "not a video"},
		{"few bytes", write("few.mp4", "x"), ErrNotVideo, "not a video"},
		{"device", "/dev/null", nil, "regular file"},
		{"never finished", truncated(t, whole, 0.7), camera.ErrTruncated, "cut short"},
		{"start only", truncated(t, whole, 0.02), camera.ErrTruncated, "cut short"},
		{"no index", write("noindex.mp4", "\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x00\x08mdat"), camera.ErrTruncated, "no index"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, err := OpenVideo(tc.path)
			if err == nil {
				src.Close()
				t.Fatal("no error")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("%v: want it to be %q", err, tc.want)
			}
			if s := err.Error(); !strings.Contains(s, tc.says) || !strings.Contains(s, tc.path) || strings.Contains(s, "\n") {
				t.Errorf("error is %q: want one line with %q and the file", s, tc.says)
			}
		})
	}
	for _, o := range []Options{{Threads: -1}, {Buffers: -1}, {FPS: -1}, {FPS: 1e9}} {
		if src, err := o.OpenVideo(whole); err == nil {
			src.Close()
			t.Errorf("%+v: no error", o)
		}
	}
}

// asNobody runs f without the rights of root, on a thread of its own.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Geteuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				done <- err
				return
			}
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestNoPermission(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // what testing makes is the owner's alone
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a.mp4")
	picture := filepath.Join(dir, "a.png")
	for _, p := range []string{file, picture} {
		if err := os.WriteFile(p, []byte("x"), 0o000); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	asNobody(t, func() {
		_, videoErr := OpenVideo(file)
		_, createErr := CreateVideo(filepath.Join(dir, "new.mp4"), 64, 48, 25)
		_, _, _, decodeErr := DecodeFile(picture)
		for i, err := range []error{videoErr, createErr, decodeErr} {
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
				t.Errorf("case %d: %v; want permission denied and the file's name", i, err)
			}
		}
	})
}

func TestVideoAllocatesNothing(t *testing.T) {
	src, err := OpenVideo(drawVideo(t, "drive.mp4", 192, 108, 200))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() {
		f, err := src.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
	}); n != 0 {
		t.Errorf("%v allocations a frame, want 0", n)
	}
}

// BenchmarkDecodeVideo is the time per frame of H.264 at 1280×720, drawn with a
// moving texture so that there is something to decode.
func BenchmarkDecodeVideo(b *testing.B) {
	path := filepath.Join(b.TempDir(), "drive.mp4")
	out, err := CreateVideo(path, 1280, 720, 25)
	if err != nil {
		b.Fatal(err)
	}
	texture := noise(200, 100, 600)
	for i := range 50 {
		pix := make([]byte, 1280*720*3)
		for y := range 720 {
			for x := range 1280 {
				copy(pix[3*(1280*y+x):], texture.Pix[y/8%100*600+3*((x+5*i)/8%200):][:3])
			}
		}
		if err := out.Write(pix); err != nil {
			b.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	for _, threads := range []int{0, 1} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			b.ReportAllocs()
			var src camera.Source
			for b.Loop() {
				if src == nil {
					if src, err = (Options{Threads: threads}).OpenVideo(path); err != nil {
						b.Fatal(err)
					}
				}
				f, err := src.Next(b.Context())
				if err == io.EOF {
					src.Close()
					src = nil
					continue
				}
				if err != nil {
					b.Fatal(err)
				}
				f.Release()
			}
			if src != nil {
				src.Close()
			}
		})
	}
}
