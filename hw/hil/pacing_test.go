package hil

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

// lag makes a run's frames from one to another late by d, as a bench does that has no time.
func lag(r *Run, from, to int, d time.Duration) *Run {
	for i := from; i < to; i++ {
		r.Served[i].Made = r.Served[i].Made.Add(d)
	}
	return r
}

func TestLateBench(t *testing.T) {
	under := func(kind string, r *Run) *Run {
		r.Scenario.Faults[0].Kind = kind
		return r
	}
	none := Requirement{Kind: "alive"}
	timed := Requirement{Kind: "latency_p99", Below: time.Second}
	for name, c := range map[string]struct {
		r        *Run
		q        Requirement
		fails    string
		measured bool
		pass     bool
	}{
		"in time":                             {drive(0, 0, ""), timed, "", true, true},
		"a little late, always":               {lag(drive(0, 0, ""), 0, 100, 40*time.Millisecond), timed, "", true, true},
		"very late, once":                     {lag(drive(0, 0, ""), 50, 51, time.Second), timed, "", true, true},
		"late, twice in a hundred":            {lag(drive(0, 0, ""), 50, 52, 60*time.Millisecond), timed, "", false, false},
		"late during a fault of the camera":   {lag(drive(3, 5, "black"), 35, 40, 60*time.Millisecond), timed, "", false, false},
		"late while the cores are taken":      {lag(under("load", drive(3, 5, "ok")), 30, 75, 60*time.Millisecond), timed, "", true, true},
		"late again long after":               {lag(under("load", drive(3, 5, "ok")), 85, 90, 60*time.Millisecond), timed, "", false, false},
		"nothing about time is required":      {lag(drive(0, 0, ""), 0, 100, time.Second), none, "", true, true},
		"made to fail by what is not of time": {lag(func() *Run { r := drive(0, 0, ""); r.Running = false; return r }(), 0, 100, time.Second), none, "alive", true, true},
		"made to fail by a time":              {lag(drive(0, 0, ""), 0, 100, -time.Second), Requirement{Kind: "latency_p99", Below: time.Second}, "latency_p99", true, true},
		"made to fail by a time, late":        {lag(drive(0, 0, ""), 0, 100, time.Second), Requirement{Kind: "latency_p99"}, "latency_p99", false, false},
	} {
		c.r.Scenario.Require, c.r.Scenario.Fails = []Requirement{c.q}, c.fails
		o := Conclude(c.r.Scenario, c.r, nil)
		if o.Pass != c.pass || (o.NotMeasured == "") != c.measured {
			t.Errorf("%s: pass %t, not measured %q", name, o.Pass, o.NotMeasured)
		}
		if !c.measured && (o.Verdicts[0].Word() != "not measured" || o.Word() != "NOT MEASURED" || !strings.Contains(o.NotMeasured, "camera front")) {
			t.Errorf("%s: %s, %s: %s", name, o.Word(), o.Verdicts[0].Word(), o.NotMeasured)
		}
	}
}

// What is wrong whenever frames came is wrong on a bench that is late, too.
func TestLateBenchStillFindsTheDead(t *testing.T) {
	r := lag(drive(3, 5, "black"), 0, 100, time.Second)
	r.Running = false
	r.Scenario.Require = []Requirement{{Kind: "gap", Below: time.Second}, {Kind: "alive"}}
	o := Conclude(r.Scenario, r, nil)
	if o.Word() != "FAILED" || o.Verdicts[0].Word() != "not measured" || o.Verdicts[1].Word() != "not met" {
		t.Errorf("%s: %+v", o.Word(), o.Verdicts)
	}
}

func TestLateBenchIsReported(t *testing.T) {
	r := lag(drive(3, 5, "black"), 0, 100, 70*time.Millisecond)
	r.Scenario.Require = []Requirement{{Kind: "detect", Within: time.Second, As: []string{"black"}}, {Kind: "alive"}}
	all := []*Outcome{Conclude(r.Scenario, r, nil)}
	if n := Count(all); n != (Tally{Late: 1}) {
		t.Errorf("%+v", n)
	}
	var page, table, junitText, programs bytes.Buffer
	for _, err := range []error{WritePage(&page, all), WriteTable(&table, all), WriteJUnit(&junitText, all), WriteJSON(&programs, all)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ text, want string }{
		{page.String(), "1 not measured"}, {page.String(), "NOT MEASURED"}, {page.String(), "70ms after they were due"},
		{table.String(), "| s: black pictures | not measured: the bench was late | – | – |"},
		{programs.String(), `"not_measured": "the bench was late itself`},
	} {
		if !strings.Contains(c.text, c.want) {
			t.Errorf("no %q in %s", c.want, c.text)
		}
	}
	if strings.Contains(page.String(), "all passed") {
		t.Error("the page says that all passed")
	}
	var doc junit
	if err := xml.Unmarshal(junitText.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if s := doc.Suites[0]; s.Errors != 1 || s.Failures != 0 || s.Cases[0].Error == nil || s.Cases[1].Error != nil {
		t.Errorf("%+v", s)
	}
}
