package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/perception/replay"
)

// A replay decides as the vehicle's own configuration says, and a golden that was made otherwise is
// refused in words.
func TestReplayDecidesAsTheVehicle(t *testing.T) {
	dir := files(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{
		"vehicle.yaml": "guards: {frozen_for: 7s}\ndecide:\n  hold: 500ms\n  labels: {red: {enter: 0.4, leave: 0.3}}\n",
		"typo.yaml":    "guards:\n  blured: 1\n",
		"label.yaml":   "decide: {labels: {dog: {enter: 0.5}}}\n",
	} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := func(more ...string) []string {
		return append([]string{"replay", at("drive.mkv"), "-q", "--model", at("tiny.onnx")}, more...)
	}
	if code, _, errOut := perceive(t, args("--config", at("vehicle.yaml"), "--golden", at("g.jsonl"), "--update", "as the vehicle")...); code != exitOK {
		t.Fatal(errOut)
	}
	text, err := os.ReadFile(at("g.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"label":"red","enter":0.4,"leave":0.3,"hold_ms":500}`, "FrozenFor:7s"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the header", want)
		}
	}
	if code, _, errOut := perceive(t, args("--config", at("vehicle.yaml"), "--golden", at("g.jsonl"))...); code != exitOK {
		t.Error(errOut)
	}
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--golden", at("g.jsonl")}, exitFailed, "other settings: "},
		{[]string{"--golden", at("g.jsonl")}, exitFailed, "red on from 0.4000, off below 0.3000, held 500 ms, now on from"},
		{[]string{"--config", at("vehicle.yaml"), "--no-guards", "--golden", at("g.jsonl")}, exitFailed, "guards [input"},
		{[]string{"--config", at("typo.yaml")}, exitUsage, "typo.yaml:2"},
		{[]string{"--config", at("label.yaml")}, exitFailed, "decide.labels.dog"},
		{[]string{"--config", at("vehicle.yaml"), "--hold", "1s"}, exitUsage, "leave --leave"},
		{[]string{"--config", at("none.yaml")}, exitUsage, "none.yaml"},
	} {
		if code, _, errOut := perceive(t, args(tc.args...)...); code != tc.code || !strings.Contains(errOut, tc.says) {
			t.Errorf("%v: exit code %d, %s; want %d and %q", tc.args, code, errOut, tc.code, tc.says)
		}
	}
}

// Several recordings have a golden each, which one command makes anew; a second model has a row and
// a page for each.
func TestReplayManyGoldens(t *testing.T) {
	dir := files(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	copyFile(t, at("drive.mkv"), at("again.mkv"))
	args := func(more ...string) []string {
		return append([]string{"replay", at("drive.mkv"), at("again.mkv"), "-q", "--model", at("tiny.onnx"), "--golden", at("goldens")}, more...)
	}
	for _, reason := range []string{"the first", "the second"} {
		if code, _, errOut := perceive(t, args("--update", reason)...); code != exitOK {
			t.Fatal(errOut)
		}
		for _, name := range []string{"drive", "again"} {
			text, _ := os.ReadFile(at("goldens/" + name + ".jsonl"))
			if head, _, _ := strings.Cut(string(text), "\n"); !strings.Contains(head, reason) || strings.Contains(head, "replaces") != (reason == "the second") {
				t.Errorf("%s: %s", name, head)
			}
		}
	}
	if _, err := os.Stat(at("goldens/" + replay.Journal)); err == nil {
		t.Error("there is a journal among the goldens")
	}
	for range 2 { // the journal does not keep a second model from being asked
		code, out, errOut := perceive(t, args("--out", at("out"), "--against", at("tiny.onnx"), "--report", at("report"))...)
		if code != exitOK || strings.Count(out, replay.Good) != 2 || strings.Count(out, "0 of 59") != 2 {
			t.Errorf("exit code %d: %s%s", code, out, errOut)
		}
	}
	for _, name := range []string{"drive", "again"} {
		page, err := os.ReadFile(at("report/" + name + "/index.html"))
		if err != nil || !strings.Contains(string(page), "Two models") {
			t.Errorf("%s: %v, and no comparison", name, err)
		}
	}
}
