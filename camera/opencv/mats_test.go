//go:build matprofile && gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"image"
	"image/color"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// reading is a source that is read to its end or for so many frames, one of which is held over its
// Close.
func reading(t *testing.T, src camera.Source, err error, frames int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var held *camera.Frame
	for range frames {
		f, err := src.Next(t.Context())
		var bad *camera.FrameError
		if err != nil && !errors.As(err, &bad) {
			break
		}
		if held != nil {
			held.Release()
		}
		held = f
	}
	src.Close()
	if held != nil {
		held.Release()
	}
	src.Close()
}

// refused is what cannot be opened.
func refused(t *testing.T, src io.Closer, err error) {
	t.Helper()
	if err == nil {
		src.Close()
		t.Error("it was opened")
	}
}

// Everything that takes Mats gives all of them back: read to the end, left in the middle, damaged,
// refused, lost and connected again.
func TestMats(t *testing.T) {
	video := drawVideo(t, "drive.mp4", 192, 108, 20)
	cut := truncated(t, drawVideo(t, "drive.mkv", 192, 108, 60), 0.5)
	stream := jpegStream(t, 12, func(i int) (w, h int) { return 64 + 16*(i/4), 48 })
	recordings := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(video))))
	defer recordings.Close()
	pictures, _ := folder(t)
	text := save(t, t.TempDir(), "text.mp4", []byte(strings.Repeat("no video ", 1000)))
	jpg := greyJPEG(t, 64, 48, 100)
	f := noise(320, 180, 3*320)
	dir := t.TempDir()
	server := newFaulty(t)
	const all = 1000

	for name, use := range map[string]func(t *testing.T){
		"video":           func(t *testing.T) { src, err := OpenVideo(video); reading(t, src, err, all) },
		"abandoned video": func(t *testing.T) { src, err := OpenVideo(video); reading(t, src, err, 2) },
		"cut video":       func(t *testing.T) { src, err := OpenVideo(cut); reading(t, src, err, all) },
		"no video":        func(t *testing.T) { src, err := OpenVideo(text); refused(t, src, err) },
		"stream":          func(t *testing.T) { src, err := OpenVideo(stream); reading(t, src, err, all) },
		"abandoned stream": func(t *testing.T) {
			src, err := OpenVideo(stream)
			reading(t, src, err, 5)
		},
		"pictures":           func(t *testing.T) { src, err := OpenImages(pictures); reading(t, src, err, all) },
		"abandoned pictures": func(t *testing.T) { src, err := OpenImages(pictures); reading(t, src, err, 4) },
		"no pictures":        func(t *testing.T) { src, err := OpenImages(t.TempDir()); refused(t, src, err) },
		"camera": func(t *testing.T) {
			c, err := ParseCamera("http://" + server.addr)
			if err != nil {
				t.Fatal(err)
			}
			src, err := c.Open(t.Context(), Options{})
			reading(t, src, err, 5)
		},
		"capture": func(t *testing.T) {
			c, err := ParseCamera(recordings.URL + "/" + filepath.Base(video))
			if err != nil {
				t.Fatal(err)
			}
			src, err := c.Open(t.Context(), Options{})
			reading(t, src, err, 5)
			src, err = c.Open(t.Context(), Options{})
			reading(t, src, err, all)
		},
		"refused pipeline": func(t *testing.T) {
			c, err := ParseCamera("gst:nothing ! appsink")
			if err != nil {
				t.Fatal(err)
			}
			src, err := c.Open(t.Context(), Options{})
			refused(t, src, err)
		},
		"writer": func(t *testing.T) {
			w, err := CreateVideo(filepath.Join(dir, "out.mp4"), 320, 180, 25)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []*camera.Frame{f, noise(100, 100, 3*100), f} {
				if err := w.WriteFrame(f); err != nil {
					t.Error(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		},
		"abandoned writer": func(t *testing.T) {
			w, err := CreateVideo(filepath.Join(dir, "empty.mp4"), 320, 180, 25)
			if err != nil {
				t.Fatal(err)
			}
			w.Close()
		},
		"refused writer": func(t *testing.T) {
			w, err := CreateVideo(filepath.Join(dir, "missing", "out.mp4"), 320, 180, 25)
			refused(t, w, err)
		},
		"codecs and pictures": func(t *testing.T) {
			path := filepath.Join(dir, "out.png")
			_, err := ProbeCodecs()
			err = errors.Join(err, second(EncodeJPEG(320, 180, f.Pix, 80)), second(EncodePNG(320, 180, f.Pix)), EncodeFile(path, 320, 180, f.Pix))
			w, h, pix, e := Decode(jpg)
			if err = errors.Join(err, e); err != nil || len(pix) != 3*w*h {
				t.Error(err)
			}
			if _, _, _, err := DecodeFile(path); err != nil {
				t.Error(err)
			}
			for _, bad := range [][]byte{nil, jpg[:len(jpg)/2], []byte("no picture")} {
				Decode(bad) // whatever comes of it
			}
			if _, err := EncodeJPEG(320, 181, f.Pix, 80); err == nil {
				t.Error("a picture that is too short was taken")
			}
		},
		"working memory": func(t *testing.T) {
			var fit Fitter
			var warp Warper
			var soft Softener
			dst, pix := make([]byte, 3*96*64), append([]byte(nil), f.Pix...)
			_, err := fit.Fit(dst, 96, 64, 114, f)
			_, e := fit.Fit(dst, 96, 64, 114, noise(40, 30, 3*40))
			err = errors.Join(err, e, warp.Warp(dst, 96, 64, f.Pix, 320, 180, [6]float64{.2, 0, 0, 0, .2, 0}, 114),
				soft.Focus(pix, 320, 180, 2), soft.Motion(pix, 320, 180, 2, 1), soft.JPEG(pix, 320, 180, 30))
			c, e := NewCanvas(320, 180, pix)
			if err = errors.Join(err, e); err != nil {
				t.Fatal(err)
			}
			c.Text(3, 30, 12, "car", color.RGBA{A: 255})
			c.Rect(image.Rect(1, 1, 50, 50), color.RGBA{A: 255}, 2)
			c.Close()
			fit.Close()
			warp.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			returns(t, func() { use(t) })
		})
	}
}

// A camera that is watched over gives back what each of its connections took, however they ended.
func TestMatsOfConnections(t *testing.T) {
	returns(t, func() {
		f := newFaulty(t)
		seen := events{make(chan camera.Event, 1000)}
		l := supervised(t, "http://"+f.addr, func(e camera.Event) { seen.seen <- e })
		good := func() {
			t.Helper()
			for n := 0; n < 3; {
				fr, err := l.Next(t.Context())
				var bad *camera.FrameError
				switch {
				case err == nil:
					fr.Release()
					n++
				case !errors.As(err, &bad):
					t.Fatal(err)
				}
			}
		}
		good()
		for _, m := range []string{"half", "corrupt", "big"} {
			f.mode.Store(m)
			time.Sleep(100 * time.Millisecond)
			f.mode.Store("")
			good()
		}
		f.kill()
		seen.wait(t, 30*time.Second, "lost", inState(camera.Lost))
		f.start()
		good()
		l.Close()
		f.kill()
	})
}

// returns wants as many Mats after f as before. The first call may keep some, for good.
func returns(t *testing.T, f func()) {
	t.Helper()
	f()
	before := gocv.MatProfile.Count()
	for range 5 {
		f()
	}
	if n := gocv.MatProfile.Count(); n != before {
		var b strings.Builder
		gocv.MatProfile.WriteTo(&b, 1)
		t.Errorf("%d Mats after it, %d before:\n%s", n, before, b.String())
	}
}
