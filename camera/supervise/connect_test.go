package supervise

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"perceive/camera"
)

// Reads that block are bounded: then no connection is tried until one returns.
func testAbandonedBound(t *testing.T) {
	var hung []*fake
	s := &script{}
	for range 3 {
		f := newFake(period, lends)
		f.frames, f.hang = 1, make(chan struct{})
		hung = append(hung, f)
		s.conns = append(s.conns, source(f))
	}
	s.conns = append(s.conns, source(newFake(period, lends)))
	watched(t, Config{}, s, func(t *testing.T, l camera.Live, j *journal) {
		for range 3 {
			frame(t, l).Release()
		}
		time.Sleep(time.Minute)
		if n := len(s.times()); n != 3 {
			t.Fatalf("%d connections, want 3 that block and no more", n)
		}
		if e := l.State(); e.State != camera.Lost || !e.Blocked || !strings.Contains(e.Reason, "3 reads") {
			t.Errorf("state %+v", e)
		}
		close(hung[1].hang)
		if f := frame(t, l); f.Seq != 3 {
			t.Errorf("frame %d, want 3", f.Seq)
		}
		close(hung[0].hang)
		close(hung[2].hang)
		synctest.Wait()
	})
}

// Opening that hangs is given up too.
func testOpenHangs(t *testing.T) {
	block := make(chan struct{})
	s := &script{conns: []func() (camera.Source, error){
		func() (camera.Source, error) { <-block; return refuse() },
		source(newFake(period, lends)),
	}}
	watched(t, Config{OpenTimeout: time.Second}, s, func(t *testing.T, l camera.Live, j *journal) {
		begin := time.Now()
		frame(t, l).Release()
		if took := time.Since(begin); took > 1500*ms {
			t.Errorf("a frame after %v", took)
		}
		close(block)
	})
}

// A camera that has been there is not waited for as long as one that never was: it may hang in its
// handshake and be well right after. The fourth try is as patient as the first one ever.
func testHandshakeHangs(t *testing.T) {
	var hung []*fake
	was := newFake(period, lends)
	was.frames = 100
	s := &script{conns: []func() (camera.Source, error){source(was)}}
	for range quickTries + 1 {
		f := newFake(0, lends)
		f.frames, f.hang = 0, make(chan struct{})
		hung = append(hung, f)
		s.conns = append(s.conns, source(f))
	}
	s.conns = append(s.conns, source(newFake(period, lends)))
	watched(t, Config{BackoffMin: 100 * ms, BackoffMax: 100 * ms, MaxAbandoned: 9}, s, func(t *testing.T, l camera.Live, j *journal) {
		time.Sleep(15 * time.Second)
		at := s.times()
		for i, want := range []time.Duration{1100 * ms, 2100 * ms, 2100 * ms, 2100 * ms, 5100 * ms} {
			if i+1 >= len(at) {
				t.Fatalf("%d connections", len(at))
			}
			if got := at[i+1].Sub(at[i]); (got - want).Abs() > 500*ms {
				t.Errorf("try %d came %v after the one before, want %v", i+2, got, want)
			}
		}
		for _, f := range hung {
			close(f.hang)
		}
		synctest.Wait()
	})
}

// The pauses grow to their maximum, and attempts are counted.
func testBackoff(t *testing.T) {
	s := &script{conns: []func() (camera.Source, error){refuse}}
	watched(t, Config{BackoffMin: 100 * ms, BackoffMax: 300 * ms}, s, func(t *testing.T, l camera.Live, j *journal) {
		time.Sleep(950 * ms) // tries at 0, 100, 300, 600 and 900 ms
		synctest.Wait()
		if n := len(s.times()); n != 5 {
			t.Errorf("%d tries, want 5", n)
		}
		if e := l.State(); e.Attempt != 5 || e.Backoff != 300*ms {
			t.Errorf("state %+v", e)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if f, err := l.Next(ctx); f != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next of a camera that is lost = %v, %v", f, err)
		}
	})
}

// Close does not wait for a read that blocks, and the source behind it is closed later.
func testCloseWhileBlocked(t *testing.T) {
	a := newFake(period, lends)
	a.frames, a.hang = 1, make(chan struct{})
	watched(t, Config{}, &script{conns: []func() (camera.Source, error){source(a)}}, func(t *testing.T, l camera.Live, j *journal) {
		f := frame(t, l)
		begin := time.Now()
		l.Close()
		if took := time.Since(begin); took > time.Second {
			t.Errorf("Close took %v", took)
		}
		close(a.hang)
		<-a.closed
		if f.Pix[0] != 0 || len(f.Pix) == 0 {
			t.Error("the lent frame changed")
		}
		f.Release()
	})
}
