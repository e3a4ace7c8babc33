// Package cameratest is the conformance suite of camera.Source: what is promised
// to whoever reads frames, checked on any implementation.
package cameratest

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"testing"
	"time"

	"perceive/camera"
)

// Want is what a finite source is known to deliver.
type Want struct {
	// Info is compared with the source's; zero fields are not.
	Info camera.Info
	// Frames is the number of sequence numbers: frames and FrameErrors.
	Frames int
	// Bad are the sequence numbers that come as FrameErrors.
	Bad []uint64
	// Size returns the size of a frame; nil means that of Info.
	Size func(seq uint64) (w, h int)
	// Check looks at the pixels of a frame; nil looks at none.
	Check func(t *testing.T, f *camera.Frame)
	// End is what the source ends with; nil means io.EOF.
	End error
}

func (w Want) bad(seq uint64) bool {
	for _, b := range w.Bad {
		if b == seq {
			return true
		}
	}
	return false
}

func (w Want) end() error {
	if w.End == nil {
		return io.EOF
	}
	return w.End
}

// patience is how long a call may take that is expected to return.
const patience = 20 * time.Second

// TestSource runs the suite. Each part opens the source anew, so open must give
// the same recording each time. The source must deliver at least three good frames.
func TestSource(t *testing.T, open func(t *testing.T) camera.Source, want Want) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(t *testing.T, src camera.Source, want Want)
	}{
		{"order", testOrder},
		{"ownership", testOwnership},
		{"release from another goroutine", testReleaseElsewhere},
		{"cancel", testCancel},
		{"close", testClose},
		{"release after close", testReleaseAfterClose},
	} {
		t.Run(part.name, func(t *testing.T) {
			src := open(t)
			defer src.Close()
			part.run(t, src, want)
		})
	}
	t.Run("same again", func(t *testing.T) { testSameAgain(t, open, want) })
}

// next calls Next and fails the test if that takes for ever.
func next(t *testing.T, src camera.Source) (*camera.Frame, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	f, err := src.Next(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Next took longer than %v; is a released frame not lent again?", patience)
	}
	return f, err
}

// good returns the next frame, past FrameErrors.
func good(t *testing.T, src camera.Source) *camera.Frame {
	t.Helper()
	for {
		f, err := next(t, src)
		var bad *camera.FrameError
		if errors.As(err, &bad) {
			continue
		}
		if err != nil {
			t.Fatalf("Next: %v; the suite needs three good frames", err)
		}
		return f
	}
}

// testOrder reads to the end: numbers without gaps, times that grow, sizes, errors where they
// belong, an end that stays the end.
func testOrder(t *testing.T, src camera.Source, want Want) {
	checkInfo(t, src.Info(), want.Info)
	last := time.Duration(-1)
	for seq := uint64(0); seq < uint64(want.Frames); seq++ {
		f, err := next(t, src)
		var bad *camera.FrameError
		switch {
		case errors.As(err, &bad):
			if !want.bad(seq) {
				t.Fatalf("frame %d: %v", seq, err)
			}
			if bad.Seq != seq || bad.Name == "" || bad.Err == nil {
				t.Errorf("frame %d: FrameError %+v: want its number, a name and a reason", seq, bad)
			}
			if bad.Time <= last {
				t.Errorf("frame %d: time %v after %v", seq, bad.Time, last)
			}
			last = bad.Time
			continue
		case err != nil:
			t.Fatalf("frame %d of %d: %v", seq, want.Frames, err)
		case want.bad(seq):
			t.Errorf("frame %d came, want a FrameError", seq)
		}
		if f.Seq != seq {
			t.Errorf("frame has number %d, want %d", f.Seq, seq)
		}
		if f.Time <= last {
			t.Errorf("frame %d: time %v after %v", seq, f.Time, last)
		}
		last = f.Time
		if since := time.Since(f.Captured); since < 0 || since > patience {
			t.Errorf("frame %d: captured %v ago", seq, since)
		}
		checkGeometry(t, f, want)
		if want.Check != nil {
			want.Check(t, f)
		}
		f.Release()
	}
	for range 3 {
		f, err := next(t, src)
		if f != nil || !errors.Is(err, want.end()) {
			t.Fatalf("after the last frame: %v, %v; want %q again and again", f, err, want.end())
		}
	}
}

func checkInfo(t *testing.T, got, want camera.Info) {
	t.Helper()
	differs := func(name string, got, want any) { t.Errorf("Info.%s = %v, want %v", name, got, want) }
	if want.Kind != got.Kind {
		differs("Kind", got.Kind, want.Kind)
	}
	if got.URI == "" {
		t.Error("Info.URI is empty")
	}
	if want.URI != "" && want.URI != got.URI {
		differs("URI", got.URI, want.URI)
	}
	if want.Width != 0 && (want.Width != got.Width || want.Height != got.Height) {
		differs("size", [2]int{got.Width, got.Height}, [2]int{want.Width, want.Height})
	}
	if want.Frames != 0 && want.Frames != got.Frames {
		differs("Frames", got.Frames, want.Frames)
	}
	if d := got.FPS - want.FPS; want.FPS != 0 && (d > 0.01 || d < -0.01) {
		differs("FPS", got.FPS, want.FPS)
	}
}

func checkGeometry(t *testing.T, f *camera.Frame, want Want) {
	t.Helper()
	w, h := want.Info.Width, want.Info.Height
	if want.Size != nil {
		w, h = want.Size(f.Seq)
	}
	if f.Width != w || f.Height != h {
		t.Errorf("frame %d is %d×%d, want %d×%d", f.Seq, f.Width, f.Height, w, h)
	}
	if f.Stride < 3*f.Width || len(f.Pix) < (f.Height-1)*f.Stride+3*f.Width {
		t.Errorf("frame %d: %d×%d with stride %d in %d bytes", f.Seq, f.Width, f.Height, f.Stride, len(f.Pix))
	}
}

var seed = maphash.MakeSeed()

// sum fingerprints the pixels of a frame, its padding left out.
func sum(f *camera.Frame) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for y := range f.Height {
		h.Write(f.Pix[y*f.Stride : y*f.Stride+3*f.Width])
	}
	return h.Sum64()
}
