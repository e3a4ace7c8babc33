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
	s := sight{q: q, fault: r.Scenario.Faults[q.Fault], from: r.Injected[q.Fault].From, end: r.End}
	if s.fault.Kind == "no_provider" && r.saidAtStart(s) {
		return Verdict{Pass: true, Measured: "detected at start", Limit: short(q.Within), Margin: short(q.Within)}
	}
	if s.fault.Kind != "bad_model" {
		for _, x := range r.Results {
			if slices.Contains(q.As, x.Status) && s.of(x.Source) {
				s.see(x.Got)
			}
		}
		for _, n := range r.Notes {
			if what, is := strings.CutPrefix(n.What, "camera "); is && s.of(n.Source) && s.matches(what+" "+n.Reason) {
				s.see(n.Got)
			}
		}
	}
	r.inPolls(&s)
	if s.first.IsZero() {
		return never("never noticed", q.Within, s.from)
	}
	v := took(s.first.Sub(s.from), q.Within)
	if !v.Pass {
		v.At = s.from.Add(q.Within)
	}
	return v
}

// inPolls looks for the fault in what the status page said, or in that it did not answer although it had
// before.
func (r *Run) inPolls(s *sight) {
	model := s.fault.Kind == "bad_model"
	answered := true // the last time before the fault
	for _, p := range r.Polls {
		if p.Got.Before(s.from) {
			answered = p.Answered
			continue
		}
		if !model && answered && !p.Answered && slices.Contains(s.q.As, "no answer") {
			s.see(p.Got)
		}
		for name, n := range p.Dropped {
			if !model && n > r.dropped(name, s.from) && s.matches("output "+name+" dropped") {
				s.see(p.Got)
			}
		}
		for _, text := range p.Problems {
			if s.problem(text) && !r.said(text, s.from) {
				s.see(p.Got)
			}
		}
	}
}

// saidAtStart is whether the problem was there before the fault's time: of what the unit was started with.
func (r *Run) saidAtStart(s sight) bool {
	return slices.ContainsFunc(r.Polls, func(p Poll) bool { return p.Got.Before(s.from) && slices.ContainsFunc(p.Problems, s.problem) })
}

// sight is a search for the first sign of a fault.
type sight struct {
	q                Requirement
	fault            Fault
	from, end, first time.Time
}

// see takes a sign; what was there before the fault is none, nor what comes of the end of the frames.
func (s *sight) see(at time.Time) {
	if !at.Before(s.from) && !at.After(s.end) && (s.first.IsZero() || at.Before(s.first)) {
		s.first = at
	}
}

// of is whether a camera is the requirement's and the fault's.
func (s *sight) of(camera string) bool { return s.q.of(camera) && s.fault.of(camera) }

func (s *sight) matches(text string) bool {
	return slices.ContainsFunc(s.q.As, func(as string) bool { return strings.Contains(text, as) })
}

// problem is whether a problem of the status page can be a sign: one of a camera that it is about, and of
// other parts only where the fault is the unit's.
func (s *sight) problem(text string) bool {
	part, _, _ := strings.Cut(text, ": ")
	source, is := strings.CutPrefix(part, "source ")
	if is && !s.of(source) || !is && !slices.Contains(onUnit, s.fault.Kind) {
		return false
	}
	return s.matches(text) && (s.fault.Kind != "bad_model" || proven(text))
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
