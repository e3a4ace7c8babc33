package hil

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Lines that an output drops from the fault on are seen; those of before are not.
func TestDroppedLinesAreSeen(t *testing.T) {
	for name, c := range map[string]struct {
		before, after uint64
		output        string
		want          bool
	}{
		"grows":                {3, 4, "http", true},
		"was there":            {3, 3, "http", false},
		"none":                 {0, 0, "http", false},
		"of another output":    {0, 9, "file", false},
		"the first of its own": {0, 1, "http", true},
	} {
		r := drive(3, 5, "ok")
		r.Scenario.Faults[0].Kind = "slow_reader"
		for i := range r.Polls {
			n := c.before
			if i >= 35 {
				n = c.after
			}
			r.Polls[i].Dropped = map[string]uint64{c.output: n}
		}
		v := r.judge(Requirement{Kind: "detect", Within: time.Second, As: []string{"output http dropped"}})
		if v.Pass != c.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A model file that was tampered with is detected where the unit says what in it does not hold.
func TestRefusedForWhatItIs(t *testing.T) {
	const was = "model: tampered.onnx was refused, the one before goes on: "
	for problem, want := range map[string]bool{
		was + "the graph is not the one that was exported (SHA-256 0123…, the manifest says 4567…): export it again":          true,
		was + "signature: the signature does not fit the file: it was changed after it was signed":                            true,
		was + `the golden results are not met: output "probabilities": "road 1": car is 0.5, want 0.9 within 0.001`:           true,
		was + "open tampered.onnx: no such file or directory":                                                                 false,
		was + "shadow run: 3 of 30 live frames within 10s: context deadline exceeded":                                         false,
		"source front: lost: connection refused":                                                                              false,
		"source front: refused: the golden results are not met":                                                               false,
		"model: the graph is not the one that was exported, and yet it is taken":                                              false,
		"output file: connection refused: the graph is not the one that was exported was refused, the one before goes on: hm": false,
	} {
		r := drive(3, 5, "ok")
		r.Scenario.Faults[0].Kind = "bad_model"
		r.Notes = []Note{{Got: sec(3.1), Source: "front", What: "camera lost", Reason: "connection refused"}}
		r.Polls[35].Problems = []string{problem}
		v := r.judge(Requirement{Kind: "detect", Within: time.Second, As: []string{"refused"}})
		if v.Pass != want {
			t.Errorf("%s: %+v", problem, v)
		}
	}
}

// What is said of another camera, or of lines that an output lost, is no sign of a camera's fault.
func TestDetectIsOfTheCamera(t *testing.T) {
	note := func(source, what string) Note {
		return Note{Got: sec(3.1), Source: source, What: what, Reason: "reset"}
	}
	for name, c := range map[string]struct {
		fault, asked string // cameras
		note         Note
		problem      string
		result       string // camera of a result that is black
		want         bool
	}{
		"its own event":                   {"front", "", note("front", "camera lost"), "", "", true},
		"another camera's event":          {"front", "", note("rear", "camera lost"), "", "", false},
		"an event of no camera":           {"front", "", note("", "camera lost"), "", "", false},
		"an output that lost lines":       {"front", "", note("", "lost "), "", "", false},
		"of all, the one that is asked":   {"", "front", note("front", "camera lost"), "", "", true},
		"of all, not the one asked":       {"", "front", note("rear", "camera lost"), "", "", false},
		"its own problem":                 {"front", "", Note{}, "source front: lost: reset", "", true},
		"a longer name's problem":         {"front", "", Note{}, "source front2: lost: reset", "", false},
		"a problem of all, not the asked": {"", "front", Note{}, "source rear: lost: reset", "", false},
		"an output's problem":             {"front", "", Note{}, "output file: connection lost", "", false},
		"its own result":                  {"", "front", Note{}, "", "front", true},
		"a result of another":             {"", "front", Note{}, "", "rear", false},
	} {
		r := drive(3, 5, "ok")
		r.Scenario.Faults[0] = Fault{Kind: "refuse", Camera: c.fault, At: 3 * time.Second, For: 2 * time.Second}
		if c.note.What != "" {
			r.Notes = []Note{c.note}
		}
		if c.problem != "" {
			r.Polls[35].Problems = []string{c.problem}
		}
		if c.result != "" {
			r.Results = append(r.Results, Result{Got: sec(3.2), Source: c.result, Status: "black"})
		}
		v := r.judge(Requirement{Kind: "detect", Camera: c.asked, Within: time.Second, As: []string{"lost", "black"}})
		if v.Pass != c.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// No answer is a sign from the moment on at which it is known, if there was an answer before.
func TestNoAnswerIsDetected(t *testing.T) {
	for name, c := range map[string]struct {
		before bool
		want   string
	}{"answered before": {true, "700ms"}, "did not answer before": {false, "never noticed"}} {
		r := drive(3, 5, "ok")
		r.Scenario.Faults[0].Kind = "stop"
		r.Polls = []Poll{{Got: sec(2.9), Answered: c.before}, {Got: sec(3.7)}, {Got: sec(5.1), Answered: true}}
		if v := r.judge(Requirement{Kind: "detect", Within: time.Second, As: []string{"no answer"}}); v.Measured != c.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A poll that fails is of the time at which it failed, not of that at which it began.
func TestFailedPollIsOfItsEnd(t *testing.T) {
	hang := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer s.Close()
	defer close(hang)
	o := observer{base: s.URL, used: func() (int64, float64) { return 0, 0 }}
	begin := time.Now()
	if p := o.ask(t.Context(), &http.Client{Timeout: 100 * time.Millisecond}); p.Answered || p.Got.Sub(begin) < 100*time.Millisecond {
		t.Errorf("answered %t, %v after it began", p.Answered, p.Got.Sub(begin))
	}
}

// What is there from the start is not measured from the first frame on.
func TestDetectedAtStart(t *testing.T) {
	r := drive(3, 5, "ok")
	r.Scenario.Faults[0].Kind = "no_provider"
	r.Injected[0].From = r.Begin
	said := []string{"provider: cpu: cuda was asked for"}
	q := Requirement{Kind: "detect", Within: time.Second, As: []string{"cuda was asked for"}}
	r.Polls = []Poll{{Got: sec(-1), Answered: true, Problems: said}, {Got: sec(0.1), Answered: true, Problems: said}}
	if v := r.judge(q); !v.Pass || v.Measured != "detected at start" {
		t.Errorf("%+v", v)
	}
	r.Polls[0].Problems = nil
	if v := r.judge(q); !v.Pass || v.Measured != "100ms" {
		t.Errorf("%+v", v)
	}
	r.Polls[1].Problems = nil
	if v := r.judge(q); v.Pass {
		t.Errorf("%+v", v)
	}
}
