package cameratest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"perceive/camera"
)

// bound is more frames than any source should lend at once.
const bound = 64

// testOwnership takes frames and keeps them: their pixels must stay while others
// are read, the source must run out at some point, and a Release must help. A live source that
// has run out goes on to drop frames.
func testOwnership(t *testing.T, src camera.Source, want Want) {
	first := good(t, src)
	before := sum(first)
	second := good(t, src)
	if sum(first) != before {
		t.Error("the pixels of a frame changed while it was lent")
	}
	second.Release()
	third := good(t, src)
	if sum(first) != before {
		t.Error("the pixels of a frame changed when another one was released")
	}
	held := []*camera.Frame{first, third}
	for missed := 0; len(held) < bound; {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		f, err := src.Next(ctx)
		cancel()
		var bad *camera.FrameError
		switch {
		case err == nil:
			held, missed = append(held, f), 0
			continue
		case errors.As(err, &bad) && missed < bound/2:
			missed++
			continue
		case errors.Is(err, want.end()):
			// Too short to run out of buffers: nothing is known about the bound.
		case errors.As(err, &bad), errors.Is(err, context.DeadlineExceeded):
			held[0].Release()
			held = held[1:]
			if f := another(t, src, want.end()); f != nil {
				held = append(held, f)
			}
		default:
			t.Errorf("Next: %v", err)
		}
		break
	}
	if len(held) == bound {
		t.Errorf("%d frames are lent at once: a reader that forgets to release would fill the memory", bound)
	}
	for _, f := range held {
		f.Release()
	}
}

// another returns the next frame after a Release; nil at the end, which may come first.
func another(t *testing.T, src camera.Source, end error) *camera.Frame {
	for {
		f, err := next(t, src)
		if err == nil || errors.Is(err, end) {
			return f
		}
		if !errors.As(err, new(*camera.FrameError)) {
			t.Errorf("after a Release: %v", err)
			return nil
		}
	}
}

// testReleaseElsewhere hands frames to another goroutine, as a pipeline does. Run it with -race.
func testReleaseElsewhere(t *testing.T, src camera.Source, want Want) {
	frames, sums := make(chan *camera.Frame), make(chan uint64, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for f := range frames {
			if sum(f) != <-sums {
				t.Errorf("frame %d changed on its way", f.Seq)
			}
			f.Release()
		}
	}()
	for {
		f, err := next(t, src)
		var bad *camera.FrameError
		if errors.As(err, &bad) {
			continue
		}
		if err != nil {
			break
		}
		sums <- sum(f)
		frames <- f
	}
	close(frames)
	<-done
}

// testCancel: a cancelled context comes back as itself, and the source goes on
// with the next one.
func testCancel(t *testing.T, src camera.Source, want Want) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if f, err := src.Next(ctx); f != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Next with a cancelled context = %v, %v", f, err)
	}
	f := good(t, src)
	if !want.bad(0) && f.Seq != 0 {
		t.Errorf("the cancelled call took frame 0: %d came", f.Seq)
	}
	f.Release()
}

// testClose: closing twice is fine, and nothing is delivered afterwards.
func testClose(t *testing.T, src camera.Source, want Want) {
	good(t, src).Release()
	for i := range 2 {
		if err := src.Close(); err != nil {
			t.Errorf("Close number %d: %v", i+1, err)
		}
	}
	if f, err := next(t, src); f != nil || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Next after Close = %v, %v; want an error that is not io.EOF", f, err)
	}
	checkInfo(t, src.Info(), want.Info)
}

// testReleaseAfterClose: a frame that is still in somebody's hands when the
// source is closed keeps its pixels until it is released.
func testReleaseAfterClose(t *testing.T, src camera.Source, _ Want) {
	f := good(t, src)
	before := sum(f)
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if sum(f) != before {
		t.Error("Close changed the pixels of a lent frame")
	}
	f.Release()
}

// testSameAgain reads the recording twice: a replay sees the same frames.
func testSameAgain(t *testing.T, open func(t *testing.T) camera.Source, want Want) {
	type row struct {
		seq    uint64
		at     time.Duration
		pixels uint64
	}
	var runs [2][]row
	for i := range runs {
		src := open(t)
		for range want.Frames {
			f, err := next(t, src)
			if err != nil {
				var bad *camera.FrameError
				if !errors.As(err, &bad) {
					t.Fatal(err)
				}
				runs[i] = append(runs[i], row{bad.Seq, bad.Time, 0})
				continue
			}
			runs[i] = append(runs[i], row{f.Seq, f.Time, sum(f)})
			f.Release()
		}
		src.Close()
	}
	for i, a := range runs[0] {
		if b := runs[1][i]; a != b {
			t.Fatalf("frame %d: read again it has time %v (was %v), pixels %x (were %x)", a.seq, b.at, a.at, b.pixels, a.pixels)
		}
	}
}
