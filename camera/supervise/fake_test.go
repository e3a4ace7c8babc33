package supervise

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"perceive/camera"
)

// fake is a connection that sends a frame every period.
type fake struct {
	period time.Duration
	w, h   int
	frames int           // then end
	end    error         // nil: io.EOF
	hang   chan struct{} // after frames, a read blocks until it is closed, whatever ctx says
	bad    func(i int) bool
	fast   bool // the bad frames' errors are used again

	free   chan *camera.Frame
	next   int
	closed chan struct{} // closed by Close
}

var (
	errSpoilt = errors.New("spoilt")
	spoilt    = &camera.FrameError{Name: "picture", Err: errSpoilt}
)

// newFake is a camera of 8×6 pixels that goes on for ever and lends n frames.
func newFake(period time.Duration, n int) *fake {
	f := &fake{period: period, w: 8, h: 6, frames: 1 << 60, free: make(chan *camera.Frame, n), closed: make(chan struct{})}
	for range n {
		f.free <- nil
	}
	return f
}

func (f *fake) Info() camera.Info {
	return camera.Info{URI: "inner", Kind: "inner", Width: f.w, Height: f.h, Backend: "fake"}
}

func (f *fake) Next(ctx context.Context) (*camera.Frame, error) {
	if f.period > 0 {
		t := time.NewTimer(f.period)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	i := f.next
	if i == f.frames {
		if f.hang != nil {
			<-f.hang
		}
		if f.end != nil {
			return nil, f.end
		}
		return nil, io.EOF
	}
	f.next++
	if f.bad != nil && f.bad(i) {
		if f.fast {
			return nil, spoilt
		}
		return nil, &camera.FrameError{Seq: uint64(i), Name: "picture", Err: errSpoilt}
	}
	var lent *camera.Frame
	select {
	case lent = <-f.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if lent == nil || lent.Width != f.w {
		lent = camera.NewFrame(f.w, f.h, func(lent *camera.Frame) { f.free <- lent })
	}
	for p := range lent.Pix {
		lent.Pix[p] = byte(i)
	}
	lent.Captured, lent.Stamp, lent.Clock = time.Now(), time.Duration(i)*time.Second, camera.SceneClock
	return lent, nil
}

func (f *fake) Close() error { close(f.closed); return nil }

// script gives out connections one after the other, the last one again and again.
type script struct {
	mu     sync.Mutex
	opened []time.Time
	conns  []func() (camera.Source, error)
}

func (s *script) open(context.Context) (camera.Source, error) {
	s.mu.Lock()
	n := len(s.opened)
	s.opened = append(s.opened, time.Now())
	s.mu.Unlock()
	return s.conns[min(n, len(s.conns)-1)]()
}

// times is when connections were tried.
func (s *script) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.opened...)
}

// source is a connection of a script.
func source(f *fake) func() (camera.Source, error) {
	return func() (camera.Source, error) { return f, nil }
}

// refuse is a connection that fails.
func refuse() (camera.Source, error) { return nil, errors.New("refused") }

// journal keeps events.
type journal struct {
	mu   sync.Mutex
	seen []camera.Event
}

func (j *journal) add(e camera.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = append(j.seen, e)
}

func (j *journal) events() []camera.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]camera.Event(nil), j.seen...)
}
