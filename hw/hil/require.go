package hil

import (
	"math"
	"slices"
	"strings"
	"time"

	"perceive/perception"
)

// Requirement is an assertion over time. Which of the fields count depends on Kind.
type Requirement struct {
	Kind string `yaml:"kind"`
	// Fault is the number of a fault, from 0, that detect and recover are about.
	Fault int `yaml:"fault"`
	// As are the statuses or camera states by which a fault is noticed; the statuses of the results
	// that gap counts, all if empty; the kinds of files that recording asks for.
	As []string `yaml:"as"`
	// Within is the time of detect and recover; Below the limit of latencies and gaps.
	Within time.Duration `yaml:"within"`
	Below  time.Duration `yaml:"below"`
	// Limit is that of drops (part of the frames), memory (MiB an hour) and the least agreement.
	Limit float64 `yaml:"limit"`
	// Golden is a recording of the world's frames, as perceive run and replay write it: agreement is
	// with its states. Empty: with what is in a rendered world.
	Golden string `yaml:"golden"`
	// Camera and Label narrow it down; empty means all.
	Camera string `yaml:"camera"`
	Label  string `yaml:"label"`
}

// Requirements are the assertions, with what they ask.
var Requirements = map[string]string{
	"detect":      "the fault is published, as one of the statuses or states, within the time",
	"recover":     "an ok result of a frame that was made after the fault is published within the time of its end",
	"latency_p99": "99 % of the ok results come within the time of their frame's making",
	"gap":         "no longer time passes without a result of a camera, of any status or of those in as",
	"no_stale":    "no ok result is of a frame older than the time",
	"drops":       "no larger part of the frames was dropped or lost, outside of faults",
	"agreement":   "states agree with what is in the rendered world, or with a recording (golden), at least so large a part",
	"memory":      "the unit's memory does not grow by more, MiB an hour, beyond what chance can do",
	"one_result":  "each frame that was sent, outside of faults, has exactly one result, in order, and the unit's own numbers have no gap",
	"recording":   "the unit's files (as: jsonl, mcap) can be read, go on to the end, and say what is missing",
	"alive":       "the unit runs at the end, and its process is the first one",
}

func (s *Scenario) wrongRequirement(key string, r Requirement, names map[string]bool, bad func(string, string, ...any)) {
	if _, ok := Requirements[r.Kind]; !ok {
		bad(key+".kind", "%q: there is %s", r.Kind, Names(Requirements))
	}
	if r.Camera != "" && !names[r.Camera] {
		bad(key+".camera", "there is no camera %q", r.Camera)
	}
	if r.Golden != "" && r.Kind != "agreement" {
		bad(key+".golden", "only agreement has one")
	}
	wrongField(key, r, bad)
	switch r.Kind {
	case "detect", "recover":
		wrongTime(key+".within", r.Within, s.Length, bad)
		if r.Fault < 0 || r.Fault >= len(s.Faults) {
			bad(key+".fault", "%d: there are %d faults, counted from 0", r.Fault, len(s.Faults))
		} else if f := s.Faults[r.Fault]; r.Camera != "" && !f.of(r.Camera) {
			bad(key+".camera", "fault %d is of camera %s", r.Fault, f.Camera)
		}
		if r.Kind == "detect" && len(r.As) == 0 {
			bad(key+".as", "missing: the statuses, states or problems by which it is noticed")
		}
		if slices.ContainsFunc(r.As, func(a string) bool { return strings.TrimSpace(a) == "" }) {
			bad(key+".as", "%q: an empty text is in everything that the unit says", r.As)
		}
	case "recording":
		if len(r.As) == 0 || slices.ContainsFunc(r.As, func(a string) bool { return !slices.Contains(recordingKinds, a) }) {
			bad(key+".as", "%v: want the kinds of files that must be there, of %v", r.As, recordingKinds)
		}
	case "latency_p99", "gap", "no_stale":
		wrongTime(key+".below", r.Below, s.Length, bad)
		if r.Kind == "gap" {
			wrongStatuses(key+".as", r.As, bad)
		}
	case "drops":
		if !(r.Limit >= 0 && r.Limit < 1) {
			bad(key+".limit", "%g: want a part of the frames, from 0 on and below 1", r.Limit)
		}
	case "agreement":
		if !(r.Limit > 0 && r.Limit <= 1) {
			bad(key+".limit", "%g: want the part of the answers that must agree, above 0 and up to 1", r.Limit)
		}
	case "memory":
		if !(r.Limit >= 0) || math.IsInf(r.Limit, 0) {
			bad(key+".limit", "%g: want MiB an hour, from 0 on", r.Limit)
		}
	}
}

// wrongTime: a limit that is longer than the scenario cannot be passed.
func wrongTime(key string, d, length time.Duration, bad func(string, string, ...any)) {
	switch {
	case d == 0:
		bad(key, "missing")
	case d < 0:
		bad(key, "%v is negative", d)
	case d > length:
		bad(key, "%v is longer than the scenario, %v, and would always be met", d, length)
	}
}

// wrongField: what a requirement does not look at narrows nothing down.
func wrongField(key string, r Requirement, bad func(string, string, ...any)) {
	if r.Camera != "" && slices.Contains([]string{"memory", "alive", "recording"}, r.Kind) {
		bad(key+".camera", "%s is of the whole unit", r.Kind)
	}
	if r.Label != "" && r.Kind != "agreement" {
		bad(key+".label", "only agreement has one")
	}
}

// wrongStatuses: a status that no result has would make any run fail.
func wrongStatuses(key string, as []string, bad func(string, string, ...any)) {
	for _, a := range as {
		if !slices.Contains(perception.Statuses, perception.Status(a)) {
			bad(key, "%q is no status of a result: there is %v", a, perception.Statuses)
		}
	}
}
