// Package bench measures how fast frames are answered: the latency of each stage of the frame
// path, alone and together, and the highest rate at which frames can come.
//
// A stage is warmed up until its latency has settled. Then the stages are measured in turns,
// several times over, so that whatever else the machine does meets all of them; how far the
// turns of a stage lie apart is its noise, and no difference within it is one.
package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Plan says how long is measured.
type Plan struct {
	// Seconds is how long each stage is measured, and Frames on how many frames at least;
	// both are divided between Repetitions turns.
	Seconds     float64
	Frames      int
	Repetitions int
	// WarmUp is the longest that a stage may take to settle, seconds.
	WarmUp float64
	// Trial is how long frames are offered at one rate, seconds; a hundred frames at least.
	Trial float64
	Rates Range
}

// trialFrames is the least number of frames of a trial: one is then a percent.
const trialFrames = 100

// Check refuses a plan that cannot be carried out.
func (p Plan) Check() error {
	const most = 24 * 3600
	positive := func(v float64) bool { return v > 0 && v <= most }
	switch {
	case p.Frames < 0 || p.Frames > 1e9:
		return fmt.Errorf("%d frames a stage: want 0 to a billion", p.Frames)
	case !(p.Seconds >= 0 && p.Seconds <= most) || p.Seconds == 0 && p.Frames == 0:
		return fmt.Errorf("%g s a stage: want more than 0 and at most %d", p.Seconds, most)
	case p.Repetitions < 2 || p.Repetitions > 100:
		return fmt.Errorf("%d repetitions: want 2 to 100, one alone shows no noise", p.Repetitions)
	case !positive(p.WarmUp):
		return fmt.Errorf("%g s of warm-up at most: want more than 0 and at most %d", p.WarmUp, most)
	case !positive(p.Trial):
		return fmt.Errorf("%g s a trial: want more than 0 and at most %d", p.Trial, most)
	}
	return p.Rates.Check()
}

// Progress is told what share of the time has passed, 0 to 1, and what is being done.
type Progress func(share float64, what string)

// Measure warms the stages up and measures them. On an error, or when ctx ends, it returns
// what was measured up to there.
func Measure(ctx context.Context, stages []Stage, p Plan, progress Progress) ([]Row, error) {
	var all []*measured
	b := newClock(time.Duration(len(stages))*(warmGuess+seconds(p.Seconds)), 0, progress)
	rows := func() (out []Row) {
		for _, m := range all {
			out = append(out, m.rows()...)
		}
		return out
	}
	for i := range stages {
		s := &stages[i]
		w, err := s.warm(ctx, seconds(p.WarmUp), b.phase(warmGuess, s.Name+": warming up"))
		if err != nil {
			return rows(), fmt.Errorf("%s: %w", s.Name, err)
		}
		all = append(all, newMeasured(s, w))
	}
	turn := seconds(p.Seconds / float64(p.Repetitions))
	frames := max(windowFrames, (p.Frames+p.Repetitions-1)/p.Repetitions)
	for rep := range p.Repetitions {
		for _, one := range all {
			m := newMeter(len(one.stage.Parts), turn, frames)
			m.tick = b.phase(turn, fmt.Sprintf("%s: turn %d of %d", one.stage.Name, rep+1, p.Repetitions))
			if err := one.stage.Run(ctx, m); err != nil {
				return rows(), fmt.Errorf("%s: %w", one.stage.Name, err)
			}
			one.take(m)
		}
	}
	return rows(), nil
}

// measured is what is known of a stage.
type measured struct {
	stage *Stage
	warm  WarmUp
	all   []*hdrhistogram.Histogram // of each row, all turns
	p50   [][]float64               // of each row and turn, milliseconds
	perS  [][]float64
	skip  int
}

func newMeasured(s *Stage, w WarmUp) *measured {
	n := 1 + len(s.Parts)
	m := &measured{stage: s, warm: w, p50: make([][]float64, n), perS: make([][]float64, n)}
	for range n {
		m.all = append(m.all, histogram())
	}
	return m
}

// take adds a turn.
func (m *measured) take(t *Meter) {
	m.skip += t.skipped
	for i, h := range t.rows {
		m.all[i].Merge(h)
		m.p50[i] = append(m.p50[i], ms(h.ValueAtQuantile(50)))
		if i == 0 || !m.stage.Overlapped {
			m.perS[i] = append(m.perS[i], t.rate(i, m.stage.Overlapped))
		}
	}
}

// rows are a stage's lines in the report, none if it had no turn.
func (m *measured) rows() (out []Row) {
	for i, h := range m.all {
		if h.TotalCount() == 0 {
			return nil
		}
		r := Row{Name: m.stage.Name, Frames: int(h.TotalCount()), Skipped: m.skip, Turns: len(m.p50[i]), WarmUp: &m.warm,
			P50: spread(m.p50[i]), P90: ms(h.ValueAtQuantile(90)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max())}
		if len(m.perS[i]) > 0 {
			s := spread(m.perS[i])
			r.PerS = &s
		}
		if i > 0 {
			r.Name, r.WarmUp, r.Skipped = m.stage.Parts[i-1], nil, 0
			if m.stage.Overlapped {
				r.Name = m.stage.Name + "/" + r.Name
			}
		}
		out = append(out, r)
	}
	return out
}

// FindRate searches the highest rate at which the path keeps up with frames that are decoded
// already, beginning at a guess.
func (p *Path) FindRate(ctx context.Context, plan Plan, guess float64, progress Progress) (*RateSearch, error) {
	trial := seconds(plan.Trial)
	b := newClock(trialsGuess*trial, 2*trial, progress)
	s, err := Search(ctx, plan.Rates, guess, func(ctx context.Context, rate float64) (Trial, error) {
		n := max(trialFrames, int(rate*plan.Trial))
		tick := b.phase(seconds(float64(n)/rate), fmt.Sprintf("offering %.1f frames/s", rate))
		return Offer(ctx, p.Clip, rate, n, tick, p.run)
	})
	if err != nil {
		err = fmt.Errorf("rate search: %w", err)
	}
	return s, err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
