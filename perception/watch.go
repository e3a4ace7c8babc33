package perception

import (
	"sync/atomic"
	"time"
)

// Stage is a part of the frame path that has a goroutine of its own, or waits for the camera.
type Stage int

// The stages.
const (
	Prepare Stage = iota // guards and fitting
	Infer
	Publish // sinks
	stages
)

var stageNames = [...]string{"prepare", "infer", "publish"}

func (s Stage) String() string { return stageNames[s] }

// began is what the watch counts from: by the monotonic clock, which no time server sets.
var began = time.Now()

// Watch says which stage has been busy with one frame, and since when: what a watchdog looks
// at. The zero value is ready; its methods may be called from any goroutine.
type Watch struct{ since [stages]atomic.Int64 } // nanoseconds after began, 0 while idle

func (w *Watch) enter(s Stage) {
	if w != nil {
		w.since[s].Store(int64(time.Since(began)))
	}
}

func (w *Watch) leave(s Stage) {
	if w != nil {
		w.since[s].Store(0)
	}
}

// Slowest is the stage that has been busy with its frame for longest, and for how long; 0 if
// none is busy.
func (w *Watch) Slowest(now time.Time) (Stage, time.Duration) {
	var worst Stage
	var most time.Duration
	for s := range stages {
		if since := w.since[s].Load(); since != 0 {
			if d := now.Sub(began) - time.Duration(since); d > most {
				worst, most = s, d
			}
		}
	}
	return worst, most
}
