package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/internal/realdata"
)

// A damaged picture is an error that names it, or is left out and said so; the others are
// looked at either way, and the file is whole or not there.
func TestTeachOnDamagedPictures(t *testing.T) {
	detector := realdata.Path(t, "onnx/yolox_nano/yolox_nano.onnx")
	dir := t.TempDir()
	var grey bytes.Buffer
	if err := jpeg.Encode(&grey, image.NewGray(image.Rect(0, 0, 96, 64)), nil); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"good.jpg": grey.Bytes(), "bad.jpg": []byte("no picture"),
		"labels.jsonl": []byte(`{"path":"good.jpg","labels":{"car":0}}` + "\n" + `{"path":"bad.jpg","labels":{"car":1}}` + "\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	seen := filepath.Join(dir, "seen.jsonl")
	args := []string{"teach", "--detector", detector, "--data", "jsonl:" + filepath.Join(dir, "labels.jsonl"), "--labels", "car", "--out", seen}
	code, _, errOut := perceive(t, args...)
	if _, err := os.Stat(seen); code != 1 || !strings.Contains(errOut, "bad.jpg") || !strings.Contains(errOut, "--on-bad skip") || err == nil {
		t.Errorf("exit code %d, file %v:\n%s", code, err, errOut)
	}
	code, _, errOut = perceive(t, append(args, "--on-bad", "skip")...)
	if code != 0 || !strings.Contains(errOut, "bad.jpg") {
		t.Errorf("exit code %d:\n%s", code, errOut)
	}
	if got := lines(t, seen); len(got) != 1 || got[0]["path"] != "good.jpg" {
		t.Errorf("lines %v", got)
	}
}
