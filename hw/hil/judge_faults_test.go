package hil

import (
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
