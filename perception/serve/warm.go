package serve

import (
	"context"
	"fmt"
	"slices"
	"time"

	"perceive/perception/model"
)

// The warm-up ends when two rounds of runs take the same time, give or take settled.
const (
	warmRound = 8
	warmMost  = 50 // rounds
	settled   = 0.1
)

// warmUp runs a model until its latency has settled: the first runs pay for memory, kernels and
// clocks. It returns the first run's time and the last round's median, and whether that has settled:
// on a machine that others keep busy it may not.
func warmUp(ctx context.Context, m *model.Model) (first, last time.Duration, steady bool, err error) {
	l, err := m.NewLane()
	if err != nil {
		return 0, 0, false, fmt.Errorf("serve: warm-up: %w", err)
	}
	defer l.Close()
	var times [warmRound]time.Duration
	for round := range warmMost {
		for i := range times {
			begin := time.Now()
			if err := l.Run(ctx); err != nil {
				return 0, 0, false, fmt.Errorf("serve: warm-up: %w", err)
			}
			times[i] = time.Since(begin)
		}
		if round == 0 {
			first = times[0]
		}
		slices.Sort(times[:])
		before := last
		last = times[warmRound/2]
		if round > 0 && (last-before).Abs() <= time.Duration(settled*float64(before)) {
			return first, last, true, nil
		}
	}
	return first, last, false, nil
}
