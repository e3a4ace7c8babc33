package hil

import (
	"fmt"
	"slices"
	"time"
)

// Pacing is how late frames were made, against when they were due, milliseconds.
type Pacing struct {
	Frames int     `json:"frames"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

func pacing(served []Served) Pacing {
	var late []time.Duration
	for _, s := range served {
		late = append(late, s.Made.Sub(s.Due))
	}
	if len(late) == 0 {
		return Pacing{}
	}
	slices.Sort(late)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return Pacing{len(late), ms(late[len(late)/2]), ms(p99(late)), ms(late[len(late)-1])}
}

// p99 is that of sorted times; of fewer than a hundred it passes over the longest.
func p99(sorted []time.Duration) time.Duration { return sorted[(len(sorted)-1)*99/100] }

// timed are the requirements whose figures are wrong where the bench was late itself. What the others
// find broken is broken whenever the frames came.
var timed = []string{"detect", "recover", "latency_p99", "gap", "no_stale", "drops"}

// strains are the faults of the unit that want the machine that the bench runs on, too.
var strains = []string{"load", "kill", "model_swap", "bad_model"}

// late says how late the bench was itself, empty if it kept its time: the p99 of how late a
// camera's frames were made must be within half the time between two of them, outside of faults
// that strain the bench as well.
func (r *Run) late() string {
	for _, c := range r.Scenario.Cameras {
		var late []time.Duration
		for _, s := range r.Served {
			if s.Camera == c.Name && !r.strained(s.Due) {
				late = append(late, s.Made.Sub(s.Due))
			}
		}
		if len(late) == 0 {
			continue
		}
		slices.Sort(late)
		limit := time.Duration(float64(time.Second) / c.FPS / 2)
		if is := p99(late); is > limit {
			return fmt.Sprintf("the bench was late itself: camera %s made its frames %s after they were due (p99 of %d), and half a frame's time, %s, is allowed; run it on a machine that has less to do",
				c.Name, short(is), len(late), short(limit))
		}
	}
	return ""
}

// strained is whether a fault took the machine from the bench, too.
func (r *Run) strained(at time.Time) bool {
	for i, f := range r.Scenario.Faults {
		if s := r.Injected[i]; slices.Contains(strains, f.Kind) && !at.Before(s.From) && at.Before(s.To.Add(settle)) {
			return true
		}
	}
	return false
}
