package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/camera/opencv"
)

// pictures is a folder with labels of four pictures, one of them damaged and one missing.
func pictures(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := ""
	for _, name := range []string{"a", "b", "damaged", "missing"} {
		text += `{"path":"` + name + `.png","labels":{"car":1,"pedestrian":0},"boxes":[{"label":"car","xywh":[8,8,20,20]}],"source":"` + name[:1] + `"}` + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "labels.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.png", "b.png", "damaged.png"} {
		if err := opencv.EncodeFile(filepath.Join(dir, name), 64, 48, make([]byte, 3*64*48)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, "damaged.png"), 30); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTrainPreview(t *testing.T) {
	dir, cache := pictures(t), t.TempDir()
	args := []string{"train", "--data", "jsonl:" + dir + "/labels.jsonl", "--val", "jsonl:" + dir + "/labels.jsonl", "--labels", "car,pedestrian",
		"--cache", cache, "--preview", filepath.Join(dir, "see")}
	code, _, errOut := perceive(t, args...)
	for _, want := range []string{"1 missing pictures", "missing.png", "1 pictures that cannot be decoded", "damaged.png", "--on-bad skip"} {
		if code != exitFailed || !strings.Contains(errOut, want) {
			t.Errorf("exit code %d, and %q is not in:\n%s", code, want, errOut)
		}
	}
	code, out, errOut := perceive(t, append(args, "--on-bad", "skip")...)
	if code != exitOK || !strings.Contains(errOut, "decoded before") {
		t.Fatalf("exit code %d:\n%s", code, errOut)
	}
	for _, want := range []string{"left out: 1 missing pictures", "also pedestrian", "source (positive/negative)", "0 % of 4"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("lacks %q:\n%s", want, errOut)
		}
	}
	names := strings.Fields(out)
	if len(names) != 3 { // a batch of 32
		t.Fatalf("sheets %q", names)
	}
	for _, name := range names {
		if _, _, _, err := opencv.DecodeFile(name); err != nil {
			t.Error(err)
		}
	}
}

func TestTrainPreviewIntoFile(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	file := filepath.Join(t.TempDir(), "new", "see.png")
	code, out, errOut := perceive(t, "train", "--data", "scene:12?presence=1", "--labels", "tasks:20", "--preview", file)
	if code != exitOK {
		t.Fatalf("exit code %d:\n%s", code, errOut)
	}
	if names := strings.Fields(out); len(names) != 3 || names[0] != file || names[1] != strings.TrimSuffix(file, ".png")+"-2.png" {
		t.Errorf("sheets %q", names)
	}
	if kept, _ := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "perceive", "*.pixels")); len(kept) != 1 {
		t.Errorf("kept %q in the user's cache", kept)
	}
}

func TestTrainWantsAFolder(t *testing.T) {
	for says, args := range map[string][]string{
		"--out":   {"train", "--data", "scene:12"},
		"tasks:N": {"train", "--data", "scene:12", "--labels", "tasks:x", "--out", "x"},
		"on-bad":  {"train", "--data", "scene:12", "--on-bad", "hope", "--out", "x"},
	} {
		if code, _, errOut := perceive(t, args...); code != exitUsage || !strings.Contains(errOut, says) {
			t.Errorf("exit code %d, and %q is not in:\n%s", code, says, errOut)
		}
	}
}
