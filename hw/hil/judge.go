package hil

import (
	"fmt"
	"strings"
	"time"
)

// Run is everything that happened on the bench, from which the verdicts follow.
type Run struct {
	Scenario *Scenario `json:"-"`
	Begin    time.Time `json:"begin"`
	End      time.Time `json:"end"`
	// Injected is when each fault really began and ended.
	Injected []Span   `json:"injected"`
	Served   []Served `json:"served"`
	Observed
	// Lives is how many processes of the unit there were; Died are unexpected ends.
	Lives int      `json:"lives"`
	Died  []string `json:"died,omitempty"`
	// Running is whether the unit ran at the end, before the bench ended it.
	Running bool `json:"running"`

	shots    map[string][]shot
	recorded map[string]*recording // by kind
}

// Span is a time from and to.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Verdict is what became of a requirement.
type Verdict struct {
	Requirement Requirement `json:"-"`
	Title       string      `json:"requirement"`
	Pass        bool        `json:"pass"`
	// Measured and Limit are in the requirement's own terms, Margin is how much is left of the
	// limit, negative if it was passed.
	Measured string `json:"measured"`
	Limit    string `json:"limit"`
	Margin   string `json:"margin"`
	// At is when it failed, zero otherwise.
	At time.Time `json:"at,omitzero"`
	// Doubtful: the bench was late itself, and this is about time. Neither Pass nor its contrary is
	// to be trusted.
	Doubtful bool `json:"doubtful,omitempty"`
}

// Word is the verdict.
func (v Verdict) Word() string {
	switch {
	case v.Doubtful:
		return "not measured"
	case v.Pass:
		return "met"
	}
	return "not met"
}

// Judge holds a run against its scenario's requirements.
func Judge(r *Run) (out []Verdict) {
	for _, q := range r.Scenario.Require {
		v := r.judge(q)
		v.Requirement, v.Title = q, r.title(q)
		out = append(out, v)
	}
	return out
}

func (r *Run) title(q Requirement) string {
	t := strings.ReplaceAll(q.Kind, "_", " ")
	if q.Kind == "detect" || q.Kind == "recover" {
		f := r.Scenario.Faults[q.Fault]
		t = fmt.Sprintf("%s %s", t, f.Kind)
		if f.Camera != "" {
			t += " of " + f.Camera
		}
	}
	if q.Kind == "gap" && len(q.As) > 0 {
		t += " of " + strings.Join(q.As, ", ")
	}
	if q.Kind == "recording" {
		t += " as " + strings.Join(q.As, ", ")
	}
	if q.Camera != "" {
		t += ", camera " + q.Camera
	}
	if q.Label != "" {
		t += ", " + q.Label
	}
	return t
}

// judges has what holds a run against each of Requirements.
var judges = map[string]func(*Run, Requirement) Verdict{
	"detect": (*Run).detect, "recover": (*Run).recovered,
	"latency_p99": (*Run).latency, "gap": (*Run).gap, "no_stale": (*Run).stale,
	"drops": (*Run).drops, "agreement": (*Run).agreement, "one_result": (*Run).oneResult, "alive": (*Run).alive,
	"memory": (*Run).memory, "recording": (*Run).recording,
}

// judge holds the run against a requirement, of a kind that Parse knows.
func (r *Run) judge(q Requirement) Verdict { return judges[q.Kind](r, q) }

// took is the verdict of a time that must be within a limit.
func took(d, limit time.Duration) Verdict {
	return Verdict{Pass: d <= limit, Measured: short(d), Limit: short(limit), Margin: short(limit - d)}
}

func never(what string, limit time.Duration, at time.Time) Verdict {
	return Verdict{Measured: what, Limit: short(limit), Margin: "–", At: at}
}

// amount is the verdict of a number that must not pass a limit.
func amount(v, limit float64, atMost bool, format string) Verdict {
	margin := limit - v
	if !atMost {
		margin = v - limit
	}
	return Verdict{Pass: margin >= 0, Measured: fmt.Sprintf(format, v), Limit: fmt.Sprintf(format, limit), Margin: fmt.Sprintf(format, margin)}
}

func short(d time.Duration) string {
	if d.Abs() < time.Second {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// of is whether a result or a note is of a requirement's camera.
func (q Requirement) of(camera string) bool { return q.Camera == "" || q.Camera == camera }
