package hil

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
)

// Outcome is a scenario's run with its verdicts.
type Outcome struct {
	Scenario string  `json:"scenario"`
	About    string  `json:"about"`
	Seed     uint64  `json:"seed"`
	Seconds  float64 `json:"seconds"`
	Pass     bool    `json:"pass"`
	Error    string  `json:"error,omitempty"`
	// NotMeasured is why the verdicts about time are not to be trusted: the bench was late itself.
	// It is neither a pass nor a failure of the unit.
	NotMeasured string `json:"not_measured,omitempty"`
	// NotRun is what this machine lacks for it: then it neither passed nor failed.
	NotRun   string    `json:"not_run,omitempty"`
	Pacing   Pacing    `json:"pacing"`
	Used     Used      `json:"used"`
	Verdicts []Verdict `json:"requirements"`

	run *Run
}

// Used is what the unit took while frames were served.
type Used struct {
	Cores float64 `json:"cores"` // of processors, in the mean
	MiB   float64 `json:"mib"`   // resident at the end
}

func (r *Run) used() (u Used) {
	var first, last Poll
	for _, p := range r.Polls {
		if p.CPU == 0 || p.Got.Before(r.Begin) || p.Got.After(r.End) {
			continue
		}
		if first.Got.IsZero() || p.CPU < last.CPU { // another process
			first = p
		}
		last = p
	}
	if d := last.Got.Sub(first.Got).Seconds(); d > 0 {
		u = Used{(last.CPU - first.CPU) / d, float64(last.RSS) / (1 << 20)}
	}
	return u
}

// Conclude is a run's outcome: it passes when all requirements are met. The verdict of a scenario
// that is made to fail is turned round: it passes when the requirements of the kind that must find
// it are not met, and all others are. Where the bench was late itself and something about time is
// required, nothing has been measured, unless what is not about time is wrong already.
func Conclude(s *Scenario, r *Run, err error) *Outcome {
	o := &Outcome{Scenario: s.Name, About: s.About, Seed: s.Seed, run: r}
	if err != nil {
		o.Error = err.Error()
		return o
	}
	o.Seconds = r.End.Sub(r.Begin).Seconds()
	o.Pacing = pacing(r.Served)
	o.Used = r.used()
	o.Verdicts = Judge(r)
	// A unit that does nothing proves nothing.
	o.Pass = s.Fails == "" || slices.ContainsFunc(r.Results, func(x Result) bool { return x.Status == "ok" })
	late, wrong := r.late(), false
	for i := range o.Verdicts {
		v := &o.Verdicts[i]
		as := v.Pass == (v.Requirement.Kind != s.Fails)
		o.Pass = o.Pass && as
		if v.Doubtful = late != "" && slices.Contains(timed, v.Requirement.Kind); v.Doubtful {
			o.NotMeasured = late
		} else if !as {
			wrong = true // whatever the bench's times were
		}
	}
	if wrong {
		o.NotMeasured = ""
	}
	o.Pass = o.Pass && o.NotMeasured == ""
	return o
}

// Missed is the outcome of a scenario that this machine cannot run.
func Missed(s *Scenario, why error) *Outcome {
	return &Outcome{Scenario: s.Name, About: s.About, Seed: s.Seed, NotRun: why.Error()}
}

// Word is what became of the scenario.
func (o *Outcome) Word() string {
	switch {
	case o.Pass:
		return "passed"
	case o.NotRun != "":
		return "not run"
	case o.NotMeasured != "":
		return "NOT MEASURED"
	}
	return "FAILED"
}

// Tally is how many outcomes failed, say nothing because the bench was late, and could not run.
type Tally struct{ Failed, Late, NotRun int }

// Count tallies outcomes.
func Count(all []*Outcome) (t Tally) {
	for _, o := range all {
		switch {
		case o.Pass:
		case o.NotRun != "":
			t.NotRun++
		case o.NotMeasured != "":
			t.Late++
		default:
			t.Failed++
		}
	}
	return t
}

// WriteJSON writes outcomes for programs.
func WriteJSON(w io.Writer, all []*Outcome) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

// The parts of a JUnit report that continuous integration reads.
type (
	junit struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	suite struct {
		Name     string  `xml:"name,attr"`
		Tests    int     `xml:"tests,attr"`
		Failures int     `xml:"failures,attr"`
		Errors   int     `xml:"errors,attr"`
		Skipped  int     `xml:"skipped,attr"`
		Time     float64 `xml:"time,attr"`
		Cases    []tcase `xml:"testcase"`
	}
	tcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *trouble `xml:"failure,omitempty"`
		Error   *trouble `xml:"error,omitempty"`
		Skipped *trouble `xml:"skipped,omitempty"`
		Out     string   `xml:"system-out,omitempty"`
	}
	trouble struct {
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes outcomes as JUnit XML: a suite a scenario, a case a requirement. A scenario that
// is made to fail is one case.
func WriteJUnit(w io.Writer, all []*Outcome) error {
	var doc junit
	for _, o := range all {
		s := suite{Name: o.Scenario, Time: o.Seconds}
		add := func(name string, pass bool, doubt, message string) {
			c := tcase{Name: name, Class: "hil." + o.Scenario, Out: message}
			switch {
			case doubt != "": // an error: readers take what is skipped for well
				c.Error = &trouble{"not measured: " + doubt}
				s.Errors++
			case !pass:
				c.Failure = &trouble{message}
				s.Failures++
			}
			s.Tests++
			s.Cases = append(s.Cases, c)
		}
		switch {
		case o.NotRun != "":
			s.Tests, s.Skipped = 1, 1
			s.Cases = []tcase{{Name: "run", Class: "hil." + o.Scenario, Skipped: &trouble{o.NotRun}}}
		case o.Error != "":
			s.Tests, s.Errors = 1, 1
			s.Cases = []tcase{{Name: "run", Class: "hil." + o.Scenario, Error: &trouble{o.Error}}}
		case o.run != nil && o.run.Scenario.Fails != "":
			add("made to fail: "+o.run.Scenario.Fails, o.Pass, o.NotMeasured, "the requirement must not be met")
		default:
			for _, v := range o.Verdicts {
				doubt := ""
				if v.Doubtful {
					doubt = "the bench was late itself"
				}
				add(v.Title, v.Pass, doubt, fmt.Sprintf("measured %s, limit %s, margin %s", v.Measured, v.Limit, v.Margin))
			}
		}
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
