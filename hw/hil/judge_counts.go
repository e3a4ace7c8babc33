package hil

import (
	"fmt"
	"strings"
	"time"
)

// drops are the frames that were sent, outside of faults of their camera, of all and of the unit, and
// have no ok result.
func (r *Run) drops(q Requirement) Verdict {
	sent, lost := 0, 0
	for _, c := range r.Scenario.Cameras {
		if !q.of(c.Name) {
			continue
		}
		ok := map[uint32]bool{}
		first := uint32(0)
		for _, x := range r.Results {
			if x.Source != c.Name || x.Status != "ok" || x.Code == nil {
				continue
			}
			if len(ok) == 0 {
				first = *x.Code
			}
			ok[*x.Code] = true
		}
		for _, s := range r.due(c.Name, first, len(ok) > 0, func(at time.Time) bool {
			return r.disturbed(c.Name, at, func(string) bool { return true })
		}) {
			sent++
			if !ok[s.Code] {
				lost++
			}
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

func (r *Run) alive(Requirement) Verdict {
	v := Verdict{Pass: r.Running && r.Lives == 1 && len(r.Died) == 0, Measured: fmt.Sprintf("%d process", r.Lives), Limit: "1 process, running", Margin: "–"}
	if !v.Pass {
		v.Measured = fmt.Sprintf("%d processes, running at the end: %t%s", r.Lives, r.Running, strings.Join(append([]string{""}, r.Died...), "; "))
		v.At = r.End
	}
	return v
}
