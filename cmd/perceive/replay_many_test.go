package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/perception/replay"
)

// A folder is many recordings, also with one video in it: its results and its golden are in
// folders.
func TestReplayFolderOfOne(t *testing.T) {
	dir := files(t)
	copyFile(t, filepath.Join(dir, "drive.mkv"), folder(t, dir, "drives")+"/one.mkv")
	const all = "replay %/drives/ -q --model %/tiny.onnx"
	check(t, dir, all+" --golden %/goldens --update first", exitOK, "verdict")
	check(t, dir, all+" --out %/results --golden %/goldens --report %/report", exitOK, replay.Good)
	for _, name := range []string{"goldens/one.jsonl", "results/one.jsonl", "report/one/index.html"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	check(t, dir, all, exitUsage, "--out: name a folder")
	check(t, dir, "replay %/mixed -q --no-guards --model %/tiny.onnx --out %/pictures.jsonl", exitOK, "results sha256")
}

func folder(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// A recording that an earlier run was through with has its report when it is asked for, with the
// verdict of today's golden, and the picture of the first divergence.
func TestReplayReportOfWhatIsDone(t *testing.T) {
	dir := files(t)
	copyFile(t, filepath.Join(dir, "drive.mkv"), folder(t, dir, "drives")+"/one.mkv")
	const all = "replay %/drives -q --model %/tiny.onnx --out %/out"
	check(t, dir, all, exitOK)
	page := func(report string, says ...string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, report, "one/index.html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range says {
			if !strings.Contains(string(text), s) {
				t.Errorf("%s: the page lacks %q", report, s)
			}
		}
	}
	check(t, dir, all+" --report %/first", exitOK, "before")
	page("first", "Labels over time", "60 frames")

	copyFile(t, filepath.Join(dir, "out/one.jsonl"), folder(t, dir, "goldens")+"/one.jsonl")
	check(t, dir, all+" --golden %/goldens --report %/second", exitOK, "before", replay.Good)
	page("second", "As the golden")

	golden := filepath.Join(dir, "goldens/one.jsonl")
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[31] = strings.Replace(lines[31], `"t_ms":`, `"t_ms":1`, 1)
	if err := os.WriteFile(golden, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	check(t, dir, all+" --golden %/goldens --report %/third", exitFailed, "are not as in")
	page("third", "are not as in", replay.FirstPicture)
	if _, err := os.Stat(filepath.Join(dir, "third/one", replay.FirstPicture)); err != nil {
		t.Error(err)
	}
	// The columns of a second model are of the run that asked it.
	check(t, dir, all+" --against %/tiny.onnx", exitOK, "other state")
	if out := check(t, dir, all, exitOK, "before"); strings.Contains(out, "other state") {
		t.Error(out)
	}
}
