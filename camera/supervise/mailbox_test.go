package supervise

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"perceive/camera"
)

// Whatever is put and taken, each number comes out once and in order, times grow, and the frame
// that waits is the newest.
func TestMailboxLosesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		m := &mailbox{frame: -1}
		put, taken, last := uint64(0), uint64(0), time.Duration(-1)
		fill := r.Float64()
		for range 4 * places {
			if m.len == 0 || r.Float64() < fill {
				rec := record{seq: put, n: 1, from: time.Duration(put) * ms, to: time.Duration(put) * ms}
				switch put++; {
				case r.IntN(3) > 0:
					rec.frame = &camera.Frame{Seq: rec.seq}
				default:
					rec.err = errSpoilt
				}
				m.put(rec)
			} else {
				one := m.take()
				if one.seq != taken || one.n != 1 || one.from <= last {
					t.Fatalf("took %+v, want number %d after %v", one, taken, last)
				}
				if one.frame != nil && one.frame.Seq != one.seq {
					t.Fatalf("frame %d came as number %d", one.frame.Seq, one.seq)
				}
				taken, last = taken+1, one.from
			}
			if m.waiting != put-taken {
				t.Fatalf("%d wait, want %d", m.waiting, put-taken)
			}
			if m.frame >= 0 && (m.frame >= m.len || m.at(m.frame).frame == nil) {
				t.Fatalf("no frame at place %d of %d", m.frame, m.len)
			}
		}
	}
}

// Once warm, neither frames nor their absence allocate.
func TestNextAllocatesNothing(t *testing.T) {
	for _, p := range []Policy{Newest, Every} {
		a := newFake(0, lends)
		a.fast = true
		a.bad = func(i int) bool { return i%5 == 4 }
		watched(t, Config{Policy: p}, &script{conns: []func() (camera.Source, error){source(a)}}, func(t *testing.T, l camera.Live, _ *journal) {
			ctx := t.Context()
			var bad *camera.FrameError
			read := func() {
				switch f, err := l.Next(ctx); {
				case f != nil:
					f.Release()
				case !errors.As(err, &bad):
					t.Fatal(err)
				}
			}
			for range 100 {
				read()
			}
			if n := testing.AllocsPerRun(1000, read); n >= 1 {
				t.Errorf("%s: %g allocations a call", p, n)
			}
		})
	}
}

// BenchmarkNext is what the supervisor costs for each number.
func BenchmarkNext(b *testing.B) {
	a := newFake(0, lends)
	a.fast = true
	l := Open(Config{Policy: Every, Open: func(context.Context) (camera.Source, error) { return a, nil }})
	defer l.Close()
	b.ReportAllocs()
	for b.Loop() {
		f, err := l.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
}
