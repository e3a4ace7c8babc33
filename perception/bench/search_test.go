package bench

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// clip of n small frames.
func clip(n int) *Clip {
	c := &Clip{Info: camera.Info{URI: "test"}}
	for i := range n {
		pix := make([]byte, 3*8*8)
		pix[0] = byte(i)
		c.frames = append(c.frames, picture{8, 8, 24, pix})
	}
	return c
}

// server stands for a pipeline that takes a time for each frame, one after the other.
func server(each time.Duration) func(context.Context, camera.Source, perception.Sink) error {
	return func(ctx context.Context, src camera.Source, sink perception.Sink) error {
		var bad *camera.FrameError
		for {
			f, err := src.Next(ctx)
			r := perception.Result{Status: perception.OK}
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case errors.As(err, &bad):
				r.Seq, r.Status = bad.Seq, perception.Dropped
			case err != nil:
				return err
			default:
				time.Sleep(each)
				r.Seq, r.Captured = f.Seq, f.Captured
				f.Release()
			}
			if err := sink.Emit(ctx, &r, f); err != nil {
				return err
			}
		}
	}
}

// offer tries a rate on a server.
func offer(n int, each time.Duration) func(context.Context, float64) (Trial, error) {
	return func(ctx context.Context, rate float64) (Trial, error) {
		return Offer(ctx, clip(7), rate, n, nil, server(each))
	}
}

// A server that takes 25 ms answers 40 frames a second. At 1/(1-0.05) of that a twentieth of
// them is dropped: 42.1.
func TestSearchFindsACapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, guess := range []float64{0, 3, 41, 43, 500, 1e6} {
			s, err := Search(t.Context(), Range{1, 1000}, guess, offer(400, 25*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			const want = 40 / (1 - maxDrops)
			if s.PerS < want/resolution/1.01 || s.PerS > want*1.01 || s.AtLeast || s.Failed < s.PerS || s.Failed > s.PerS*resolution {
				t.Errorf("from %g: %g kept and %g not, want %.2f between them", guess, s.PerS, s.Failed, want)
			}
			for _, o := range s.Trials {
				if o.Offered != o.Answered+o.Dropped || o.Offered > 400 || !o.Cut && o.Offered != 400 {
					t.Errorf("at %g/s: %d offered, %d answered, %d dropped, cut %v", o.PerS, o.Offered, o.Answered, o.Dropped, o.Cut)
				}
			}
			if s.At.Offered < confirmations*400 {
				t.Errorf("%d frames at the rate that was found, want %d trials of 400", s.At.Offered, confirmations)
			}
		}
	})
}

func TestOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct {
			rate    float64
			dropped int
			cut     bool
			age     float64 // median, ms
		}{
			{rate: 20, age: 25},                 // each waits for nothing
			{rate: 40, age: 25},                 // just
			{rate: 80, cut: true},               // half of them
			{rate: 1000, cut: true},             // nearly all
			{rate: 40.4, age: 37.5, dropped: 2}, // 1 % too fast: the wait grows until one is dropped, again and again
		} {
			o, err := offer(200, 25*time.Millisecond)(t.Context(), tc.rate)
			if err != nil {
				t.Fatal(err)
			}
			if o.Cut != tc.cut || o.Offered != o.Answered+o.Dropped || !tc.cut && (o.Offered != 200 || o.Dropped != tc.dropped) {
				t.Errorf("%g/s: %+v, want %d dropped, cut %v", tc.rate, o, tc.dropped, tc.cut)
			}
			if tc.age > 0 && (o.Age50 < 0.9*tc.age || o.Age50 > 1.1*tc.age || o.Age99 < o.Age50) {
				t.Errorf("%g/s: age %.2f and %.2f ms, want about %.1f", tc.rate, o.Age50, o.Age99, tc.age)
			}
			if tc.cut && o.DropShare() < maxDrops {
				t.Errorf("%g/s: cut at a share of %g", tc.rate, o.DropShare())
			}
		}
	})
}

// threshold drops half of the frames above a rate.
func threshold(at float64, n *int) func(context.Context, float64) (Trial, error) {
	return func(_ context.Context, rate float64) (Trial, error) {
		*n++
		t := Trial{PerS: rate, Offered: 100, Answered: 100}
		if rate > at {
			t.Answered, t.Dropped = 50, 50
		}
		return t, nil
	}
}

func TestSearchRange(t *testing.T) {
	for _, tc := range []struct{ at, guess, want float64 }{
		{0.5, 10, 0}, {1, 700, 1}, {77, 77, 77}, {77, 0, 77}, {99.9, 1, 99.9}, {100, 5, 100}, {1e6, 1, 100},
	} {
		n := 0
		s, err := Search(t.Context(), Range{1, 100}, tc.guess, threshold(tc.at, &n))
		if err != nil {
			t.Fatal(err)
		}
		if s.PerS > tc.want || s.PerS < tc.want/resolution || s.AtLeast != (tc.at >= 100) {
			t.Errorf("a limit of %g, from %g: found %g (at least: %v), want %g", tc.at, tc.guess, s.PerS, s.AtLeast, tc.want)
		}
		if n != len(s.Trials) || n > 40 {
			t.Errorf("a limit of %g, from %g: %d trials, %d reported", tc.at, tc.guess, n, len(s.Trials))
		}
	}
}

// A rate that was kept once by luck is given up when it is tried again.
func TestSearchConfirms(t *testing.T) {
	seen := map[float64]int{}
	s, err := Search(t.Context(), Range{1, 1000}, 100, func(_ context.Context, rate float64) (Trial, error) {
		seen[rate]++
		o := Trial{PerS: rate, Offered: 100, Answered: 100}
		if rate > 110 || rate > 60 && seen[rate] > 1 {
			o.Answered, o.Dropped = 80, 20
		}
		return o, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.PerS > 60 || s.PerS < 30 || s.At.Dropped != 0 || s.At.Offered != 300 || s.Failed <= 60 {
		t.Errorf("found %g, %g failed, %+v", s.PerS, s.Failed, s.At)
	}
}

func TestSearchStops(t *testing.T) {
	full := errors.New("full")
	n := 0
	s, err := Search(t.Context(), Range{1, 1000}, 10, func(ctx context.Context, rate float64) (Trial, error) {
		if n++; n == 3 {
			return Trial{}, full
		}
		return Trial{PerS: rate, Offered: 100, Answered: 100}, nil
	})
	if !errors.Is(err, full) || len(s.Trials) != 2 || s.PerS != 0 {
		t.Errorf("%v with %d trials, found %g; want the error, 2 and nothing", err, len(s.Trials), s.PerS)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		s, err := Search(ctx, Range{1, 1000}, 10, offer(100, 25*time.Millisecond))
		if !errors.Is(err, context.DeadlineExceeded) || len(s.Trials) != 1 {
			t.Errorf("%v with %d trials; the first one takes 10.5 s", err, len(s.Trials))
		}
	})
}

func TestOfferNoticesLostFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := Offer(t.Context(), clip(3), 100, 50, nil, func(ctx context.Context, src camera.Source, sink perception.Sink) error {
			n := 0
			return server(time.Millisecond)(ctx, src, sinkFunc(func(r *perception.Result) error {
				if n++; n == 40 {
					return nil // is not passed on
				}
				return sink.Emit(ctx, r, nil)
			}))
		})
		if err == nil {
			t.Error("a lost frame was not noticed")
		}
	})
}

type sinkFunc func(*perception.Result) error

func (f sinkFunc) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error { return f(r) }
func (f sinkFunc) Close() error                                                        { return nil }

func TestRangeCheck(t *testing.T) {
	zero := 0.0
	for _, r := range []Range{{0, 10}, {-1, 10}, {10, 10}, {20, 10}, {1, fastest + 1}, {1, 1 / zero}, {zero / zero, 10}, {1, zero / zero}} {
		if _, err := Search(t.Context(), r, 5, nil); err == nil {
			t.Errorf("%v was searched", r)
		}
	}
}

func TestPacedAllocatesNothing(t *testing.T) {
	src := newPaced(clip(5), fastest, 1e6, 1e6)
	ctx := t.Context()
	if n := testing.AllocsPerRun(200, func() {
		if f, err := src.Next(ctx); err == nil {
			f.Release()
		}
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// A bench that offers frames late by its own doing claims no rate: the error is measured on the
// frames that the pipeline waited for, and judged against the period.
func TestOfferJudgesItsPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct {
			late time.Duration
			each time.Duration
			bad  bool
		}{
			{0, time.Millisecond, false},
			{2 * time.Millisecond, time.Millisecond, false}, // a fifth of the period
			{4 * time.Millisecond, time.Millisecond, true},
			{4 * time.Millisecond, 30 * time.Millisecond, false}, // the pipeline is slower, and drops
		} {
			src := newPaced(clip(3), 100, 200, 200)
			src.timer = time.NewTimer(0)
			src.start = time.Now()
			src.now = func() time.Time { // a timer that wakes late: at a multiple of the period the clock is found ahead
				if now := time.Now(); now.Sub(src.start)%src.every == 0 {
					return now.Add(tc.late)
				}
				return time.Now()
			}
			count := &counter{trial: Trial{PerS: 100, ages: histogram()}}
			if err := server(tc.each)(t.Context(), src, count); err != nil {
				t.Fatal(err)
			}
			src.pace.judge(&count.trial, src.next)
			if got := count.trial; got.Late != tc.bad {
				t.Errorf("%v late, %v a frame: late %v, p90 %g ms", tc.late, tc.each, got.Late, got.Pacing90)
			}
		}
	})
}

// Above a rate the bench is late: that rate is claimed as the least, and none above it.
func TestSearchClaimsNothingWhereItWasLate(t *testing.T) {
	for _, tc := range []struct{ at, want float64 }{{50, 50}, {0.1, 0}} {
		s, err := Search(t.Context(), Range{1, 100}, 80, func(_ context.Context, rate float64) (Trial, error) {
			return Trial{PerS: rate, Offered: 100, Answered: 100, Pacing90: 5, Late: rate > tc.at}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if s.PerS > tc.want || s.PerS < tc.want/resolution || s.Failed != 0 || s.LateAt <= s.PerS || s.AtLeast != (s.PerS > 0) || !s.possible() {
			t.Errorf("late above %g: %+v", tc.at, s)
		}
		var out strings.Builder
		if err := s.print(&out); err != nil || !strings.Contains(out.String(), "the bench itself offered") || !strings.Contains(out.String(), "says nothing") {
			t.Errorf("%v:\n%s", err, &out)
		}
		var c Comparison
		if c.rate(s, s); tc.want == 0 && len(c.Missing) != 1 {
			t.Errorf("a rate that was not found was compared: %+v", c)
		}
	}
}
