//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"math"
	"testing"

	"gocv.io/x/gocv"
)

// turned is a turn by deg about the middle of a w×h picture, with scale s.
func turned(w, h, deg, s float64) [6]float64 {
	sin, cos := math.Sincos(deg * math.Pi / 180)
	return [6]float64{
		s * cos, -s * sin, w/2 - s*cos*w/2 + s*sin*h/2,
		s * sin, s * cos, h/2 - s*sin*w/2 - s*cos*h/2,
	}
}

// A ramp says in each pixel where it comes from, so the matrix can be checked point
// by point, in the convention of boxes.
func TestWarpMovesPointsAsDocumented(t *testing.T) {
	const w, h, pad = 320, 192, 200
	for _, tc := range []struct {
		name   string
		sw, sh int
		m      [6]float64
	}{
		{"identity", w, h, [6]float64{1, 0, 0, 0, 1, 0}},
		{"mirror", w, h, [6]float64{-1, 0, w, 0, 1, 0}},
		{"shift and shear", w, h, [6]float64{1, 0.2, -10.5, 0, 1, 20.25}},
		{"turn", w, h, turned(w, h, 13, 1)},
		{"enlarge", w, h, turned(w, h, -5, 2.5)},
		{"reduce to a quarter", 1280, 768, [6]float64{0.25, 0, 0, 0, 0.25, 0}},
		{"reduce by 7, mirrored", 2240, 1344, [6]float64{-1. / 7, 0, w, 0, 1. / 7, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var warper Warper
			defer warper.Close()
			dst := make([]byte, 3*w*h)
			if err := warper.Warp(dst, w, h, ramp(tc.sw, tc.sh).Pix, tc.sw, tc.sh, tc.m, pad); err != nil {
				t.Fatal(err)
			}
			det := tc.m[0]*tc.m[4] - tc.m[1]*tc.m[3]
			inside, outside := 0, 0
			for y := range h {
				for x := range w {
					dx, dy := float64(x)+0.5-tc.m[2], float64(y)+0.5-tc.m[5]
					sx, sy := (tc.m[4]*dx-tc.m[1]*dy)/det, (tc.m[0]*dy-tc.m[3]*dx)/det
					got := dst[3*(y*w+x):][:3]
					margin := 1 + 1/math.Sqrt(math.Abs(det)) // where the border is blended with pad
					sw, sh := float64(tc.sw), float64(tc.sh)
					var want [3]float64
					switch {
					case sx > margin && sy > margin && sx < sw-margin && sy < sh-margin:
						want = [3]float64{sx * 255 / sw, sy * 255 / sh, 77}
						inside++
					case sx < -margin || sy < -margin || sx > sw+margin || sy > sh+margin:
						want = [3]float64{pad, pad, pad}
						outside++
					default:
						continue
					}
					for c := range 3 {
						if math.Abs(float64(got[c])-want[c]) > 2 {
							t.Fatalf("pixel (%d,%d) channel %d = %d, want %.1f", x, y, c, got[c], want[c])
						}
					}
				}
			}
			if inside < w*h/4 {
				t.Errorf("only %d pixels compared (%d outside)", inside, outside)
			}
		})
	}
}

// Scaling a picture by Warp and by Fit gives the same pixels within rounding, so that
// what was augmented looks like what is fed on the vehicle.
func TestWarpAgreesWithFit(t *testing.T) {
	f := noise(1600, 900, 4800)
	var fitter Fitter
	var warper Warper
	defer fitter.Close()
	defer warper.Close()
	fit, warp := make([]byte, 320*180*3), make([]byte, 320*180*3)
	if _, err := fitter.Fit(fit, 320, 180, 0, f); err != nil {
		t.Fatal(err)
	}
	if err := warper.Warp(warp, 320, 180, f.Pix, 1600, 900, [6]float64{.2, 0, 0, 0, .2, 0}, 0); err != nil {
		t.Fatal(err)
	}
	for y := 1; y < 179; y++ {
		for i := 3; i < 957; i++ {
			// warpAffine places points on a grid of 1/32 pixel: up to 1/64 of the contrast each way.
			if a, b := int(fit[y*960+i]), int(warp[y*960+i]); max(a-b, b-a) > 8 {
				t.Fatalf("row %d byte %d: Fit %d, Warp %d", y, i, a, b)
			}
		}
	}
}

func TestWarpRefuses(t *testing.T) {
	var warper Warper
	defer warper.Close()
	good := [6]float64{1, 0, 0, 0, 1, 0}
	for _, tc := range []struct {
		name     string
		dst, src int
		m        [6]float64
	}{
		{"flat matrix", 300, 300, [6]float64{1, 2, 0, 2, 4, 0}},
		{"not a number", 300, 300, [6]float64{1, 0, math.NaN(), 0, 1, 0}},
		{"infinite", 300, 300, [6]float64{math.Inf(1), 0, 0, 0, 1, 0}},
		{"short destination", 299, 300, good},
		{"short source", 300, 299, good},
	} {
		if err := warper.Warp(make([]byte, tc.dst), 10, 10, make([]byte, tc.src), 10, 10, tc.m, 0); err == nil {
			t.Errorf("%s: no error", tc.name)
		}
	}
}

func TestWarpAllocatesNothing(t *testing.T) {
	var warper Warper
	defer warper.Close()
	src, dst := noise(1280, 720, 3840), make([]byte, 320*192*3)
	if n := testing.AllocsPerRun(20, func() {
		if err := warper.Warp(dst, 320, 192, src.Pix, 1280, 720, [6]float64{.25, .01, 0, 0, .25, 6}, 114); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a picture, want 0", n)
	}
}

func BenchmarkWarp(b *testing.B) {
	defer gocv.SetNumThreads(gocv.GetNumThreads())
	gocv.SetNumThreads(1)
	dst := make([]byte, 320*192*3)
	for _, size := range [][2]int{{384, 240}, {1280, 720}} {
		src := noise(size[0], size[1], 3*size[0])
		m := turned(320, 192, 4, 320/float64(size[0]))
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			var warper Warper
			defer warper.Close()
			b.ReportAllocs()
			for b.Loop() {
				if err := warper.Warp(dst, 320, 192, src.Pix, size[0], size[1], m, 114); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
