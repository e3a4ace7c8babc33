package hil

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Agreement can be with a recording: frames are matched by their numbers in the world, and what the
// recording has no answer to is not known.
func TestGoldenIsTheTruth(t *testing.T) {
	const golden = `{"schema":2,"labels":[{"label":"car","threshold":0.5},{"label":"stop_sign","threshold":0.5}],"provider":{"requested":"cpu","used":"cpu","policy":"require"}}
{"seq":0,"t_ms":0,"status":"ok","labels":[{"label":"car","p":0.9,"state":"on"},{"label":"stop_sign","p":0.1,"state":"off"}]}
{"seq":1,"t_ms":40,"status":"ok","labels":[{"label":"car","p":0.1,"state":"off"},{"label":"stop_sign","p":0.1,"state":"off"}]}
{"seq":2,"t_ms":80,"status":"black","reason":"dark","labels":[{"label":"car","state":"unknown"},{"label":"stop_sign","state":"unknown"}]}
{"seq":3,"t_ms":120,"status":"ok","labels":[{"label":"car","p":0.1,"state":"off"},{"label":"stop_sign","p":0.9,"state":"on"}]}
`
	path := filepath.Join(t.TempDir(), "golden.jsonl")
	must(t, os.WriteFile(path, []byte(golden), 0o644))
	c := &clip{frames: make([][]byte, 4), seqs: []uint64{0, 2, 3, 9}, truth: []map[string]bool{{"car": false}}}
	must(t, c.learn(path))
	for code, want := range map[uint32][2]string{0: {"yes", "no"}, 1: {"", ""}, 2: {"no", "yes"}, 3: {"", ""}, 4: {"yes", "no"}} {
		_, truth := c.at(code)
		for i, label := range []string{"car", "stop_sign"} {
			is, known := truth[label]
			got := map[bool]string{true: "yes", false: "no"}[is]
			if !known {
				got = ""
			}
			if got != want[i] {
				t.Errorf("frame %d: %s: %q, want %q", code, label, got, want[i])
			}
		}
	}
	if err := c.learn(filepath.Join(t.TempDir(), "none.jsonl")); err == nil || !strings.Contains(err.Error(), "none.jsonl") {
		t.Error(err)
	}
	s := &Scenario{Require: []Requirement{{Kind: "agreement", Golden: "a.jsonl", Camera: "front"}}}
	if s.golden("front") != "a.jsonl" || s.golden("rear") != "" {
		t.Error("the golden of one camera is not that of another")
	}
}
