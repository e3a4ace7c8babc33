package hil

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// settle is how long after a fault its traces are not counted.
const settle = 3 * time.Second

// drops are the frames that were sent, outside of faults, and have no ok result.
func (r *Run) drops(q Requirement) Verdict {
	answered := map[string]map[uint32]bool{}
	first := map[string]uint32{}
	for _, x := range r.Results {
		if x.Status != "ok" || x.Code == nil {
			continue
		}
		if answered[x.Source] == nil {
			answered[x.Source] = map[uint32]bool{}
			first[x.Source] = *x.Code
		}
		answered[x.Source][*x.Code] = true
	}
	sent, lost := 0, 0
	for _, s := range r.Served {
		// What was on its way at the end may not have come.
		if !q.of(s.Camera) || s.Sent.IsZero() || r.disturbed(s.Made) || s.Code < first[s.Camera] || r.End.Sub(s.Made) < time.Second {
			continue
		}
		sent++
		if !answered[s.Camera][s.Code] {
			lost++
		}
	}
	if sent == 0 {
		return Verdict{Measured: "no frame to count", At: r.End}
	}
	v := amount(float64(lost)/float64(sent), q.Limit, true, "%.4f")
	v.Measured += fmt.Sprintf(" (%d of %d)", lost, sent)
	if !v.Pass {
		v.At = r.End
	}
	return v
}

// disturbed is whether a fault was on at a time, or had just been.
func (r *Run) disturbed(at time.Time) bool {
	return slices.ContainsFunc(r.Injected, func(s Span) bool { return !s.From.IsZero() && !at.Before(s.From) && at.Before(s.To.Add(settle)) })
}

func (r *Run) agreement(q Requirement) Verdict {
	made := r.made()
	same, all := 0, 0
	for _, x := range r.Results {
		if !q.of(x.Source) || x.Status != "ok" || x.Code == nil {
			continue
		}
		s := made[x.Source][*x.Code]
		if s == nil || len(s.Faults) > 0 {
			continue
		}
		for label, there := range s.Truth {
			state := x.States[label]
			if q.Label != "" && q.Label != label || state == "" || state == "unknown" {
				continue
			}
			all++
			if (state == "on") == there {
				same++
			}
		}
	}
	if all == 0 {
		return Verdict{Measured: "nothing to compare: the truth is known of scene:// worlds, and where there is a golden", At: r.End}
	}
	v := amount(float64(same)/float64(all), q.Limit, false, "%.3f")
	v.Measured += fmt.Sprintf(" (%d answers)", all)
	if !v.Pass {
		v.At = r.End
	}
	return v
}

func (r *Run) oneResult(q Requirement) Verdict {
	type key struct {
		source string
		life   int
	}
	next := map[key]uint64{}
	for _, x := range r.Results {
		if !q.of(x.Source) {
			continue
		}
		k := key{x.Source, x.Life}
		want, seen := next[k]
		if seen && x.Seq != want {
			return Verdict{Measured: fmt.Sprintf("%s: frame %d after frame %d", x.Source, x.Seq, want-1), Limit: "each once, in order", At: x.Got}
		}
		next[k] = x.Seq + 1
	}
	if len(next) == 0 {
		return Verdict{Measured: "no result", Limit: "each once, in order", At: r.End}
	}
	n := 0
	for _, x := range r.Results {
		if q.of(x.Source) {
			n++
		}
	}
	return Verdict{Pass: true, Measured: fmt.Sprintf("%d results, no gap", n), Limit: "each once, in order", Margin: "–"}
}

func (r *Run) alive(Requirement) Verdict {
	v := Verdict{Pass: r.Running && r.Lives == 1 && len(r.Died) == 0, Measured: fmt.Sprintf("%d process", r.Lives), Limit: "1 process, running", Margin: "–"}
	if !v.Pass {
		v.Measured = fmt.Sprintf("%d processes, running at the end: %t%s", r.Lives, r.Running, strings.Join(append([]string{""}, r.Died...), "; "))
		v.At = r.End
	}
	return v
}
