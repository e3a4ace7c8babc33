package hil

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// made is when each frame of each camera was made.
func (r *Run) made() map[string]map[uint32]*Served {
	out := map[string]map[uint32]*Served{}
	for i := range r.Served {
		s := &r.Served[i]
		if out[s.Camera] == nil {
			out[s.Camera] = map[uint32]*Served{}
		}
		out[s.Camera][s.Code] = s
	}
	return out
}

// latencies are glass to result of the ok results whose frames had no fault, in order of time.
func (r *Run) latencies(q Requirement) (out []time.Duration, at []time.Time) {
	made := r.made()
	for _, x := range r.Results {
		if !q.of(x.Source) || x.Status != "ok" || x.Code == nil {
			continue
		}
		if s := made[x.Source][*x.Code]; s != nil && len(s.Faults) == 0 {
			out, at = append(out, x.Got.Sub(s.Made)), append(at, x.Got)
		}
	}
	return out, at
}

func (r *Run) latency(q Requirement) Verdict {
	all, _ := r.latencies(q)
	if len(all) == 0 {
		return never("no result to measure", q.Below, r.End)
	}
	slices.Sort(all)
	v := took(all[min(len(all)-1, len(all)*99/100)], q.Below)
	v.Measured += fmt.Sprintf(" (median %s, %d results)", short(all[len(all)/2]), len(all))
	if !v.Pass {
		v.At = r.End
	}
	return v
}

// gap is the longest time without a result of a camera that is of one of the statuses asked for, of
// any if none is; the times before the first and after the last one count.
func (r *Run) gap(q Requirement) Verdict {
	worst, at := time.Duration(0), r.Begin
	for _, c := range r.Scenario.Cameras {
		if !q.of(c.Name) {
			continue
		}
		last, n := r.Begin, 0
		pass := func(now time.Time) {
			if d := now.Sub(last); d > worst {
				worst, at = d, last
			}
			last = now
		}
		for _, x := range r.Results {
			if x.Source == c.Name && x.Got.Before(r.End) && (len(q.As) == 0 || slices.Contains(q.As, x.Status)) {
				pass(x.Got)
				n++
			}
		}
		if n == 0 {
			return never("no "+strings.Join(append(slices.Clone(q.As), "result"), " ")+" at all of "+c.Name, q.Below, r.Begin)
		}
		pass(r.End)
	}
	v := took(worst, q.Below)
	if !v.Pass {
		v.At = at.Add(q.Below)
	}
	return v
}

// stale: no ok result is of a frame that was made longer ago. A frozen camera sends an old
// picture as new, which the code in it gives away.
func (r *Run) stale(q Requirement) Verdict {
	made := r.made()
	worst, at, n := time.Duration(0), time.Time{}, 0
	for _, x := range r.Results {
		if !q.of(x.Source) || x.Status != "ok" || x.Code == nil {
			continue
		}
		s := made[x.Source][*x.Code]
		if s == nil {
			continue
		}
		n++
		if d := x.Got.Sub(s.Made); d > worst {
			worst, at = d, x.Got
		}
	}
	if n == 0 {
		return never("no result to measure", q.Below, r.End)
	}
	v := took(worst, q.Below)
	if !v.Pass {
		v.At = at
	}
	return v
}
