package model

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Timed is a lane and the frames, as its Input takes them, that it is timed on.
type Timed struct {
	Lane   *Lane
	Frames [][]byte
}

// How a lane's turn is: enough frames to have its weights in the processor's caches again,
// which is how it runs on a drive, after some that warm up and do not count.
const (
	turn   = 10
	warmup = 2
)

// InTurns is how long each frame took each lane, from the frame's bytes to the answer. The
// lanes take turns, so that what else the machine does meets all of them.
func InTurns(ctx context.Context, lanes []Timed) ([]Times, error) {
	out := make([]Times, len(lanes))
	for from, left := 0, true; left; from += turn {
		left = false
		for i, l := range lanes {
			if from >= len(l.Frames) {
				continue
			}
			left = true
			some := l.Frames[from:min(from+turn, len(l.Frames))]
			for n, pix := range slices.Concat(some[:min(warmup, len(some))], some) {
				if len(pix) != len(l.Lane.Input) {
					return nil, fmt.Errorf("model: a frame of %d bytes for an input of %d", len(pix), len(l.Lane.Input))
				}
				begin := time.Now()
				copy(l.Lane.Input, pix)
				if err := l.Lane.Run(ctx); err != nil {
					return nil, err
				}
				if n >= min(warmup, len(some)) {
					out[i] = append(out[i], time.Since(begin))
				}
			}
		}
	}
	for _, t := range out {
		slices.Sort(t)
	}
	return out, nil
}

// Times are sorted durations.
type Times []time.Duration

// Quantile is the duration that a part q, 0 to 1, of them does not exceed, in milliseconds;
// 0 of none.
func (t Times) Quantile(q float64) float64 {
	if len(t) == 0 {
		return 0
	}
	return float64(t[int(q*float64(len(t)-1))]) / 1e6
}
