package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A speed is max or a whole factor: what stands behind it is not left out.
func TestReplaySpeed(t *testing.T) {
	for text, want := range map[string]replaySpeed{"max": 0, "1x": 1, "0.5x": 0.5, "2.5x": 2.5, "1000x": 1000} {
		var s replaySpeed = 7
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "x", "1", "2x5", "1xfoo", "1x ", " 1x", "1 x", "1xx", "0x", "-1x", "nanx", "infx", "1e9x", "1e-300x", "1X", "max1x"} {
		var s replaySpeed
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %vx", text, float64(s))
		}
	}
}

// A flag that would do nothing beside the others is refused in words, and so is an output that
// would take the place of what is read. Of one recording and of many.
func TestReplayRefusesFlags(t *testing.T) {
	dir := files(t)
	copyFile(t, filepath.Join(dir, "drive.mkv"), filepath.Join(dir, "again.mkv"))
	check(t, dir, "replay %/drive.mkv -q --model %/tiny.onnx --out %/road.jsonl", exitOK)
	before, err := os.ReadFile(filepath.Join(dir, "road.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	const one, many = "%/drive.mkv", "%/drive.mkv %/again.mkv"
	for _, tc := range []struct{ source, flags, says string }{
		{one, "--workers 2", "--workers and --memory are for several"},
		{one, "--memory 100", "--workers and --memory are for several"},
		{many, "--out %/out --workers=-1", "want 0 or more"},
		{many, "--out %/out --memory 9000000000000000", "want 0 or more"},
		{many, "--out %/out --annotate %/a.mp4", "--annotate is for one"},
		{many, "--out %/out --speed 1x", "--speed and --drops"},
		{many, "--out %/out --drops %/road.jsonl", "--speed and --drops"},
		{many, "--out -", "--out: name a folder"},
		{many, "--report %/report", "--out: name a folder"},
		{one, "--against-manifest %/tiny.json", "name it with --against"},
		{many, "--out %/out --against-manifest %/tiny.json", "name it with --against"},
		{one, "--camera front", "FILE.mcap?camera=NAME"},
		{many, "--out %/out --camera front", "FILE.mcap?camera=NAME"},
		{one, "--tolerance-p 0.1", "name a --golden"},
		{many, "--out %/out --tolerance-band 0.1", "name a --golden"},
		{one, "--golden %/g.jsonl --update new --tolerance-where 3", "leave --update"},
		{one, "--golden %/g.jsonl --tolerance-p=-1", "want 0 to 1"},
		{one, "--golden %/g.jsonl --tolerance-band=nan", "want 0 to 1"},
		{one, "--golden %/g.jsonl --tolerance-where=-2", "-1 to compare no place"},
		{one, "--golden %/g.jsonl --update=", "say why"},
		{one, "--leave 1.5", "--leave 1.5"},
		{many, "--out %/out --expiry 0s", "--expiry 0s"},
		{one, "--hold=-1s", "--hold -1s"},
		{one, "--report %/road.jsonl", "is a file: name a folder"},
		{one, "--out %/new --report %/new", "is an output already"},
		{one, "--drops %/road.jsonl --out %/road.jsonl", "read by --drops"},
		{one, "--against %/tiny.onnx --out %/tiny.onnx", "would be overwritten"},
		{one, "--golden %/drive.mkv --update new", "this is the source"},
		{one, "--golden %/road.jsonl --drops %/road.jsonl --update new", "read by --drops"},
	} {
		check(t, dir, "replay "+tc.source+" -q --model %/tiny.onnx "+tc.flags, exitUsage, tc.says)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "road.jsonl")); err != nil || string(after) != string(before) {
		t.Errorf("the road's recording is not as it was: %v", err)
	}
	check(t, dir, "replay "+one+" -q --model %/tiny.onnx --golden %/road.jsonl --tolerance-p 0.1 --tolerance-band 0 --tolerance-where=-1 --speed 1000x --drops %/road.jsonl --out %/new.jsonl --report %/report", exitOK)
}
