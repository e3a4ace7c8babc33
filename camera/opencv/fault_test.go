//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"perceive/camera"
)

// Promises of a supervised camera, with slack for a machine that is busy.
const (
	noticedWithin = 3 * time.Second // promised: 1 s
	backWithin    = 10 * time.Second
)

// faulty is an MJPEG server at one address that can be killed, started again and told to misbehave.
type faulty struct {
	t    *testing.T
	addr string
	mode atomic.Value // string: "", "hang", "half", "corrupt", "big", "refuse"

	mu  sync.Mutex
	srv *http.Server
}

func newFaulty(t *testing.T) *faulty {
	f := &faulty{t: t, addr: "127.0.0.1:0"}
	f.mode.Store("")
	f.start()
	t.Cleanup(f.kill)
	return f
}

func (f *faulty) start() {
	in, err := net.Listen("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.addr = in.Addr().String()
	small, big := greyJPEG(f.t, 64, 48, 10), greyJPEG(f.t, 128, 96, 20)
	spoilt := append([]byte(nil), small...)
	for i := 20; i < len(spoilt); i += 3 {
		spoilt[i] ^= 0x55
	}
	stream := multipartHandler(func(_ int, w io.Writer) bool {
		time.Sleep(10 * time.Millisecond)
		switch f.mode.Load() {
		case "hang":
		case "half":
			fmt.Fprintf(w, "--frame\r\nContent-Length: %d\r\n\r\n%s", len(small), small[:len(small)/2])
			return false
		case "corrupt":
			sendPart(w, spoilt)
		case "big":
			sendPart(w, big)
		default:
			sendPart(w, small)
		}
		return true
	})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.mode.Load() == "refuse" {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		stream.ServeHTTP(w, r)
	})}
	f.mu.Lock()
	f.srv = srv
	f.mu.Unlock()
	go srv.Serve(in)
}

func (f *faulty) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.srv.Close()
}

// events keeps what a source tells and waits for it.
type events struct{ seen chan camera.Event }

func (e *events) wait(t *testing.T, within time.Duration, what string, is func(camera.Event) bool) camera.Event {
	t.Helper()
	limit := time.After(within)
	for {
		select {
		case ev := <-e.seen:
			if is(ev) {
				return ev
			}
		case <-limit:
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func inState(s camera.State) func(camera.Event) bool {
	return func(e camera.Event) bool { return e.State == s }
}

// consume reads frames and says when the last one came.
func consume(t *testing.T, l camera.Live) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		next := uint64(0)
		for {
			f, err := l.Next(ctx)
			var bad *camera.FrameError
			seq := next
			switch {
			case err == nil:
				seq = f.Seq
				f.Release()
			case errors.As(err, &bad):
				seq = bad.Seq
			default:
				return
			}
			if seq != next {
				t.Errorf("number %d, want %d", seq, next)
			}
			next++
		}
	})
	t.Cleanup(func() {
		cancel()
		done.Wait()
		c := l.Counts()
		if sum := c.Delivered + c.Dropped + c.Stale + c.Unreadable + c.Waiting; sum != c.Captured || c.Delivered == 0 {
			t.Errorf("counts %+v", c)
		}
	})
}

// What goes wrong with a camera in the network, how soon it is noticed and how soon frames
// come again. The log says the times: go test -v -run Faults.
func TestHTTPFaults(t *testing.T) {
	for _, tc := range []struct {
		name    string
		begin   func(f *faulty)
		end     func(f *faulty)
		noticed camera.State
		reason  string
	}{
		{"server killed and back", (*faulty).kill, (*faulty).start, camera.Lost, ""},
		{"hung", mode("hang"), mode(""), camera.Stalled, "no good frame"},
		{"half a JPEG, then nothing", mode("half"), mode(""), camera.Lost, "unexpected EOF"},
		{"corrupt bytes", mode("corrupt"), mode(""), camera.Stalled, "no good frame"},
		{"refused", func(f *faulty) { mode("refuse")(f); f.kill(); f.start() }, mode(""), camera.Lost, ""},
		{"another size", mode("big"), mode(""), camera.Streaming, "128×96 instead of 64×48"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel() // they wait
			f := newFaulty(t)
			e := &events{seen: make(chan camera.Event, 1000)}
			l := supervised(t, "http://"+f.addr, func(ev camera.Event) { e.seen <- ev })
			consume(t, l)
			e.wait(t, backWithin, "the first frame", inState(camera.Streaming))
			begin := time.Now()
			tc.begin(f)
			ev := e.wait(t, noticedWithin, "notice", inState(tc.noticed))
			if !strings.Contains(ev.Reason, tc.reason) {
				t.Errorf("reason %q, want %q", ev.Reason, tc.reason)
			}
			noticed := ev.Time.Sub(begin)
			time.Sleep(1500 * time.Millisecond) // long enough for the pauses to grow
			before := l.Counts().Delivered
			back := time.Now()
			tc.end(f)
			if tc.noticed != camera.Streaming {
				e.wait(t, backWithin, "frames again", inState(camera.Streaming))
			}
			again := time.Since(back)
			for l.Counts().Delivered == before && time.Since(back) < backWithin {
				time.Sleep(time.Millisecond)
			}
			if l.Counts().Delivered == before {
				t.Error("no frame after the fault")
			}
			t.Logf("noticed after %v (%s), streaming again %v after the fault ended", noticed.Round(time.Millisecond), ev.State, again.Round(time.Millisecond))
		})
	}
}

func mode(m string) func(*faulty) { return func(f *faulty) { f.mode.Store(m) } }
