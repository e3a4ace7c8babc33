package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/perception/model/modeltest"
)

// A second model that never answers is no model that agrees, of one recording and of many; and it
// is loaded as the first is: with the key that must have signed it.
func TestReplayAgainstFails(t *testing.T) {
	dir := files(t)
	if err := os.WriteFile(filepath.Join(dir, "loud.onnx"), modeltest.Loud(t, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(dir, "drive.mkv"), filepath.Join(dir, "again.mkv"))
	const tiny = " --model %/tiny.onnx"
	out := check(t, dir, "replay %/drive.mkv -q --against %/loud.onnx"+tiny, exitFailed, "compared on no frame", "failed on 59 frames", "no probability")
	if !strings.Contains(out, "0 frames, 0 with another state") {
		t.Error(out)
	}
	check(t, dir, "replay %/drive.mkv %/again.mkv -q --out %/out --against %/loud.onnx"+tiny, exitFailed, "2 of 2 recordings failed", "compared on no frame", "59 failed")
	check(t, dir, "models keygen %/a", exitOK)
	check(t, dir, "models sign %/tiny.onnx --key %/a.key --out %/signed.onnx", exitOK)
	const signed = " --model %/signed.onnx --public-key %/a.pub"
	check(t, dir, "replay %/drive.mkv -q --against %/tiny.onnx"+signed, exitFailed, "--against: ", "the file is not signed")
	check(t, dir, "replay %/drive.mkv -q --against %/signed.onnx"+signed, exitOK, "59 frames, 0 with another state")
}
