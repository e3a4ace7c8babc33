package bench

import (
	"context"
	"slices"
	"time"
)

const (
	// windows that agree end a warm-up, if the largest median among them is at most
	// tolerance above the smallest: the rule of Triton's perf_analyzer.
	windows   = 3
	tolerance = 0.10
	// A window lasts windowTime, and windowFrames at least.
	windowTime   = 250 * time.Millisecond
	windowFrames = 10
)

// settled is whether the last windows' medians agree.
func settled(medians []time.Duration) bool {
	if len(medians) < windows {
		return false
	}
	last := medians[len(medians)-windows:]
	return float64(slices.Max(last)) <= (1+tolerance)*float64(slices.Min(last))
}

// WarmUp says how the latency of a stage settled before it was measured.
type WarmUp struct {
	Seconds float64 `json:"seconds"`
	Windows int     `json:"windows"`
	// Settled is false if the medians still differed when the time for it was over.
	Settled bool `json:"settled"`
}

// warm runs a stage until its latency has settled, for most at the longest.
func (s *Stage) warm(ctx context.Context, most time.Duration, tick func(time.Time)) (WarmUp, error) {
	var w WarmUp
	var medians []time.Duration
	for begin := time.Now(); !w.Settled && time.Since(begin) < most; {
		m := newMeter(len(s.Parts), windowTime, windowFrames)
		m.tick = tick
		if err := s.Run(ctx, m); err != nil {
			return w, err
		}
		medians = append(medians, m.median())
		w = WarmUp{Seconds: time.Since(begin).Seconds(), Windows: len(medians), Settled: settled(medians)}
	}
	return w, nil
}
