package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/perception/bench"
	"perceive/perception/model/modeltest"
)

// quick is a bench of a small model that takes no time to speak of.
func quick(t *testing.T) (args []string, dir string) {
	t.Helper()
	dir = t.TempDir()
	file := filepath.Join(dir, "tiny.onnx")
	if err := os.WriteFile(file, modeltest.File(t, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"bench", "--source", "scene://?seed=1&seconds=2&width=64&height=64", "--model", file,
		"--seconds", "0", "--frames", "20", "--repetitions", "2", "--warm-up", "0.1", "--trial", "0.01", "--min-rate", "500", "--max-rate", "2000"}, dir
}

func TestBench(t *testing.T) {
	args, dir := quick(t)
	base := filepath.Join(dir, "base.json")
	code, out, errOut := perceive(t, append(args, "--save", base)...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"tiny on cpu", "scene://", "64×64", "decode", "guard", "pipeline/guard", "pipeline/network", "p99 ms", "late p90 ms", "highest rate", "dropped"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	code, out, errOut = perceive(t, append(args, "--json", "--no-rate", "-q", "--baseline", base)...)
	if code != exitOK || errOut != "" {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var r bench.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Schema != bench.Schema || len(r.Stages) != 10 || r.Rate != nil || r.Conditions.Model != "tiny" || r.Comparison == nil || len(r.Comparison.Rows) != 9 || len(r.Comparison.Differs) != 0 {
		t.Errorf("%s", out)
	}
}

// A baseline that was a thousand times as fast fails the run, where that was asked for.
func TestBenchFailsAbove(t *testing.T) {
	args, dir := quick(t)
	args = append(args, "--no-rate", "-q")
	base := filepath.Join(dir, "base.json")
	if code, _, errOut := perceive(t, append(args, "--save", base)...); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	f, err := os.Open(base)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := bench.Parse(base, f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Stages {
		p := &r.Stages[i].P50
		p.Min, p.Median, p.Max = p.Min/1000, p.Median/1000, p.Max/1000
	}
	r.Conditions.CPU = "Abacus 9"
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(base, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := perceive(t, append(args, "--baseline", base)...); code != exitOK || !strings.Contains(out, "slower") || !strings.Contains(out, "warning: another processor: Abacus 9") {
		t.Errorf("exit code %d, want %d: %s%s", code, exitOK, out, errOut)
	}
	if code, _, errOut := perceive(t, append(args, "--baseline", base, "--fail-above", "1.5")...); code != exitFailed || !strings.Contains(errOut, "network (ms)") {
		t.Errorf("exit code %d, want %d: %s", code, exitFailed, errOut)
	}
}

func TestBenchInterrupted(t *testing.T) {
	args, dir := quick(t)
	base := filepath.Join(dir, "base.json")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	if code := run(ctx, append(args, "--save", base), &out, &errOut); code != exitFailed || !strings.Contains(errOut.String(), "interrupted") {
		t.Errorf("exit code %d: %s%s", code, &out, &errOut)
	}
	if _, err := os.Stat(base); err == nil {
		t.Error("an incomplete baseline was written")
	}
}

func TestBenchRefuses(t *testing.T) {
	args, dir := quick(t)
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"schema":"perceive-bench/99"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no baseline file", []string{"--baseline", filepath.Join(dir, "none.json")}, exitUsage, "none.json"},
		{"a baseline that is a model", []string{"--baseline", filepath.Join(dir, "tiny.onnx")}, exitUsage, "no report of perceive bench"},
		{"another schema", []string{"--baseline", bad}, exitUsage, "perceive-bench/99"},
		{"nothing to fail by", []string{"--fail-above", "1.1"}, exitUsage, "--baseline"},
		{"a ratio below 1", []string{"--fail-above", "0.5", "--baseline", bad}, exitUsage, "1 or more"},
		{"rates in the wrong order", []string{"--min-rate", "100", "--max-rate", "10"}, exitUsage, "frames/s"},
		{"no rate", []string{"--min-rate", "0"}, exitUsage, "frames/s"},
		{"rates that no timer has", []string{"--max-rate", "1e9"}, exitUsage, "frames/s"},
		{"rates that are no numbers", []string{"--max-rate", "nan"}, exitUsage, "frames/s"},
		{"no time", []string{"--frames", "0"}, exitUsage, "a stage"},
		{"one turn", []string{"--repetitions", "1"}, exitUsage, "repetitions"},
		{"threads", []string{"--threads", "-1"}, exitUsage, "--threads"},
		{"no folder to save in", []string{"--save", filepath.Join(dir, "none", "x.json")}, exitUsage, "no folder"},
		{"no source", []string{"--source", filepath.Join(dir, "none.mp4")}, exitFailed, "none.mp4"},
		{"a source that is none", []string{"--source", bad}, exitFailed, "bad.json"},
		{"too few frames", []string{"--source", "scene://?seed=1&seconds=0.3&width=64&height=64"}, exitFailed, "10 at least"},
		{"no model", []string{"--model", bad}, exitFailed, "bad.json"},
	} {
		if code, out, errOut := perceive(t, append(args, tc.args...)...); code != tc.code || !strings.Contains(errOut, tc.says) || out != "" {
			t.Errorf("%s: exit code %d, want %d; %q in %q%q", tc.name, code, tc.code, tc.says, errOut, out)
		}
	}
}
