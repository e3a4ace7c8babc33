package hil

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func sec(s float64) time.Time { return zero.Add(time.Duration(s * float64(time.Second))) }

// drive is a run of ten seconds with one camera, ten frames a second and a result 20 ms after each.
// From fault on, if that is not 0, results have a status, until end.
func drive(fault, end float64, status string) *Run {
	r := &Run{Begin: sec(0), End: sec(10), Lives: 1, Running: true,
		Scenario: &Scenario{Name: "s", Length: 10 * time.Second, Cameras: []Camera{{Name: "front", FPS: 10}}}}
	if fault > 0 {
		r.Scenario.Faults = []Fault{{Kind: "black", At: time.Duration(fault * 1e9), For: time.Duration((end - fault) * 1e9)}}
		r.Injected = []Span{{sec(fault), sec(end)}}
	}
	for i := range 100 {
		at := float64(i) / 10
		code := uint32(i)
		s := Served{Camera: "front", Code: code, Due: sec(at), Made: sec(at), Sent: sec(at), Truth: map[string]bool{"car": i%2 == 0}}
		x := Result{Got: sec(at + 0.02), Source: "front", Seq: uint64(i), Status: "ok", Code: &code, Life: 1, States: map[string]string{"car": []string{"on", "off"}[i%2]}}
		if fault > 0 && at >= fault && at < end {
			s.Faults, x.Status, x.Code = []int{0}, status, nil
		}
		r.Served, r.Results = append(r.Served, s), append(r.Results, x)
		r.Polls = append(r.Polls, Poll{Got: sec(at), Answered: true, Ready: true, Healthy: true, RSS: 100 << 20})
	}
	return r
}

// recordedRun is a good run of which so many results were written.
func recordedRun(n int) *Run {
	r, rec := drive(0, 0, ""), &recording{files: 1}
	for i := range n {
		rec.lines = append(rec.lines, recorded{source: "front", seq: uint64(i)})
	}
	r.recorded = map[string]*recording{"jsonl": rec}
	return r
}

// Each requirement is met by a good run, and not by one that is broken in its way.
func TestEachRequirementCanFail(t *testing.T) {
	within := Requirement{Within: time.Second, As: []string{"black"}, Below: 100 * time.Millisecond, Limit: 0.01}
	for _, c := range []struct {
		kind     string
		q        func(*Requirement)
		good     *Run
		measured string // part of what the good run measures
		bad      map[string]*Run
	}{
		{kind: "detect", good: drive(3, 5, "black"), measured: "20ms", bad: map[string]*Run{
			"never": drive(3, 5, "ok"),
			"late":  func() *Run { r := drive(4.5, 5, "black"); r.Injected[0].From = sec(3); return r }(),
		}},
		{kind: "recover", good: drive(3, 5, "black"), measured: "20ms", bad: map[string]*Run{
			"never": drive(3, 10, "black"),
			"late":  func() *Run { r := drive(3, 8, "black"); r.Injected[0].To = sec(5); return r }(),
		}},
		{kind: "latency_p99", good: drive(0, 0, ""), measured: "20ms (median 20ms, 100 results)", bad: map[string]*Run{
			"slow": func() *Run {
				r := drive(0, 0, "")
				for i := range 5 {
					r.Results[20*i].Got = r.Results[20*i].Got.Add(time.Second / 5)
				}
				return r
			}(),
			"nothing": func() *Run { r := drive(0, 0, ""); r.Results = nil; return r }(),
		}},
		{kind: "gap", q: func(q *Requirement) { q.Below, q.As = 200*time.Millisecond, nil }, good: drive(0, 0, ""), measured: "100ms", bad: map[string]*Run{
			"hole":    func() *Run { r := drive(0, 0, ""); r.Results = append(r.Results[:50:50], r.Results[55:]...); return r }(),
			"start":   func() *Run { r := drive(0, 0, ""); r.Results = r.Results[10:]; return r }(),
			"end":     func() *Run { r := drive(0, 0, ""); r.Results = r.Results[:90]; return r }(),
			"nothing": func() *Run { r := drive(0, 0, ""); r.Results = nil; return r }(),
		}},
		{kind: "gap", q: func(q *Requirement) { q.Below, q.As = 200*time.Millisecond, []string{"ok"} }, good: drive(0, 0, ""), measured: "100ms", bad: map[string]*Run{
			"results, but none that is ok": drive(3, 5, "black"),
			"none at the start":            drive(0.1, 2, "stale"),
			"none at the end":              drive(8, 10, "stale"),
			"never one":                    drive(0.0001, 10, "stale"),
		}},
		{kind: "no_stale", good: drive(0, 0, ""), measured: "20ms", bad: map[string]*Run{
			"frozen picture as new": func() *Run {
				r := drive(0, 0, "")
				old := uint32(40)
				for i := 41; i < 50; i++ {
					r.Results[i].Code = &old
				}
				return r
			}(),
		}},
		{kind: "drops", good: drive(3, 5, "black"), measured: "0.0000", bad: map[string]*Run{
			"lost": func() *Run { r := drive(0, 0, ""); r.Results = append(r.Results[:50:50], r.Results[55:]...); return r }(),
		}},
		{kind: "agreement", q: func(q *Requirement) { q.Limit = 0.9 }, good: drive(0, 0, ""), measured: "1.000 (100 answers)", bad: map[string]*Run{
			"wrong": func() *Run {
				r := drive(0, 0, "")
				for i := range 30 {
					r.Results[i].States["car"] = "on"
				}
				return r
			}(),
			"no truth": func() *Run {
				r := drive(0, 0, "")
				for i := range r.Served {
					r.Served[i].Truth = nil
				}
				return r
			}(),
		}},
		{kind: "memory", q: func(q *Requirement) { q.Limit = 1 }, good: drive(0, 0, ""), measured: "0.0 ± 0.0 MiB/h", bad: map[string]*Run{
			"grows": func() *Run {
				r := drive(0, 0, "")
				for i := range r.Polls {
					r.Polls[i].RSS += int64(i) << 10
				}
				return r
			}(),
			"unknown": func() *Run {
				r := drive(0, 0, "")
				r.Polls = nil
				return r
			}(),
		}},
		{kind: "one_result", good: drive(3, 5, "black"), measured: "front: 31 frames, 0 lost, 0 repeated, 0 out of order; 100 results", bad: map[string]*Run{
			"missing": func() *Run { r := drive(0, 0, ""); r.Results = append(r.Results[:50:50], r.Results[51:]...); return r }(),
			"twice":   func() *Run { r := drive(0, 0, ""); r.Results[50].Seq = 49; return r }(),
			"nothing": func() *Run { r := drive(0, 0, ""); r.Results = nil; return r }(),
		}},
		{kind: "recording", q: func(q *Requirement) { q.As = []string{"jsonl"} }, good: recordedRun(100), measured: "jsonl: 100 results", bad: map[string]*Run{
			"ends too soon": recordedRun(90),
			"none":          drive(0, 0, ""),
		}},
		{kind: "alive", good: drive(0, 0, ""), measured: "1 process", bad: map[string]*Run{
			"dead at the end": func() *Run { r := drive(0, 0, ""); r.Running = false; return r }(),
			"died":            func() *Run { r := drive(0, 0, ""); r.Lives, r.Died = 2, []string{"exit status 1"}; return r }(),
		}},
	} {
		q := within
		q.Kind = c.kind
		if c.q != nil {
			c.q(&q)
		}
		if v := c.good.judge(q); !v.Pass || !strings.Contains(v.Measured, c.measured) {
			t.Errorf("%s: a good run: %+v, want %s", c.kind, v, c.measured)
		}
		for name, r := range c.bad {
			if v := r.judge(q); v.Pass || v.Measured == "" || v.At.IsZero() {
				t.Errorf("%s: %s: %+v", c.kind, name, v)
			}
		}
		delete(missing, c.kind)
	}
	for kind := range missing {
		t.Errorf("requirement %s is not tested", kind)
	}
}

var missing = func() map[string]bool {
	m := map[string]bool{}
	for k := range Requirements {
		m[k] = true
	}
	return m
}()

// A scenario that is made to fail passes when what must find it does.
func TestMadeToFail(t *testing.T) {
	r := drive(3, 5, "ok")
	r.Scenario.Require = []Requirement{{Kind: "detect", Within: time.Second, As: []string{"black"}}, {Kind: "alive"}}
	if o := Conclude(r.Scenario, r, nil); o.Pass {
		t.Error("an unnoticed fault passes")
	}
	r.Scenario.Fails = "detect"
	if o := Conclude(r.Scenario, r, nil); !o.Pass {
		t.Error("the scenario that is made to fail does not")
	}
	r.Scenario.Fails = "alive"
	if o := Conclude(r.Scenario, r, nil); o.Pass {
		t.Error("it fails for another reason than the one that it is made for")
	}
	r.Scenario.Fails = "detect"
	r.Running = false
	if o := Conclude(r.Scenario, r, nil); o.Pass {
		t.Error("it passes although something else is wrong, too")
	}
}

func TestReports(t *testing.T) {
	r := drive(3, 5, "ok")
	r.Scenario.Require = []Requirement{{Kind: "detect", Within: time.Second, As: []string{"black"}}, {Kind: "alive"}}
	r.shots = map[string][]shot{"front": {{sec(3.5), 35, []byte("jpeg")}, {sec(8), 80, nil}}}
	all := []*Outcome{Conclude(r.Scenario, r, nil), Conclude(&Scenario{Name: "none"}, nil, errTest{})}
	var b bytes.Buffer
	if err := WriteJUnit(&b, all); err != nil {
		t.Fatal(err)
	}
	var doc junit
	if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if s := doc.Suites; len(s) != 2 || s[0].Tests != 2 || s[0].Failures != 1 || !strings.Contains(s[0].Cases[0].Failure.Message, "never noticed") || s[1].Errors != 1 {
		t.Errorf("%+v", doc)
	}
	b.Reset()
	if err := WritePage(&b, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 failed", "detect black", "never noticed", "frame 35", "<svg", "out of &lt;order&gt;"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	b.Reset()
	if err := WriteTable(&b, all); err != nil || !strings.Contains(b.String(), "| s: black pictures | never noticed | 20 ok | – |") {
		t.Errorf("%v: %s", err, b.String())
	}
	b.Reset()
	if err := WriteJSON(&b, all); err != nil || !strings.Contains(b.String(), `"measured": "never noticed"`) {
		t.Errorf("%v: %s", err, b.String())
	}
}

type errTest struct{}

func (errTest) Error() string { return "out of <order>" }
