package study

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/hw/ort/orttest"
	"perceive/trainer/dataset"
	"perceive/trainer/nn"
	"perceive/trainer/report"
)

// smallBench is made of noise: what is tested is that everything is done, and done once.
func smallBench(t *testing.T) *Bench {
	t.Helper()
	r := Quick()
	r.Config.Network = nn.Config{Width: 64, Height: 32, Channels: [4]int64{8, 8, 8, 8}, Neck: 8}
	r.Config.Steps, r.Config.Batch, r.Train, r.PerTask, r.Targets, r.Tasks = 4, 4, 20, 6, []int{6, 12}, []int{1, 3}
	b := &Bench{Recipe: r, Pool: grey(60, 1, abc), Val: grey(20, 2, abc), Test: grey(20, 3, abc), Labels: abc}
	var err error
	if b.inputs, err = dataset.NewInputs(t.Context(), b.Test, 64, 32, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// Every experiment runs to its end, writes its files, and has a result for each arm, and
// a second start does nothing but write them again.
func TestExperiments(t *testing.T) {
	b, out := smallBench(t), t.TempDir()
	for _, e := range All() {
		t.Run(e.Name, func(t *testing.T) {
			r := Runner{Runtime: orttest.Runtime(t), Bench: b, Out: out}
			s, err := r.Run(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if want := len(s.Plan.Arms) * len(s.Plan.Settings); len(s.Rows) != want {
				t.Errorf("%d rows of results, want %d", len(s.Rows), want)
			}
			dir := filepath.Join(out, e.Name)
			for _, name := range []string{RunsFile, TableFile, PlotFile, ResultsFile, report.Index} {
				if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
					t.Errorf("%s: %v", name, err)
				}
			}
			for _, name := range []string{"work", "sources"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					t.Errorf("%s is left behind", name)
				}
			}
			f, err := os.Open(filepath.Join(dir, ResultsFile))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			lines, err := csv.NewReader(f).ReadAll()
			if err != nil || len(lines) != len(s.Plan.Runs)+1 {
				t.Errorf("%d lines for %d runs: %v", len(lines), len(s.Plan.Runs), err)
			}
			before := read(t, filepath.Join(dir, RunsFile))
			r.Progress = func(int, int, string) { t.Error("trained again") }
			if _, err := r.Run(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			if read(t, filepath.Join(dir, RunsFile)) != before {
				t.Error("a second start changed the runs")
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A run that another experiment did without measuring its latency is done again, and its
// steps are counted.
func TestProgressOfRunsWithoutLatency(t *testing.T) {
	r := Runner{Runtime: orttest.Runtime(t), Bench: smallBench(t), Out: t.TempDir()}
	if _, err := r.Run(t.Context(), missing()); err != nil {
		t.Fatal(err)
	}
	e, last := multitask(), 0
	r.Progress = func(done, total int, _ string) {
		if last = total - done; last < 0 {
			t.Errorf("%d of %d steps are done", done, total)
		}
	}
	if _, err := r.Run(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if last != 0 {
		t.Errorf("at the end %d steps are left", last)
	}
}

// A study that is interrupted keeps what is done, survives a line that was cut short, and
// ends with the results of one that was not.
func TestResume(t *testing.T) {
	b := smallBench(t)
	e := missing()
	rt := orttest.Runtime(t)
	whole, err := (&Runner{Runtime: rt, Bench: b, Out: t.TempDir()}).Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	steps, total := 0, 0
	r := Runner{Runtime: rt, Bench: b, Out: out, Progress: func(done, all int, _ string) {
		steps++
		total = all
		if steps == 4*b.Config.Steps-1 { // in the fourth run
			cancel()
		}
	}}
	if _, err := r.Run(ctx, e); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	path := filepath.Join(out, e.Name, RunsFile)
	kept := read(t, path)
	if err := os.WriteFile(path, []byte(kept+`{"arm":"ma`), 0o644); err != nil {
		t.Fatal(err)
	}
	first := -1
	r.Progress = func(done, all int, _ string) {
		if first < 0 {
			first = done
		}
		if all != total {
			t.Errorf("%d steps in all, %d before", all, total)
		}
	}
	s, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if first != 3*b.Config.Steps+1 {
		t.Errorf("went on with step %d, want %d", first, 3*b.Config.Steps+1)
	}
	if !strings.HasPrefix(read(t, path), kept) {
		t.Error("the runs before the interruption are not there as they were")
	}
	for i, row := range s.Rows {
		if row.Score != whole.Rows[i].Score {
			t.Errorf("%s, %s: %v after an interruption, %v without", row.Setting, row.Arm, row.Score, whole.Rows[i].Score)
		}
	}
}

// The fingerprint follows everything that a run is made from, and nothing else.
func TestFingerprint(t *testing.T) {
	b := smallBench(t)
	base := func() Run { return b.shared(b.Config, 1, 1, "arm", "setting") }
	same := base()
	same.Arm, same.Setting = "another", "name"
	if base().fingerprint("x") != same.fingerprint("x") {
		t.Error("the names of arm and setting matter")
	}
	from := base().Nets[0]
	for name, change := range map[string]func(r *Run){
		"seed":   func(r *Run) { r.Nets[0].Config.Seed++ },
		"width":  func(r *Run) { r.Nets[0].Config.Network.Neck = 16 },
		"loss":   func(r *Run) { r.Nets[0].Config.Loss.Missing = "negative" },
		"data":   func(r *Run) { r.Nets[0].Train = r.Nets[0].Train.Hide(0.5, 1) },
		"score":  func(r *Run) { r.Nets[0].Score = abc[:1] },
		"source": func(r *Run) { r.Nets[0].From = &from },
		"note":   func(r *Run) { r.Note = "nothing" },
	} {
		r := base()
		change(&r)
		if r.fingerprint("x") == base().fingerprint("x") {
			t.Errorf("%s does not matter", name)
		}
	}
	if base().fingerprint("x") == base().fingerprint("y") {
		t.Error("what measures does not matter")
	}
}

func TestBadInput(t *testing.T) {
	if _, err := Find("magic"); err == nil || !strings.Contains(err.Error(), "multitask, width, missing, many, transfer or all") {
		t.Errorf("an unknown experiment: %v", err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "labels.jsonl")
	var text string
	for i := range 8 {
		text += fmt.Sprintf(`{"path":"%d.jpg","labels":{"car":1,"dog":0}}`+"\n", i)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	e := []Experiment{multitask()}
	for _, tc := range []struct {
		name string
		d    Data
		want string
	}{
		{"label not in the data", Data{Train: []string{"jsonl:" + file}, Labels: []string{"car", "cat"}}, "cat"},
		{"one answer only", Data{Train: []string{"jsonl:" + file}, Val: []string{"jsonl:" + file}, Test: []string{"jsonl:" + file}, Labels: []string{"car", "dog"}}, "car (8 positive, 0 negative), dog (0 positive, 8 negative)"},
		{"one label", Data{Labels: []string{"car"}}, "needs 2 labels"},
		{"nothing to learn from", Data{Test: []string{"jsonl:" + file}}, "none to learn from"},
	} {
		if b, err := Open(t.Context(), Quick(), tc.d, e); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
			if b != nil {
				b.Close()
			}
		}
	}
}

// The narrow networks of the multi-task study have together the parameters of one.
func TestPart(t *testing.T) {
	net := Default().Config.Network
	whole, err := parameters(net, 4)
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := part(net, 4)
	if err != nil {
		t.Fatal(err)
	}
	size, err := parameters(narrow, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r := 4 * float64(size) / float64(whole); r < 0.9 || r > 1.1 {
		t.Errorf("four networks of %v have %.2f times the parameters of one of %v", narrow.Channels, r, net.Channels)
	}
}
