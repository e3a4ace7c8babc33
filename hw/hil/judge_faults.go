package hil

import (
	"math"
	"slices"
	"strings"
	"time"

	"perceive/models/signature"
	"perceive/perception/model"
)

// proofs are why a model file is refused that is not what it was: its hash, its signature or its
// golden results. That it could not be read says nothing of what is in it.
var proofs = []string{model.ErrChanged.Error(), signature.ErrTampered.Error(), model.ErrGolden.Error()}

// proven is whether a problem is that a model file was refused for what is in it.
func proven(problem string) bool {
	return strings.HasPrefix(problem, "model: ") && slices.ContainsFunc(proofs, func(p string) bool { return strings.Contains(problem, p) })
}

// detect: from the fault's beginning to the first result, note or problem that says so. Of bad_model
// it is the problem alone, with its reason.
func (r *Run) detect(q Requirement) Verdict {
	from := r.Injected[q.Fault].From
	fromStart := r.Scenario.Faults[q.Fault].Kind == "no_provider" // there before the first frame
	cam := r.Scenario.Faults[q.Fault].Camera
	badModel := r.Scenario.Faults[q.Fault].Kind == "bad_model"
	var first time.Time
	see := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	matches := func(text string) bool {
		return slices.ContainsFunc(q.As, func(as string) bool { return strings.Contains(text, as) })
	}
	for _, x := range r.Results {
		if !badModel && !x.Got.Before(from) && (cam == "" || x.Source == cam) && slices.Contains(q.As, x.Status) {
			see(x.Got)
		}
	}
	for _, n := range r.Notes {
		if !badModel && !n.Got.Before(from) && (cam == "" || n.Source == "" || n.Source == cam) && matches(n.What+" "+n.Reason) {
			see(n.Got)
		}
	}
	for _, p := range r.Polls {
		if p.Got.Before(from) || p.Got.After(r.End) {
			continue
		}
		if !badModel && !p.Answered && slices.Contains(q.As, "no answer") {
			see(p.Got)
		}
		for name, n := range p.Dropped {
			if !badModel && n > r.dropped(name, from) && matches("output "+name+" dropped") {
				see(p.Got)
			}
		}
		for _, text := range p.Problems {
			if matches(text) && (!badModel || proven(text)) && (fromStart || !r.said(text, from)) && (cam == "" || strings.Contains(text, cam) || !strings.HasPrefix(text, "source")) {
				see(p.Got)
			}
		}
	}
	if first.IsZero() {
		return never("never noticed", q.Within, from)
	}
	v := took(first.Sub(from), q.Within)
	if !v.Pass {
		v.At = from.Add(q.Within)
	}
	return v
}

// dropped is how many lines an output had dropped before a time.
func (r *Run) dropped(output string, at time.Time) (n uint64) {
	for _, p := range r.Polls {
		if p.Got.Before(at) {
			n = max(n, p.Dropped[output])
		}
	}
	return n
}

// said is whether a problem was there before a time.
func (r *Run) said(problem string, at time.Time) bool {
	for _, p := range r.Polls {
		if p.Got.Before(at) && slices.Contains(p.Problems, problem) {
			return true
		}
	}
	return false
}

// recovered: from the fault's end to the first ok result of a frame that was made after it.
func (r *Run) recovered(q Requirement) Verdict {
	f, end := r.Scenario.Faults[q.Fault], r.Injected[q.Fault].To
	worst, all := time.Duration(-1), true
	for _, c := range r.Scenario.Cameras {
		if f.Camera != "" && c.Name != f.Camera || !q.of(c.Name) {
			continue
		}
		after := r.firstAfter(c.Name, end)
		got := time.Duration(-1)
		for _, x := range r.Results {
			if x.Source == c.Name && x.Status == "ok" && x.Code != nil && *x.Code >= after && !x.Got.Before(end) {
				got = x.Got.Sub(end)
				break
			}
		}
		if got < 0 {
			all = false
		}
		worst = max(worst, got)
	}
	if !all || worst < 0 {
		return never("never recovered", q.Within, end.Add(q.Within))
	}
	v := took(worst, q.Within)
	if !v.Pass {
		v.At = end.Add(q.Within)
	}
	return v
}

// firstAfter is the code of the first frame that a camera made at or after a time.
func (r *Run) firstAfter(cam string, at time.Time) uint32 {
	for _, s := range r.Served {
		if s.Camera == cam && !s.Made.Before(at) {
			return s.Code
		}
	}
	return math.MaxUint32
}
