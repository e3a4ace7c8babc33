package supervise

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"perceive/camera"
	"perceive/camera/cameratest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ms     = time.Millisecond
	uri    = "fake://"
	lends  = 6
	period = 10 * ms
)

func TestConformance(t *testing.T) {
	for _, p := range []Policy{Newest, Every} {
		t.Run(string(p), func(t *testing.T) {
			cameratest.TestLive(t, func(t *testing.T) camera.Live {
				return Open(Config{
					Info: camera.Info{URI: uri, Kind: "fake"}, Policy: p,
					Open: func(context.Context) (camera.Source, error) {
						f := newFake(period, lends)
						f.bad = func(i int) bool { return i%7 == 3 }
						return f, nil
					},
				})
			}, cameratest.Want{Info: camera.Info{URI: uri, Kind: "fake", Width: 8, Height: 6}})
		})
	}
}

// TestSupervisor runs each part under a clock of its own: waits take no time, and are exact.
func TestSupervisor(t *testing.T) {
	for name, part := range map[string]func(*testing.T){
		"reconnect":           testReconnect,
		"size changes":        testSizeChanges,
		"hang":                testHang,
		"stall ends":          testStallEnds,
		"abandoned bound":     testAbandonedBound,
		"open hangs":          testOpenHangs,
		"handshake hangs":     testHandshakeHangs,
		"backoff":             testBackoff,
		"close while blocked": testCloseWhileBlocked,
		"every ends":          testEveryEnds,
		"burst":               testBurst,
		"stale":               testStale,
		"only bad frames":     testOnlyBadFrames,
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, part) })
	}
}

// watched runs a supervised script.
func watched(t *testing.T, c Config, s *script, run func(t *testing.T, l camera.Live, j *journal)) {
	t.Helper()
	var j journal
	c.Open, c.OnEvent, c.Info = s.open, j.add, camera.Info{URI: uri, Kind: "fake"}
	l := Open(c)
	defer l.Close()
	run(t, l, &j)
}

// states are the states of events, in order.
func states(events []camera.Event) (s []camera.State) {
	for _, e := range events {
		s = append(s, e.State)
	}
	return s
}

func checkStates(t *testing.T, got []camera.Event, want ...camera.State) {
	t.Helper()
	s := states(got)
	if len(s) != len(want) {
		t.Fatalf("states %v, want %v", s, want)
	}
	for i := range s {
		if s[i] != want[i] {
			t.Fatalf("states %v, want %v", s, want)
		}
	}
}

func frame(t *testing.T, l camera.Live) *camera.Frame {
	t.Helper()
	for {
		f, err := l.Next(t.Context())
		if err == nil {
			return f
		}
		if !errors.As(err, new(*camera.FrameError)) {
			t.Fatal(err)
		}
	}
}

// A connection that breaks: the next one follows at once, and numbers and times go on.
func testReconnect(t *testing.T) {
	a, b := newFake(period, lends), newFake(period, lends)
	a.frames, a.end = 5, errors.New("cable pulled")
	b.w, b.h = 16, 12
	s := &script{conns: []func() (camera.Source, error){source(a), refuse, source(b)}}
	watched(t, Config{}, s, func(t *testing.T, l camera.Live, j *journal) {
		last := time.Duration(-1)
		for seq := range uint64(12) {
			f, err := l.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Seq != seq || f.Time <= last {
				t.Errorf("frame %d at %v; want number %d after %v", f.Seq, f.Time, seq, last)
			}
			if f.Stamp != time.Duration(f.Pix[0])*time.Second || f.Clock != camera.SceneClock {
				t.Errorf("frame %d: stamp %v of %q", f.Seq, f.Stamp, f.Clock)
			}
			last = f.Time
			f.Release()
		}
		synctest.Wait()
		e := j.events()
		checkStates(t, e, camera.Connecting, camera.Streaming, camera.Lost, camera.Connecting, camera.Lost, camera.Connecting, camera.Streaming)
		if e[2].Reason != "cable pulled" || e[2].Backoff != 100*ms || e[4].Reason != "refused" || e[4].Attempt != 1 || e[4].Backoff != 200*ms || e[5].Attempt != 2 {
			t.Errorf("events %+v", e)
		}
		if !strings.Contains(e[6].Reason, "16×12 instead of 8×6") || l.State() != e[6] {
			t.Errorf("last event %+v, state %+v", e[6], l.State())
		}
		if i := l.Info(); i.Width != 16 || i.URI != uri || !i.Live {
			t.Errorf("Info %+v", i)
		}
	})
	<-a.closed
	<-b.closed
}

// A size that changes in mid-stream is an event, and the frames go on.
func testSizeChanges(t *testing.T) {
	a := newFake(period, lends)
	a.bad = func(i int) bool {
		if i == 3 {
			a.w, a.h = 4, 2
		}
		return false
	}
	watched(t, Config{}, &script{conns: []func() (camera.Source, error){source(a)}}, func(t *testing.T, l camera.Live, j *journal) {
		for seq := range 6 {
			f := frame(t, l)
			if small := f.Width == 4; small != (seq >= 3) {
				t.Errorf("frame %d is %d×%d", f.Seq, f.Width, f.Height)
			}
			f.Release()
		}
		synctest.Wait()
		e := j.events()
		checkStates(t, e, camera.Connecting, camera.Streaming, camera.Streaming)
		if want := "from frame 3 on, frames are 4×2 instead of 8×6"; e[2].Reason != want {
			t.Errorf("reason %q, want %q", e[2].Reason, want)
		}
	})
}

// A read that blocks, as in C: stalled, given up, connected again, and left behind.
func testHang(t *testing.T) {
	a, b := newFake(period, lends), newFake(period, lends)
	a.frames, a.hang = 5, make(chan struct{})
	s := &script{conns: []func() (camera.Source, error){source(a), source(b)}}
	watched(t, Config{}, s, func(t *testing.T, l camera.Live, j *journal) {
		for range 5 {
			frame(t, l).Release()
		}
		begin := time.Now()
		frame(t, l).Release()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("frames again after %v", took)
		}
		synctest.Wait()
		e := j.events()
		checkStates(t, e, camera.Connecting, camera.Streaming, camera.Stalled, camera.Lost, camera.Connecting, camera.Streaming)
		if noticed := e[2].Time.Sub(begin); noticed > time.Second {
			t.Errorf("noticed after %v", noticed)
		}
		select {
		case <-a.closed:
			t.Error("a source was closed while it was read")
		default:
		}
		close(a.hang) // the read comes back, to nobody
		synctest.Wait()
		<-a.closed
	})
}

// A frame that comes late ends the stall, without a new connection.
func testStallEnds(t *testing.T) {
	a := newFake(period, lends)
	a.bad = func(i int) bool {
		if i == 2 {
			time.Sleep(700 * ms)
		}
		return false
	}
	s := &script{conns: []func() (camera.Source, error){source(a)}}
	watched(t, Config{}, s, func(t *testing.T, l camera.Live, j *journal) {
		for range 4 {
			frame(t, l).Release()
		}
		synctest.Wait()
		checkStates(t, j.events(), camera.Connecting, camera.Streaming, camera.Stalled, camera.Streaming)
	})
}

// A finite source under Every loses nothing, whatever the reader does, and ends.
func testEveryEnds(t *testing.T) {
	a := newFake(ms, lends)
	a.frames = 50
	a.bad = func(i int) bool { return i%10 == 9 }
	watched(t, Config{Policy: Every, MaxAge: time.Hour}, &script{conns: []func() (camera.Source, error){source(a)}}, func(t *testing.T, l camera.Live, j *journal) {
		for seq := range uint64(50) {
			f, err := l.Next(t.Context())
			if seq%10 == 9 {
				var bad *camera.FrameError
				if !errors.As(err, &bad) || bad.Seq != seq || !errors.Is(err, errSpoilt) || bad.Name != "picture" {
					t.Errorf("frame %d: %v", seq, err)
				}
				continue
			}
			if err != nil || f.Seq != seq || f.Pix[0] != byte(seq) {
				t.Fatalf("frame %d: %v, %v", seq, f, err)
			}
			if seq == 5 {
				time.Sleep(time.Minute) // our fault, and no stall
			}
			f.Release()
		}
		for range 2 {
			if _, err := l.Next(t.Context()); !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
		}
		want := camera.Counts{Captured: 50, Delivered: 45, Unreadable: 5}
		if c := l.Counts(); c != want {
			t.Errorf("counts %+v, want %+v", c, want)
		}
		checkStates(t, j.events(), camera.Connecting, camera.Streaming, camera.Lost)
	})
}

// Nobody asks for a minute: every number is reported all the same, in order, with its time.
func testBurst(t *testing.T) {
	a := newFake(period, lends)
	a.bad = func(i int) bool { return i%100 == 50 }
	watched(t, Config{}, &script{conns: []func() (camera.Source, error){source(a)}}, func(t *testing.T, l camera.Live, j *journal) {
		time.Sleep(time.Minute + period/2)
		synctest.Wait()
		c := l.Counts()
		if c.Captured != 6000 || c.Waiting != 6000 {
			t.Fatalf("counts %+v, want 6000 captured and waiting", c)
		}
		for seq := range uint64(6000) {
			f, err := l.Next(t.Context())
			if seq == 5999 {
				if err != nil || f.Seq != seq {
					t.Fatalf("the newest frame: %v, %v", f, err)
				}
				f.Release()
				break
			}
			var bad *camera.FrameError
			if !errors.As(err, &bad) || bad.Seq != seq {
				t.Fatalf("number %d: %v", seq, err)
			}
			if !errors.Is(err, camera.ErrDropped) && !errors.Is(err, errSpoilt) {
				t.Fatalf("number %d: %v", seq, err)
			}
			if want := time.Duration(seq+1) * period; (bad.Time - want).Abs() > ms {
				t.Fatalf("number %d: time %v, want %v", seq, bad.Time, want)
			}
		}
		c = l.Counts()
		if c.Delivered != 1 || c.Unreadable < 2 || c.Dropped+c.Unreadable != 5999 || c.Waiting != 0 {
			t.Errorf("counts %+v", c)
		}
	})
}

func testStale(t *testing.T) {
	a := newFake(period, lends)
	a.bad = func(i int) bool {
		if i == 1 {
			time.Sleep(400 * ms)
		}
		return false
	}
	watched(t, Config{MaxAge: 100 * ms}, &script{conns: []func() (camera.Source, error){source(a)}}, func(t *testing.T, l camera.Live, j *journal) {
		time.Sleep(300 * ms)
		f, err := l.Next(t.Context())
		if f != nil || !errors.Is(err, camera.ErrStale) {
			t.Errorf("a frame of 290 ms: %v, %v", f, err)
		}
		if f := frame(t, l); f.Seq != 1 || time.Since(f.Captured) > 100*ms {
			t.Errorf("frame %d of %v", f.Seq, time.Since(f.Captured))
		}
		if c := l.Counts(); c.Stale != 1 || c.Delivered != 1 {
			t.Errorf("counts %+v", c)
		}
	})
}

// Bad frames alone are a stall that no new connection ends.
func testOnlyBadFrames(t *testing.T) {
	a := newFake(period, lends)
	a.bad = func(i int) bool { return i > 3 }
	s := &script{conns: []func() (camera.Source, error){source(a)}}
	watched(t, Config{}, s, func(t *testing.T, l camera.Live, j *journal) {
		time.Sleep(5 * time.Second)
		synctest.Wait()
		checkStates(t, j.events(), camera.Connecting, camera.Streaming, camera.Stalled)
		if n := len(s.times()); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}
