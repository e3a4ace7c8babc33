package hil

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/hw"
	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/publish"
)

// written makes a folder with what the daemon's outputs write of a camera's frames.
func written(t *testing.T, frames int) string {
	t.Helper()
	dir := t.TempDir()
	head := perception.Header{Schema: perception.ResultSchema, Labels: []perception.HeaderLabel{{Label: "car", Threshold: 0.5}},
		Provider: hw.ProviderReport{Requested: hw.CPU, Used: hw.CPU, Policy: hw.Require}}
	in := publish.FileOptions{Dir: filepath.Join(dir, "recording")}
	lines, err := publish.NewFiles(in, head, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := publish.NewMCAP(publish.MCAPOptions{FileOptions: in, Compression: mcap.Zstd}, head, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		for _, o := range []publish.Output{lines, chunks} {
			if err := o.Emit(context.Background(), &perception.Result{Source: "front", Seq: uint64(i), Status: perception.Black}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, o := range []publish.Output{lines, chunks} {
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What the daemon's outputs wrote is read, and what was done to it is found.
func TestRecordingsAreRead(t *testing.T) {
	both := Requirement{Kind: "recording", As: []string{"jsonl", "mcap"}}
	change := func(name string, to func([]byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, "recording", "perceive-000001."+name)
			text, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, to(text), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		says  string // empty: it is met
	}{
		"whole":             {func(*testing.T, string) {}, ""},
		"lines overwritten": {func(t *testing.T, dir string) { must(t, overwriteLines(dir)) }, "jsonl: front: 3 results are missing before frame"},
		"no lines": {func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "recording/perceive-000001.jsonl")))
		}, "jsonl: the unit left no such file"},
		"lines cut":           {change("jsonl", half), "jsonl: recording/perceive-000001.jsonl is cut"},
		"chunks cut":          {change("mcap", half), "mcap: recording/perceive-000001.mcap is cut"},
		"bytes of a line":     {change("jsonl", func(b []byte) []byte { return bytes.Replace(b, []byte(`"seq":50`), []byte(`"seq";50`), 1) }), "jsonl: record: "},
		"bytes of a chunk":    {change("mcap", func(b []byte) []byte { b[bytes.Index(b, []byte("\x28\xb5\x2f\xfd"))+40] ^= 0x80; return b }), "mcap: perceive-000001.mcap: mcap: record at byte"},
		"something else":      {change("mcap", func([]byte) []byte { return []byte("this is no recording at all") }), "mcap: perceive-000001.mcap: mcap: this is no MCAP file"},
		"ends before the end": {change("jsonl", func(b []byte) []byte { return b[:strings.LastIndex(string(b[:len(b)-1]), "\n")+1] }), "front: 1 results are missing at the end"},
	} {
		dir := written(t, 100)
		c.spoil(t, dir)
		r := drive(0, 0, "")
		r.recorded = readRecordings(dir)
		if v := r.judge(both); v.Pass != (c.says == "") || !strings.Contains(v.Measured, c.says) || v.Pass != v.At.IsZero() {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A recording accounts for what was heard: it is there, or said to be lost in its place.
func TestRecordingsAccount(t *testing.T) {
	run := func(from, to int) (out []recorded) {
		for i := from; i < to; i++ {
			out = append(out, recorded{source: "front", seq: uint64(i)})
		}
		return out
	}
	lost := func(n uint64) []recorded { return []recorded{{lost: n}} }
	join := func(parts ...[]recorded) (out []recorded) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	rear := []recorded{{source: "rear", seq: 0}}
	for name, c := range map[string]struct {
		lines []recorded
		lives int
		says  string
		ok    bool
	}{
		"all":                           {run(0, 100), 1, "100 results in 1 files, 0 missing, 0 said to be", true},
		"some lost, and said":           {join(run(0, 50), lost(10), run(60, 100)), 1, "90 results in 1 files, 10 missing, 10 said to be", true},
		"events among them":             {join(run(0, 50), lost(12), run(60, 100)), 1, "10 missing, 12 said", true},
		"the first ones":                {join(lost(10), run(10, 100)), 1, "10 missing, 10 said", true},
		"the last ones":                 {join(run(0, 90), lost(10)), 1, "10 missing, 10 said", true},
		"another camera's":              {join(run(0, 50), lost(10), rear, run(60, 100)), 1, "10 missing, 10 said", true},
		"lost, and nobody says so":      {join(run(0, 50), run(60, 100)), 1, "front: 10 results are missing before frame 60, and nothing says so", false},
		"said in another place":         {join(run(0, 20), lost(10), run(20, 50), run(60, 100)), 1, "missing before frame 60", false},
		"more than is said":             {join(run(0, 50), lost(9), run(60, 100)), 1, "10 results are missing, and it says that 9 are", false},
		"the first ones, unsaid":        {run(10, 100), 1, "10 results are missing before frame 10", false},
		"it does not go on":             {run(0, 90), 1, "10 results are missing at the end, and nothing says so: writing did not go on", false},
		"twice":                         {join(run(0, 50), run(49, 100)), 1, "front: frame 49 comes after frame 49", false},
		"another life":                  {join(run(0, 50), run(0, 100)), 2, "150 results", true},
		"another life, without a death": {join(run(0, 50), run(0, 100)), 1, "frame 0 comes after frame 49", false},
		"nothing":                       {nil, 1, "no result of front", false},
	} {
		r := drive(0, 0, "")
		r.Lives = c.lives
		for i := range r.Results {
			r.Results[i].Life = c.lives
		}
		r.recorded = map[string]*recording{"jsonl": {files: 1, lines: c.lines}}
		if v := r.judge(Requirement{Kind: "recording", As: []string{"jsonl"}}); v.Pass != c.ok || !strings.Contains(v.Measured, c.says) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	r := drive(3, 3, "")
	r.Scenario.Faults[0].Kind = "kill"
	r.recorded = map[string]*recording{"jsonl": {files: 1, lines: run(0, 100), cut: "a.jsonl"}}
	if v := r.judge(Requirement{Kind: "recording", As: []string{"jsonl"}}); !v.Pass {
		t.Errorf("a file that kill -9 cut: %+v", v)
	}
}
