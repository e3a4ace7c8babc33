package hil

import (
	"context"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"perceive/camera"
	"perceive/camera/framecode"
	"perceive/camera/opencv"
	"perceive/camera/scene"
)

func openScene(uri string) (camera.Source, error) {
	cfg, err := scene.Parse(uri)
	if err != nil {
		return nil, err
	}
	return scene.Open(cfg)
}

// got is a picture that a client received.
type got struct {
	code  uint32
	coded bool
	good  bool
	w     int
	mean  int
	stamp string
}

// read takes pictures from a camera until the stream ends or there are n.
func read(ctx context.Context, t *testing.T, url string, n int) (out []got) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	m := multipart.NewReader(resp.Body, params["boundary"])
	for len(out) < n {
		p, err := m.NextRawPart()
		if err != nil {
			return out
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return out
		}
		g := got{stamp: p.Header.Get("X-Timestamp")}
		if w, h, pix, err := opencv.Decode(text); err == nil {
			f := &camera.Frame{Width: w, Height: h, Stride: 3 * w, Pix: pix}
			g.good, g.w, g.mean = true, w, int(pix[len(pix)/2])
			g.code, g.coded = framecode.Read(f)
		}
		out = append(out, g)
	}
	return out
}

// serve runs a camera with faults from 0.4 s on, for 0.8 s, and returns what a client saw.
func serveFaults(t *testing.T, n int, faults ...Fault) []got {
	t.Helper()
	s := &Scenario{Seed: 1, Length: time.Minute, Cameras: []Camera{{Name: "front", World: "scene://?seed=1&seconds=2", FPS: 20, Width: 320, Quality: 80, Over: "mjpeg"}}, Faults: faults}
	for i := range s.Faults {
		if s.Faults[i].For == 0 {
			s.Faults[i].At, s.Faults[i].For = 400*time.Millisecond, 800*time.Millisecond
		}
	}
	clip, err := loadClip(t.Context(), s.Cameras[0], false, openScene)
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFeed(s, 0, clip, "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { // once somebody is there to see it, however long that takes
		for !f.wire.reaches() && sleep(ctx, time.Millisecond) == nil {
		}
		done <- f.run(ctx, time.Now())
	}()
	var out []got
	for len(out) < n && ctx.Err() == nil {
		out = append(out, read(ctx, t, f.URL(), n-len(out))...)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return out
}

// While nothing is wrong each frame comes once, in order, with its number and its time.
func TestFeed(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
	for i, g := range serveFaults(t, 20) {
		if !g.good || !g.coded || g.code != uint32(i) || g.w != 320 || len(g.stamp) != len("1700000000.000000") {
			t.Errorf("frame %d: %+v", i, g)
		}
	}
}

// Each fault shows in what a client sees.
func TestFaults(t *testing.T) {
	count := func(all []got, is func(a, b got) bool) (n int) {
		for i := 1; i < len(all); i++ {
			if is(all[i-1], all[i]) {
				n++
			}
		}
		return n
	}
	gap := func(a, b got) bool { return a.coded && b.coded && b.code > a.code+1 }
	same := func(a, b got) bool { return a.coded && b.coded && a.code == b.code }
	back := func(a, b got) bool { return a.coded && b.coded && b.code < a.code }
	bad := func(_, b got) bool { return !b.good }
	for kind, c := range map[string]struct {
		fault Fault
		is    func(a, b got) bool
		least int
	}{
		"drop":       {Fault{}, gap, 2},
		"burst_drop": {Fault{}, gap, 1},
		"duplicate":  {Fault{}, same, 5},
		"freeze":     {Fault{}, same, 5},
		"black":      {Fault{}, func(_, b got) bool { return b.good && !b.coded && b.mean < 10 }, 5},
		"saturate":   {Fault{}, func(_, b got) bool { return b.good && !b.coded && b.mean > 245 }, 5},
		"reorder":    {Fault{}, back, 3},
		"truncate":   {Fault{}, bad, 5},
		"resize":     {Fault{Amount: 0.8}, func(_, b got) bool { return b.good && b.w == 256 }, 5},
		"disconnect": {Fault{}, gap, 1},
		"refuse":     {Fault{}, gap, 1},
		"hang":       {Fault{}, gap, 1},
		"blur":       {Fault{}, func(_, b got) bool { return b.coded }, 5},
		"occlude":    {Fault{}, func(_, b got) bool { return b.coded && b.mean > 45 && b.mean < 60 }, 5},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c.fault.Kind = kind
			all := serveFaults(t, 30, c.fault)
			if n := count(all, c.is); n < c.least {
				t.Errorf("seen %d times, want %d: %+v", n, c.least, all)
			}
			if last := all[len(all)-1]; !last.good || !last.coded || last.w != 320 {
				t.Errorf("the last frame is %+v", last)
			}
		})
	}
}

// The same seed gives the same faults.
func TestSameSeedSameFaults(t *testing.T) {
	codes := func() (out []uint32) {
		for _, g := range serveFaults(t, 15, Fault{Kind: "drop", At: 0, For: time.Minute}) {
			out = append(out, g.code)
		}
		return out
	}
	a, b := codes(), codes()
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("%v, then %v", a, b)
		}
	}
}

// An amount beyond the picture covers all of it.
func TestOccludeBeyondThePicture(t *testing.T) {
	s := spoiler{rand: rand.New(rand.NewPCG(1, 1))}
	f := camera.NewFrame(16, 8, nil)
	if err := s.under(f, "occlude", 4); err != nil || f.Pix[len(f.Pix)-1] < 52 {
		t.Errorf("%v: the last byte is %d", err, f.Pix[len(f.Pix)-1])
	}
}
