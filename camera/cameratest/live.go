package cameratest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"perceive/camera"
)

// Numbers is how many sequence numbers of a live source are looked at.
const Numbers = 20

// TestLive runs the suite for sources that keep time by themselves and watch over their
// camera. open returns a source whose camera works and goes on for as long as the test: at
// least ten frames a second, mostly good ones. Of want, Info, Size and Check are used.
func TestLive(t *testing.T, open func(t *testing.T) camera.Live, want Want) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(t *testing.T, src camera.Live, want Want)
	}{
		{"order", liveOrder},
		{"counts", liveCounts},
		{"ownership", func(t *testing.T, src camera.Live, want Want) { testOwnership(t, src, want) }},
		{"release from another goroutine", liveReleaseElsewhere},
		{"cancel", liveCancel},
		{"close", liveClose},
		{"close while waiting", liveCloseWhileWaiting},
		{"release after close", func(t *testing.T, src camera.Live, want Want) { testReleaseAfterClose(t, src, want) }},
	} {
		t.Run(part.name, func(t *testing.T) {
			src := open(t)
			defer src.Close()
			part.run(t, src, want)
		})
	}
}

// outcome is one number of a live source.
type outcome struct {
	seq  uint64
	time time.Duration
}

// number returns the next outcome and the frame, if it is one; the caller releases it. An end fails the test.
func number(t *testing.T, src camera.Source) (outcome, *camera.Frame) {
	t.Helper()
	f, err := next(t, src)
	var bad *camera.FrameError
	switch {
	case err == nil:
		return outcome{f.Seq, f.Time}, f
	case errors.As(err, &bad):
		if bad.Name == "" || bad.Err == nil {
			t.Errorf("FrameError %+v: want a name and a reason", bad)
		}
		return outcome{bad.Seq, bad.Time}, nil
	}
	t.Fatalf("Next: %v; a live source does not end", err)
	return outcome{}, nil
}

// liveOrder: numbers without gaps from 0, times that grow, sizes, capture times.
func liveOrder(t *testing.T, src camera.Live, want Want) {
	last := time.Duration(-1)
	for seq := range uint64(Numbers) {
		o, f := number(t, src)
		if o.seq != seq {
			t.Fatalf("number %d came, want %d", o.seq, seq)
		}
		if o.time <= last {
			t.Errorf("frame %d: time %v after %v", seq, o.time, last)
		}
		last = o.time
		if f == nil {
			continue
		}
		if since := time.Since(f.Captured); since < 0 || since > patience {
			t.Errorf("frame %d: captured %v ago", seq, since)
		}
		if (f.Clock == camera.NoClock) != (f.Stamp == 0) && f.Clock == camera.NoClock {
			t.Errorf("frame %d: stamp %v of no clock", seq, f.Stamp)
		}
		checkGeometry(t, f, want)
		if want.Check != nil {
			want.Check(t, f)
		}
		f.Release()
	}
	checkInfo(t, src.Info(), want.Info)
	if !src.Info().Live {
		t.Error("Info.Live is false")
	}
	if s := src.State(); s.State != camera.Streaming {
		t.Errorf("state %q while frames come, want %q", s.State, camera.Streaming)
	}
}

// balanced fails the test if frames are missing in the counts.
func balanced(t *testing.T, c camera.Counts) {
	t.Helper()
	if sum := c.Delivered + c.Dropped + c.Stale + c.Unreadable + c.Waiting; sum != c.Captured {
		t.Errorf("%+v: captured %d, the others %d", c, c.Captured, sum)
	}
}

// liveCounts reads slowly and looks at the counts all the while. Run it with -race.
func liveCounts(t *testing.T, src camera.Live, _ Want) {
	var watcher sync.WaitGroup
	stop := make(chan struct{})
	watcher.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				balanced(t, src.Counts())
			}
		}
	})
	var got camera.Counts
	for range Numbers {
		f, err := next(t, src)
		switch {
		case err == nil:
			got.Delivered++
			time.Sleep(30 * time.Millisecond)
			f.Release()
		case errors.Is(err, camera.ErrDropped):
			got.Dropped++
		case errors.Is(err, camera.ErrStale):
			got.Stale++
		default:
			got.Unreadable++
		}
	}
	close(stop)
	watcher.Wait()
	c := src.Counts()
	balanced(t, c)
	c.Captured, c.Waiting = 0, 0
	if c != got {
		t.Errorf("counts %+v, seen %+v", c, got)
	}
	src.Close()
	balanced(t, src.Counts())
}

// liveReleaseElsewhere hands frames to another goroutine, as a pipeline does. Run it with -race.
func liveReleaseElsewhere(t *testing.T, src camera.Live, _ Want) {
	type lent struct {
		f   *camera.Frame
		sum uint64
	}
	frames, done := make(chan lent), make(chan struct{})
	go func() {
		defer close(done)
		for l := range frames {
			if sum(l.f) != l.sum {
				t.Errorf("frame %d changed on its way", l.f.Seq)
			}
			l.f.Release()
		}
	}()
	for range Numbers {
		if _, f := number(t, src); f != nil {
			frames <- lent{f, sum(f)}
		}
	}
	close(frames)
	<-done
}

// liveCancel: a cancelled context comes back as itself, and takes no number.
func liveCancel(t *testing.T, src camera.Live, _ Want) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if f, err := src.Next(ctx); f != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Next with a cancelled context = %v, %v", f, err)
	}
	o, f := number(t, src)
	if o.seq != 0 {
		t.Errorf("the cancelled call took frame 0: %d came", o.seq)
	}
	if f != nil {
		f.Release()
	}
}

// liveClose: closing twice is fine, and nothing is delivered afterwards.
func liveClose(t *testing.T, src camera.Live, _ Want) {
	good(t, src).Release()
	for i := range 2 {
		if err := src.Close(); err != nil {
			t.Errorf("Close number %d: %v", i+1, err)
		}
	}
	if f, err := next(t, src); f != nil || err == nil || errors.Is(err, io.EOF) || errors.As(err, new(*camera.FrameError)) {
		t.Errorf("Next after Close = %v, %v; want an error that is not io.EOF", f, err)
	}
}

// liveCloseWhileWaiting: Close ends a Next that waits because every frame is lent.
func liveCloseWhileWaiting(t *testing.T, src camera.Live, _ Want) {
	ended := make(chan error, 1)
	go func() {
		for {
			f, err := src.Next(context.Background())
			_ = f // never released
			if err != nil && !errors.As(err, new(*camera.FrameError)) {
				ended <- err
				return
			}
		}
	}()
	time.Sleep(300 * time.Millisecond)
	src.Close()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("Next goes on after Close")
	}
}
