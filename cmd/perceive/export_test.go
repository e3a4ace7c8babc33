package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/export/onnx"
	"perceive/models"
)

// roadFile is the built-in model as a file.
func roadFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "road.onnx")
	if err := os.WriteFile(path, models.Road, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file is converted, says so itself, and is measured like any other.
func TestExportInt8(t *testing.T) {
	out := filepath.Join(t.TempDir(), "small.onnx")
	data := "scene:40?seed=3"
	code, text, errOut := perceive(t, "export", "--model", roadFile(t), "--data", data, "--precision", "int8", "--max-drop", "50", "--calibration-frames", "8", "--out", out)
	if code != exitOK {
		t.Fatalf("exit code %d:\n%s%s", code, text, errOut)
	}
	for _, want := range []string{"chosen", "points lost", "traffic_light", "mean", "against fp32: largest difference", "small.onnx: int8"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	m, err := onnx.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	man, err := models.FromMetadata(m.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	p := man.Precision
	if p == nil || p.Target != "cpu" || p.Frames != 8 || p.Compared != 40 || len(p.Drop) != 4 || len(man.Labels[0].Metrics) != 1 || man.Name != "small" {
		t.Errorf("the file says %+v of itself, %q", p, man.Name)
	}
	code, text, errOut = perceive(t, "eval", "--model", out, "--data", data, "--json")
	var found struct {
		Labels []struct {
			Label string  `json:"label"`
			AUC   float64 `json:"auc"`
		} `json:"labels"`
	}
	if err := json.Unmarshal([]byte(text), &found); code != exitOK || err != nil {
		t.Fatalf("exit code %d, %v:\n%s", code, err, errOut)
	}
	for i, l := range found.Labels {
		for _, m := range man.Labels[i].Metrics {
			if m.AUC != l.AUC {
				t.Errorf("%s: the file says ROC AUC %g, measured again it is %g", l.Label, m.AUC, l.AUC)
			}
		}
	}
}

// Where nothing can be told, nothing is written.
func TestExportRefuses(t *testing.T) {
	road, dir := roadFile(t), pictures(t)
	text := ""
	for _, name := range []string{"a", "b"} {
		text += `{"path":"` + name + `.png","labels":{"car":1,"pedestrian":1,"stop_sign":1,"traffic_light":1}}` + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "positive.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.onnx")
	for _, tc := range []struct {
		says string
		code int
		args []string
	}{
		{"both answers", exitFailed, []string{"--model", road, "--precision", "int8"}},
		{"--run or --model", exitUsage, nil},
		{"--run or --model", exitUsage, []string{"--model", road, "--run", dir}},
		{"in fp32 already", exitUsage, []string{"--model", road}},
		{"--max-drop", exitUsage, []string{"--model", road, "--precision", "int8", "--max-drop", "-1"}},
		{"precision", exitUsage, []string{"--model", road, "--precision", "int4"}},
		{"target", exitUsage, []string{"--model", road, "--precision", "int8", "--target", "npu"}},
	} {
		args := append([]string{"export", "--data", "jsonl:" + dir + "/positive.jsonl", "--out", out}, tc.args...)
		if code, _, errOut := perceive(t, args...); code != tc.code || !strings.Contains(errOut, tc.says) {
			t.Errorf("%q: exit code %d, and %q is not in:\n%s", tc.args, code, tc.says, errOut)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: a file was written", tc.args)
		}
	}
}
