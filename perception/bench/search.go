package bench

import (
	"context"
	"fmt"
	"math"
)

const (
	// maxDrops is the share of frames below which a rate counts as kept up with, as in
	// NVIDIA's ros2_benchmark.
	maxDrops = 0.05
	// resolution is how close, as a ratio, the highest rate that was kept is to the lowest
	// that was not.
	resolution = 1.02
	// The steps, as ratios, while only one side of the limit is known.
	stepUp, stepDown = 1.25, 1.6
	// confirmations are trials of the rate that was found, which together must keep it.
	confirmations = 3
)

// Range are the rates that are searched, in frames a second.
type Range struct{ Min, Max float64 }

// fastest is the highest rate that a search may ask for: beyond, a frame's turn is shorter
// than timers are exact.
const fastest = 10000

// Check refuses a range that cannot be searched.
func (r Range) Check() error {
	if !(r.Min > 0 && r.Min < r.Max && r.Max <= fastest) {
		return fmt.Errorf("rates from %g to %g frames/s: want 0 < lowest < highest <= %d", r.Min, r.Max, fastest)
	}
	return nil
}

// RateSearch is the highest rate at which frames can come.
type RateSearch struct {
	// PerS is that rate, 0 if none in the range was kept up with; AtLeast says that the
	// end of the range was kept up with, and more may be.
	PerS    float64 `json:"per_s"`
	AtLeast bool    `json:"at_least,omitempty"`
	// Failed is the lowest rate that was found above PerS and not kept up with, 0 if there was none.
	Failed float64 `json:"failed_per_s,omitempty"`
	// LateAt is the rate above PerS at which the bench itself could not offer frames in time, 0 if
	// that did not end the search: nobody knows whether it is kept, and Failed is 0.
	LateAt float64 `json:"late_at_per_s,omitempty"`
	// Limit is the share of dropped frames that is too much.
	Limit float64 `json:"limit"`
	// At are the trials at PerS taken together.
	At Trial `json:"at"`
	// Trials are all, in the order in which they were made.
	Trials []Trial `json:"trials"`
}

// Search finds the highest rate within a range that drops fewer frames than the limit,
// beginning at a guess. On an error it returns what it has.
func Search(ctx context.Context, r Range, guess float64, try func(context.Context, float64) (Trial, error)) (*RateSearch, error) {
	s := &searcher{found: &RateSearch{Limit: maxDrops}, try: try}
	if err := r.Check(); err != nil {
		return s.found, err
	}
	kept, failed, err := s.bracket(ctx, r, min(max(guess, r.Min), r.Max))
	for err == nil && kept > 0 && failed > resolution*kept {
		var ok bool
		middle := math.Sqrt(kept * failed)
		if ok, err = s.keeps(ctx, middle); ok {
			kept = middle
		} else {
			failed = middle
		}
	}
	for step := resolution; err == nil && kept >= r.Min; step *= step {
		var ok bool
		if ok, err = s.confirm(ctx, kept); err != nil || ok {
			break
		}
		failed, kept = kept, kept/step
	}
	if err != nil {
		return s.found, err
	}
	if s.late(failed) {
		s.found.LateAt, failed = failed, 0
	}
	if s.found.Failed = failed; kept >= r.Min {
		s.found.PerS, s.found.AtLeast = kept, failed == 0
		s.found.At = s.sum(kept)
	}
	return s.found, nil
}

type searcher struct {
	found *RateSearch
	try   func(context.Context, float64) (Trial, error)
}

// bracket finds a rate that is kept and one that is not: 0 for one that is not in the range.
func (s *searcher) bracket(ctx context.Context, r Range, rate float64) (kept, failed float64, err error) {
	for {
		ok, err := s.keeps(ctx, rate)
		if err != nil {
			return kept, failed, err
		}
		if ok {
			kept = rate
		} else {
			failed = rate
		}
		switch {
		case kept > 0 && failed > 0, kept == r.Max, failed == r.Min:
			return kept, failed, nil
		case ok:
			rate = min(rate*stepUp, r.Max)
		default:
			rate = max(rate/stepDown, r.Min)
		}
	}
}

// keeps is whether a trial of a rate drops few enough.
func (s *searcher) keeps(ctx context.Context, rate float64) (bool, error) {
	t, err := s.try(ctx, rate)
	if err != nil {
		return false, err
	}
	s.found.Trials = append(s.found.Trials, t)
	return s.good(&t), nil
}

// confirm is whether all trials of a rate together drop few enough.
func (s *searcher) confirm(ctx context.Context, rate float64) (bool, error) {
	for s.sum(rate).trials < confirmations {
		if _, err := s.keeps(ctx, rate); err != nil {
			return false, err
		}
	}
	sum := s.sum(rate)
	return s.good(&sum), nil
}

// good is whether a trial shows that its rate is kept.
func (s *searcher) good(t *Trial) bool { return !t.Late && t.DropShare() < s.found.Limit }

// late is whether the bench could not offer a rate in time.
func (s *searcher) late(rate float64) bool {
	sum := s.sum(rate)
	return sum.Late
}

// sum takes the trials of a rate together.
func (s *searcher) sum(rate float64) Trial {
	sum := Trial{PerS: rate}
	for i := range s.found.Trials {
		if t := &s.found.Trials[i]; t.PerS == rate {
			sum.add(t)
		}
	}
	return sum
}
