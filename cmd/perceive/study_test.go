package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong is said before anything is rendered, with the exit code for it.
func TestStudyRefuses(t *testing.T) {
	dir := files(t)
	out := filepath.Join(dir, "study")
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown experiment", []string{"magic", "--out", out}, exitUsage, "want multitask, width, missing, many, transfer or all"},
		{"no folder", []string{"width"}, exitUsage, "--out"},
		{"negative seeds", []string{"width", "--out", out, "--seeds=-1"}, exitUsage, "--seeds -1"},
		{"label twice", []string{"width", "--out", out, "--labels", "car,car"}, exitUsage, `"car" is empty or there twice`},
		{"no such question", []string{"many", "--out", out, "--labels", "tasks:9999"}, exitUsage, "tasks:9999"},
		{"nothing to learn from", []string{"width", "--out", out, "--test", "jsonl:" + filepath.Join(dir, "labels.jsonl")}, exitUsage, "none to learn from"},
		{"label not in the data", []string{"width", "--out", out, "--data", "jsonl:" + filepath.Join(dir, "labels.jsonl"), "--labels", "car,cat"}, exitFailed, `"cat"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, errOut := perceive(t, append([]string{"study"}, tc.args...)...)
			if code != tc.code || !strings.Contains(errOut, tc.want) {
				t.Errorf("exit code %d, want %d, with %q in: %s", code, tc.code, tc.want, errOut)
			}
		})
	}
}
