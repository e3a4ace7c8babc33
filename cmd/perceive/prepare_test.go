package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perceive/hw"
	"perceive/hw/board"
	"perceive/hw/engine"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

func TestPrepareOnTheCPU(t *testing.T) {
	code, out, errOut := perceive(t, "prepare")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"measured: cpu ", "golden results", " met", "warm", "ready          yes"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	rt := orttest.Runtime(t)
	dir := files(t)
	cache := filepath.Join(t.TempDir(), "cache")
	for _, tc := range []struct {
		args string
		code int
		says string
	}{
		{"--provider tensorrt", exitUsage, "--engine-cache"},
		{"--engine-cache x", exitUsage, "--engine-cache has no effect with --provider cpu"},
		{"--threads=-1", exitUsage, "--threads -1"},
		{"--precision fp8", exitUsage, "fp16"},
		{"--provider tensorrt --precision fp32 --dla 0 --engine-cache x", exitUsage, "tensorrt.dla_core"},
		{"--model " + dir + "/changed.onnx", exitFailed, "changed.onnx"},
		{"--model " + dir + "/text.onnx", exitFailed, "text.onnx"},
		{"--model " + dir + "/nothing.onnx", exitFailed, "nothing.onnx"},
		{"--provider tensorrt --precision fp16 --engine-cache " + cache, exitFailed, "provider cannot be used: tensorrt"},
	} {
		if strings.Contains(tc.says, "cannot be used") && rt.Usable(ort.Options{Provider: hw.TensorRT}) == nil {
			continue // a machine that has it builds the engine
		}
		code, out, errOut := perceive(t, append([]string{"prepare"}, strings.Fields(tc.args)...)...)
		if code != tc.code || !strings.Contains(errOut, tc.says) || strings.Contains(out, "ready") {
			t.Errorf("prepare %s: exit code %d, want %d; says %q, want %q", tc.args, code, tc.code, errOut, tc.says)
		}
	}
	if _, err := os.Stat(cache); !os.IsNotExist(err) {
		t.Errorf("a refusal left a cache: %v", err)
	}
}

// The fall back is ready, and says that it is degraded.
func TestPrepareFallsBack(t *testing.T) {
	if orttest.Runtime(t).Usable(ort.Options{Provider: hw.CUDA}) == nil {
		return // here nothing falls back
	}
	code, out, errOut := perceive(t, "prepare", "--provider", "tensorrt", "--policy", "prefer", "--engine-cache", filepath.Join(t.TempDir(), "c"))
	if code != exitOK || !strings.Contains(out, "ready          yes, degraded: tensorrt: ") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
}

// The engine's key changes with everything that it depends on, and is whole on a Jetson.
func TestEngineKey(t *testing.T) {
	reading := func() (r board.Reading) {
		r.Facts.Model, r.Facts.L4T = board.Some("Orin Nano"), board.Some("36.4.3")
		return r
	}
	core := 1
	base := engineBuilder{rt: orttest.Runtime(t), file: models.Road}
	k := base.key(reading())
	if k.Shapes != "frame[1 224 384 3]" || k.Driver != "L4T 36.4.3" || k.Device != "Orin Nano" || k.Precision != "fp32" || len(k.Model) != 64 {
		t.Errorf("key %+v", k)
	}
	seen := map[string]string{k.ID(): "the first"}
	for what, change := range map[string]func(*engineBuilder, *board.Reading){
		"model":     func(b *engineBuilder, _ *board.Reading) { b.file = modeltest.File(t, nil) },
		"contract":  func(b *engineBuilder, _ *board.Reading) { b.opts.Manifest = modeltest.Manifest(t) },
		"precision": func(b *engineBuilder, _ *board.Reading) { b.opts.TensorRT.FP16 = true },
		"dla":       func(b *engineBuilder, _ *board.Reading) { b.opts.TensorRT.DLACore = &core },
		"workspace": func(b *engineBuilder, _ *board.Reading) { b.opts.TensorRT.Workspace = 1 << 30 },
		"l4t":       func(_ *engineBuilder, r *board.Reading) { r.Facts.L4T = board.Some("36.4.4") },
		"board":     func(_ *engineBuilder, r *board.Reading) { r.Facts.Model = board.Some("AGX Orin") },
	} {
		b, r := base, reading()
		change(&b, &r)
		id := b.key(r).ID()
		if other := seen[id]; other != "" {
			t.Errorf("%s has the key of %s: %s", what, other, id)
		}
		seen[id] = what
	}
}

// Where there is no TensorRT its own reason comes first, before what cannot be identified.
func TestEngineBuilderWithoutTensorRT(t *testing.T) {
	rt := orttest.Runtime(t)
	if rt.Usable(ort.Options{Provider: hw.TensorRT}) == nil {
		return
	}
	dir := filepath.Join(t.TempDir(), "c")
	b := engineBuilder{rt: rt, cache: engine.Cache{Dir: dir}, file: models.Road, opts: model.Options{}}
	if _, err := b.ready(t.Context()); !errors.Is(err, ort.ErrProvider) {
		t.Errorf("error %v, want ErrProvider", err)
	}
}

func TestHowLong(t *testing.T) {
	for _, tc := range []struct {
		gone, last time.Duration
		want       string
	}{
		{35 * time.Second, 0, "35s so far"},
		{35 * time.Second, 2 * time.Minute, "35s so far, about 1m25s left"},
		{3 * time.Minute, 2 * time.Minute, "3m0s so far, the last time took 2m0s"},
	} {
		if got := howLong(tc.gone, tc.last); got != tc.want {
			t.Errorf("%v of %v: %q, want %q", tc.gone, tc.last, got, tc.want)
		}
	}
}

// What ran is in a recording's header, and was measured.
func TestRecordingsSayWhatRan(t *testing.T) {
	code, out, errOut := perceive(t, "run", "-q", "--source", "scene://?seed=1&seconds=0.2", "--out", "-")
	head, _, _ := strings.Cut(out, "\n")
	if code != exitOK || !strings.Contains(head, `"measured":{"nodes":{"cpu":`) {
		t.Errorf("exit code %d, header %s\n%s", code, head, errOut)
	}
}
