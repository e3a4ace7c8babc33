package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestSettled(t *testing.T) {
	for _, tc := range []struct {
		medians []time.Duration
		want    bool
	}{
		{nil, false},
		{[]time.Duration{10, 10}, false},
		{[]time.Duration{100, 100, 100}, true},
		{[]time.Duration{100, 110, 105}, true},
		{[]time.Duration{100, 111, 105}, false},
		{[]time.Duration{900, 300, 105, 100, 103}, true},
		{[]time.Duration{100, 100, 100, 150}, false},
	} {
		if got := settled(tc.medians); got != tc.want {
			t.Errorf("%v: settled %v, want %v", tc.medians, got, tc.want)
		}
	}
}

// sleeper is a stage whose n-th frame takes each(n).
func sleeper(name string, each func(n int) time.Duration) Stage {
	n := 0
	return Stage{Name: name, Run: func(ctx context.Context, m *Meter) error {
		for m.Begin(); !m.Done(); n++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			d := each(n)
			time.Sleep(d)
			m.Note(d)
		}
		return nil
	}}
}

func steady(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func TestWarmUp(t *testing.T) {
	for _, tc := range []struct {
		name    string
		each    func(n int) time.Duration
		settled bool
		windows int // at least
	}{
		{"steady", steady(5 * time.Millisecond), true, 3},
		{"slow at first", func(n int) time.Duration { return time.Duration(5+200/(1+n/10)) * time.Millisecond }, true, 5},
		{"slower and slower", func(n int) time.Duration { return time.Millisecond * time.Duration(math.Pow(1.01, float64(n))) }, false, 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := sleeper(tc.name, tc.each)
			w, err := s.warm(t.Context(), 10*time.Second, nil)
			if err != nil || w.Settled != tc.settled || w.Windows < tc.windows || !w.Settled && w.Seconds < 10 {
				t.Errorf("%s: %+v, %v; want settled %v after %d windows or more", tc.name, w, err, tc.settled, tc.windows)
			}
		})
	}
}

var plan = Plan{Seconds: 2, Repetitions: 4, WarmUp: 10, Trial: 1, Rates: Range{1, 1000}}

func TestMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		named := func(s Stage) Stage {
			run := s.Run
			s.Run = func(ctx context.Context, m *Meter) error {
				order = append(order, s.Name)
				return run(ctx, m)
			}
			return s
		}
		// Every fiftieth frame of the second one takes ten times as long.
		stages := []Stage{named(sleeper("a", steady(2*time.Millisecond))), named(sleeper("b", func(n int) time.Duration {
			if n%50 == 49 {
				return 40 * time.Millisecond
			}
			return 4 * time.Millisecond
		}))}
		var last float64
		rows, err := Measure(t.Context(), stages, plan, func(share float64, what string) {
			if share < last || share > 1 || what == "" {
				t.Errorf("progress %g after %g: %q", share, last, what)
			}
			last = share
		})
		if err != nil {
			t.Fatal(err)
		}
		if turns := order[len(order)-8:]; !slices.Equal(turns, []string{"a", "b", "a", "b", "a", "b", "a", "b"}) {
			t.Errorf("the stages were measured in the order %v", turns)
		}
		if last < 0.9 {
			t.Errorf("progress ended at %g", last)
		}
		near := func(got, want float64) bool { return math.Abs(got/want-1) < 0.01 }
		for i, want := range []struct{ p50, p90, p99, max, rate, frames float64 }{
			{2, 2, 2, 2, 500, 4 * 248},
			{4, 4, 40, 40, 50 / (49*0.004 + 0.04), 0},
		} {
			r := rows[i]
			if !near(r.P50.Median, want.p50) || !near(r.P50.Min, want.p50) || !near(r.P90, want.p90) || !near(r.P99, want.p99) || !near(r.Max, want.max) {
				t.Errorf("%s: %+v, want %+v", r.Name, r, want)
			}
			if math.Abs(r.PerS.Median/want.rate-1) > 0.05 || r.Turns != 4 || !r.WarmUp.Settled {
				t.Errorf("%s: %+v a second, want %g", r.Name, *r.PerS, want.rate)
			}
			if want.frames > 0 && math.Abs(float64(r.Frames)-want.frames) > 8 {
				t.Errorf("%s: %d frames, want about %g", r.Name, r.Frames, want.frames)
			}
		}
	})
}

// Of an interrupted run the turns that were whole are reported.
func TestMeasureInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // both warm, and two turns of three
		defer cancel()
		rows, err := Measure(ctx, []Stage{sleeper("a", steady(time.Millisecond)), sleeper("b", steady(time.Millisecond))}, plan, nil)
		if !errors.Is(err, context.DeadlineExceeded) || len(rows) != 2 || rows[0].Turns != 2 || rows[1].Turns != 1 {
			t.Errorf("%+v, %v", rows, err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if rows, err := Measure(ctx, []Stage{sleeper("a", steady(time.Millisecond))}, plan, nil); !errors.Is(err, context.Canceled) || len(rows) != 0 {
			t.Errorf("%+v, %v: want nothing", rows, err)
		}
	})
}

// Frames decide the length of a turn where they are asked for.
func TestMeasureFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan
		p.Seconds, p.Frames = 0, 202
		rows, err := Measure(t.Context(), []Stage{sleeper("a", steady(time.Millisecond))}, p, nil)
		if err != nil || rows[0].Frames != 4*51 {
			t.Errorf("%+v, %v: want 4 turns of 51 frames", rows, err)
		}
	})
}

func TestPlanCheck(t *testing.T) {
	if err := plan.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Plan){
		"no time":         func(p *Plan) { p.Seconds = 0 },
		"negative time":   func(p *Plan) { p.Seconds = -1 },
		"no number":       func(p *Plan) { p.Seconds = math.NaN() },
		"for ever":        func(p *Plan) { p.Seconds = math.Inf(1) },
		"negative frames": func(p *Plan) { p.Frames = -1 },
		"one turn":        func(p *Plan) { p.Repetitions = 1 },
		"no warm-up":      func(p *Plan) { p.WarmUp = 0 },
		"no trial":        func(p *Plan) { p.Trial = 0 },
		"rates":           func(p *Plan) { p.Rates.Min = 2000 },
	} {
		p := plan
		spoil(&p)
		if p.Check() == nil {
			t.Errorf("%s: %+v is accepted", name, p)
		}
	}
}

func TestMeterAllocatesNothing(t *testing.T) {
	m := newMeter(2, time.Hour, 1)
	m.tick = newClock(time.Second, 0, func(float64, string) {}).phase(time.Second, "test")
	m.Begin()
	if n := testing.AllocsPerRun(1000, func() {
		if m.Note(3*time.Millisecond, time.Millisecond, 2*time.Millisecond); m.Done() {
			t.Fatal("done")
		}
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
