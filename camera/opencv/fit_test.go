//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocv.io/x/gocv"

	"perceive/camera"
)

// noise is a frame of random pixels; stride is the length of its rows in bytes.
func noise(w, h, stride int) *camera.Frame {
	rng := rand.New(rand.NewPCG(1, uint64(w*h)))
	f := &camera.Frame{Width: w, Height: h, Stride: stride, Pix: make([]byte, h*stride)}
	for i := range f.Pix {
		f.Pix[i] = byte(rng.Uint32())
	}
	return f
}

// ramp is a frame whose blue is the column and whose green is the row, times 255/size,
// which any linear resampling keeps.
func ramp(w, h int) *camera.Frame {
	f := camera.NewFrame(w, h, nil)
	for y := range h {
		for x := range w {
			f.Pix[y*f.Stride+3*x] = byte((2*x + 1) * 255 / (2 * w))
			f.Pix[y*f.Stride+3*x+1] = byte((2*y + 1) * 255 / (2 * h))
			f.Pix[y*f.Stride+3*x+2] = 77
		}
	}
	return f
}

func TestFitKeepsGeometry(t *testing.T) {
	const pad, tol = 114, 2 // grey levels, for rounding
	for _, tc := range []struct{ w, h, inW, inH int }{
		{1280, 720, 320, 192},  // two exact halvings, bands above and below
		{640, 360, 320, 192},   // one
		{960, 540, 320, 192},   // one, then 1.5:1
		{1920, 1080, 320, 192}, // two, then 1.5:1
		{4000, 3000, 320, 192}, // bands left and right
		{1279, 717, 320, 192},  // odd sizes leave a row and a column out
		{320, 192, 320, 192},   // nothing to do
		{100, 50, 320, 192},    // enlarged
		{33, 400, 320, 192},    // upright
	} {
		t.Run(fmt.Sprintf("%dx%d", tc.w, tc.h), func(t *testing.T) {
			var fitter Fitter
			defer fitter.Close()
			dst := make([]byte, 3*tc.inW*tc.inH)
			p, err := fitter.Fit(dst, tc.inW, tc.inH, pad, ramp(tc.w, tc.h))
			if err != nil {
				t.Fatal(err)
			}
			for y := range tc.inH {
				for x := range tc.inW {
					got := dst[3*(y*tc.inW+x):][:3]
					fx, fy := p.ToFrame(float64(x)+0.5, float64(y)+0.5)
					want := [3]float64{fx * 255 / float64(tc.w), fy * 255 / float64(tc.h), 77}
					if x < p.X || y < p.Y || x >= p.X+p.Width || y >= p.Y+p.Height {
						want = [3]float64{pad, pad, pad}
					}
					for c := range 3 {
						// Sizes are whole pixels, and the border repeats when a picture is
						// enlarged: a frame pixel and a half at most.
						limit := tol + 1.5*255/float64(min(tc.w, tc.h))
						if math.Abs(float64(got[c])-want[c]) > limit {
							t.Fatalf("input pixel (%d,%d) channel %d = %d, want %.1f (placement %+v)", x, y, c, got[c], want[c], p)
						}
					}
				}
			}
		})
	}
}

// A pattern of single-pixel stripes holds no information at a quarter of its size: anything
// but an even grey is an alias.
func TestFitDoesNotAlias(t *testing.T) {
	for _, tc := range []struct {
		w, h   int
		spread int // grey levels that may remain
	}{{1280, 720, 0}, {1600, 900, 8}, {2560, 1440, 0}} {
		f := camera.NewFrame(tc.w, tc.h, nil)
		for i := range f.Pix {
			f.Pix[i] = byte(255 * (i / 3 % 2))
		}
		var fitter Fitter
		defer fitter.Close()
		dst := make([]byte, 320*180*3)
		if _, err := fitter.Fit(dst, 320, 180, 0, f); err != nil {
			t.Fatal(err)
		}
		lo, hi := dst[0], dst[0]
		for _, v := range dst {
			lo, hi = min(lo, v), max(hi, v)
		}
		if int(hi)-int(lo) > tc.spread || lo < 120 || hi > 135 {
			t.Errorf("%d×%d stripes: levels %d to %d, want grey within %d", tc.w, tc.h, lo, hi, tc.spread)
		}
	}
}

// A frame with padded rows, as hardware decoders deliver them, fits like one without.
func TestFitStride(t *testing.T) {
	loose := noise(64, 48, 3*64+7)
	loose.Pix = loose.Pix[:47*loose.Stride+3*64] // the last row may be short
	tight := camera.NewFrame(64, 48, nil)
	for y := range 48 {
		copy(tight.Pix[y*tight.Stride:], loose.Pix[y*loose.Stride:][:3*64])
	}
	var fitter Fitter
	defer fitter.Close()
	got, want := make([]byte, 32*32*3), make([]byte, 32*32*3)
	for _, err := range []error{
		second(fitter.Fit(got, 32, 32, 9, loose)),
		second(fitter.Fit(want, 32, 32, 9, tight)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func second[T any](_ T, err error) error { return err }

// The result must not depend on the number of threads, or a replay on another
// machine would differ.
func TestFitIsDeterministic(t *testing.T) {
	defer gocv.SetNumThreads(gocv.GetNumThreads())
	f := noise(1600, 900, 4800)
	var want []byte
	for _, threads := range []int{1, 2} {
		gocv.SetNumThreads(threads)
		var fitter Fitter
		defer fitter.Close()
		got := make([]byte, 320*192*3)
		if _, err := fitter.Fit(got, 320, 192, 0, f); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !cmp.Equal(want, got) {
			t.Errorf("%d threads give other pixels than one", threads)
		}
	}
}

func TestFitRefuses(t *testing.T) {
	var fitter Fitter
	defer fitter.Close()
	for _, tc := range []struct {
		name string
		dst  int
		f    *camera.Frame
	}{
		{"short input", 32*32*3 - 1, noise(64, 64, 192)},
		{"short frame", 32 * 32 * 3, &camera.Frame{Width: 64, Height: 64, Stride: 192, Pix: make([]byte, 100)}},
		{"rows overlap", 32 * 32 * 3, &camera.Frame{Width: 64, Height: 64, Stride: 191, Pix: make([]byte, 64*192)}},
		{"empty frame", 32 * 32 * 3, &camera.Frame{}},
	} {
		if _, err := fitter.Fit(make([]byte, tc.dst), 32, 32, 0, tc.f); err == nil {
			t.Errorf("%s: no error", tc.name)
		}
	}
}

func TestFitAllocatesNothing(t *testing.T) {
	var fitter Fitter
	defer fitter.Close()
	dst := make([]byte, 320*192*3)
	for _, f := range []*camera.Frame{noise(1280, 720, 3840), noise(963, 541, 3000)} {
		if n := testing.AllocsPerRun(20, func() {
			if _, err := fitter.Fit(dst, 320, 192, 114, f); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%d×%d: %v allocations a frame, want 0", f.Width, f.Height, n)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	for _, tc := range []struct{ w, h int }{{1280, 720}, {960, 540}, {640, 360}, {1920, 1080}} {
		f, dst := noise(tc.w, tc.h, 3*tc.w), make([]byte, 320*192*3)
		out, _ := gocv.NewMatFromBytes(192, 320, gocv.MatTypeCV8UC3, dst)
		src, _ := gocv.NewMatFromBytes(tc.h, tc.w, gocv.MatTypeCV8UC3, f.Pix)
		var s shrinker
		for _, how := range []struct {
			name string
			fit  func() error
		}{
			{"Fit", func() error {
				var fitter = Fitter{half: s}
				_, err := fitter.Fit(dst, 320, 192, 114, f)
				s = fitter.half
				return err
			}},
			{"area", func() error { return gocv.Resize(src, &out, image.Pt(320, 180), 0, 0, gocv.InterpolationArea) }},
			{"linear", func() error { return gocv.Resize(src, &out, image.Pt(320, 180), 0, 0, gocv.InterpolationLinear) }},
			{"linear_exact", func() error { return gocv.Resize(src, &out, image.Pt(320, 180), 0, 0, interLinearExact) }},
		} {
			b.Run(fmt.Sprintf("%dx%d/%s", tc.w, tc.h, how.name), func(b *testing.B) {
				defer gocv.SetNumThreads(gocv.GetNumThreads())
				gocv.SetNumThreads(1)
				b.ReportAllocs()
				for b.Loop() {
					if err := how.fit(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// Stretched and cornered pictures lie where their placement says.
func TestFitHow(t *testing.T) {
	for _, how := range []camera.Fit{camera.Stretch, camera.Corner} {
		fitter := Fitter{How: how}
		defer fitter.Close()
		const inW, inH, pad = 64, 64, 9
		dst := make([]byte, 3*inW*inH)
		p, err := fitter.Fit(dst, inW, inH, pad, ramp(128, 96))
		if err != nil {
			t.Fatal(err)
		}
		if p.X != 0 || p.Y != 0 || p.Width != inW || (p.Height == inH) != (how == camera.Stretch) {
			t.Errorf("%s: placement %+v", how, p)
		}
		for y := range inH {
			for x := range inW {
				fx, fy := p.ToFrame(float64(x)+0.5, float64(y)+0.5)
				want := [3]float64{fx * 255 / 128, fy * 255 / 96, 77}
				if y >= p.Height {
					want = [3]float64{pad, pad, pad}
				}
				for c := range 3 {
					if got := float64(dst[3*(y*inW+x)+c]); math.Abs(got-want[c]) > 5 {
						t.Fatalf("%s: pixel (%d,%d) channel %d = %g, want %.1f", how, x, y, c, got, want[c])
					}
				}
			}
		}
	}
	if _, err := (&Fitter{How: "crop"}).Fit(make([]byte, 3), 1, 1, 0, ramp(1, 1)); err == nil {
		t.Error("an unknown way to fit was taken")
	}
}
