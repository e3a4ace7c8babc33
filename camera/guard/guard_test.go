package guard_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"perceive/camera"
	"perceive/camera/guard"
	"perceive/camera/opencv"
	"perceive/camera/scene"
	"perceive/internal/realdata"
)

// drives are recordings with nothing wrong: by day, and drawn ones by night, in rain and in fog.
func drives(t testing.TB) (out []string) {
	for _, v := range []string{"udacity_carnd_test_video.mp4", "udacity_carnd_solidWhiteRight.mp4", "stop_sign_approach_srd1092.mp4", "street_intersection_cantfindname.mp4"} {
		out = append(out, realdata.Path(t, "videos/"+v))
	}
	for seed := range 8 {
		out = append(out, fmt.Sprintf("scene://?seed=%d&seconds=3&width=320&height=180", seed+1))
	}
	return out
}

func open(t testing.TB, uri string) camera.Source {
	t.Helper()
	var src camera.Source
	var err error
	if scene.Is(uri) {
		var c scene.Config
		if c, err = scene.Parse(uri); err == nil {
			src, err = scene.Open(c)
		}
	} else {
		src, err = opencv.OpenVideo(uri)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// each calls see with the frames of a drive.
func each(t testing.TB, uri string, see func(f *camera.Frame)) {
	t.Helper()
	src := open(t, uri)
	for {
		f, err := src.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		see(f)
		f.Release()
	}
}

// The guards fire on no frame of a drive where nothing is wrong; how far they are from it is
// printed with -v.
func TestNothingWrong(t *testing.T) {
	t.Logf("%-40s %8s %8s %8s %8s %8s", "extremes (limit)", "bright", "dark", "contrast", "steps", "change")
	t.Logf("%-40s %8d %8d %8d %8.2f %8.2f", "", guard.Default.Black, guard.Default.Saturated, guard.Default.Covered, guard.Default.Blurred, guard.Default.Frozen)
	for _, uri := range drives(t) {
		g := guard.New(guard.Default)
		worst := guard.Measures{Bright: 255, Steps: 1, Change: 255}
		contrast := 255
		each(t, uri, func(f *camera.Frame) {
			if fault, reason := g.Check(f); fault != "" {
				t.Errorf("%s: frame %d: %s", uri, f.Seq, reason)
			}
			m := g.Last
			worst.Bright, worst.Dark = min(worst.Bright, m.Bright), max(worst.Dark, m.Dark)
			worst.Steps, worst.Change = min(worst.Steps, m.Steps), min(worst.Change, m.Change)
			contrast = min(contrast, m.Bright-m.Dark)
		})
		name := uri[strings.LastIndex(uri, "/")+1:]
		t.Logf("%-40s %8d %8d %8d %8.2f %8.2f", name, worst.Bright, worst.Dark, contrast, worst.Steps, worst.Change)
	}
}

// spoil is what is done to pictures, and what must be found.
var spoil = map[string]struct {
	want guard.Fault
	do   func(t *testing.T, f *camera.Frame)
}{
	"black":     {guard.Black, func(_ *testing.T, f *camera.Frame) { noise(f, 3, 3) }},
	"saturated": {guard.Saturated, func(_ *testing.T, f *camera.Frame) { noise(f, 252, 3) }},
	"out of focus": {guard.Blurred, func(t *testing.T, f *camera.Frame) {
		if err := new(opencv.Softener).Focus(f.Pix, f.Width, f.Height, float64(f.Width)/50); err != nil {
			t.Fatal(err)
		}
	}},
	"covered": {guard.Blurred, func(_ *testing.T, f *camera.Frame) { noise(f, 60, 4) }},
}

func noise(f *camera.Frame, level, spread int) {
	r := rand.New(rand.NewPCG(1, f.Seq))
	for i := range f.Pix {
		f.Pix[i] = byte(level + r.IntN(spread+1) - spread/2)
	}
}

// Faults on real and drawn drives are found within their time, and end when they end.
func TestFaultsAreFound(t *testing.T) {
	for name, s := range spoil {
		t.Run(name, func(t *testing.T) {
			for _, uri := range []string{realdata.Path(t, "videos/udacity_carnd_solidWhiteRight.mp4"), "scene://?seed=1&seconds=6&width=320&height=180", "scene://?seed=4&seconds=6&width=320&height=180"} {
				g := guard.New(guard.Default)
				var began, found time.Duration
				each(t, uri, func(f *camera.Frame) {
					if f.Seq%2 == 1 {
						return // half of them is enough, in half the time
					}
					bad := f.Time >= 2*time.Second && f.Time < 4*time.Second
					if bad {
						own := camera.NewFrame(f.Width, f.Height, nil)
						own.Seq, own.Time = f.Seq, f.Time
						copy(own.Pix, f.Pix)
						s.do(t, own)
						f = own
						if began == 0 {
							began = f.Time
						}
					}
					fault, reason := g.Check(f)
					switch {
					case !bad && fault != "":
						t.Errorf("%s: %v: %s", uri, f.Time, reason)
					case bad && fault == s.want && found == 0:
						found = f.Time
					case bad && found != 0 && fault != s.want:
						t.Errorf("%s: %v: %q in the middle of %s", uri, f.Time, fault, s.want)
					}
				})
				if began == 0 || found == 0 || found-began > guard.Default.BlurredFor+200*time.Millisecond {
					t.Errorf("%s: began %v, found %v", uri, began, found)
				}
			}
		})
	}
}

// A stream that stands still is frozen after its time; one with a sensor's noise is not.
func TestFrozen(t *testing.T) {
	for name, c := range map[string]struct {
		spread int
		want   guard.Fault
	}{"the same picture": {0, guard.Frozen}, "a still scene": {2, ""}} {
		g := guard.New(guard.Default)
		f := camera.NewFrame(640, 360, nil)
		r := rand.New(rand.NewPCG(1, 2))
		base := make([]byte, len(f.Pix))
		for i := range base {
			base[i] = byte(40 + r.IntN(160))
		}
		var fault guard.Fault
		for i := range 40 {
			f.Time = time.Duration(i) * 100 * time.Millisecond
			for j := range f.Pix {
				f.Pix[j] = base[j] + byte(r.IntN(c.spread+1))
			}
			fault, _ = g.Check(f)
			if at := f.Time; fault != "" && at < guard.Default.FrozenFor {
				t.Errorf("%s: %s after %v", name, fault, at)
			}
		}
		if fault != c.want {
			t.Errorf("%s: %q, want %q", name, fault, c.want)
		}
	}
}

// At a limit a fault does not come and go with each frame.
func TestNoFlicker(t *testing.T) {
	g := guard.New(guard.Default)
	f := camera.NewFrame(320, 180, nil)
	changes, last := 0, guard.Fault("")
	for i := range 100 {
		f.Time = time.Duration(i) * 50 * time.Millisecond
		for j := range f.Pix {
			f.Pix[j] = byte(guard.Default.Black + i%2) // at the limit, then one above
		}
		fault, _ := g.Check(f)
		if fault != last {
			changes, last = changes+1, fault
		}
	}
	if changes != 1 || last != guard.Black {
		t.Errorf("%d changes, at last %q", changes, last)
	}
}

func TestReasonsSayWhatWasMeasured(t *testing.T) {
	g := guard.New(guard.Default)
	f := camera.NewFrame(320, 180, nil)
	if fault, reason := g.Check(f); fault != guard.Black || reason != "black: the brightest hundredth of the picture is at 0 of 255, limit 24" {
		t.Errorf("%s: %q", fault, reason)
	}
}

func TestImpossibleLimits(t *testing.T) {
	for _, c := range []guard.Config{{Black: -1}, {Saturated: 256}, {Blurred: 2}, {Frozen: -1}, {FrozenFor: -1}} {
		if len(c.Faults()) != 1 {
			t.Errorf("%+v: %v", c, c.Faults())
		}
	}
	if f := guard.Default.Faults(); len(f) != 0 {
		t.Error(f)
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	g := guard.New(guard.Default)
	f := camera.NewFrame(1280, 720, nil)
	if n := testing.AllocsPerRun(100, func() { f.Time += time.Millisecond; g.Check(f) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, size := range [][2]int{{1280, 720}, {1920, 1080}} {
		b.Run(fmt.Sprintf("%d", size[1]), func(b *testing.B) {
			g := guard.New(guard.Default)
			f := camera.NewFrame(size[0], size[1], nil)
			noise(f, 100, 50)
			for b.Loop() {
				g.Check(f)
			}
		})
	}
}

// Photographs of roads, by night and in rain too, are not taken for spoilt ones: one in 500 may
// be, where no time passes that would tell. Blurred, they are found but for one in a hundred.
func TestPhotographs(t *testing.T) {
	c := guard.Default
	c.BlurredFor = 0
	wrong, missed, all, blurred := 0, 0, 0, 0
	var soft opencv.Softener
	for i, path := range realdata.Glob(t, "road/t*/*/*.jpg") {
		w, h, pix, err := opencv.DecodeFile(path)
		if err != nil {
			continue // some are damaged
		}
		f := &camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: pix}
		all++
		if fault, reason := guard.New(c).Check(f); fault != "" {
			wrong++
			t.Logf("%s: %s", path, reason)
		}
		if i%10 == 0 {
			if err := soft.Focus(pix, w, h, float64(w)/50); err != nil {
				t.Fatal(err)
			}
			blurred++
			if fault, _ := guard.New(c).Check(f); fault == "" {
				missed++
			}
		}
	}
	t.Logf("%d of %d photographs are taken for spoilt; %d of %d blurred ones are not found", wrong, all, missed, blurred)
	if wrong > all/500 || missed > blurred/100 {
		t.Error("too many")
	}
}
