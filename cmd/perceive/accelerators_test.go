package main

import (
	"strings"
	"testing"

	"perceive/hw"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{"0": 0, "1024": 1024, "512MiB": 512 << 20, "1.5 GiB": 3 << 29, "3KiB": 3072} {
		var b byteSize
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q: %d, %v, want %d", text, b, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "NaN", "1e30", "5MB", "GiB"} {
		var b byteSize
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: %d, want an error", text, b)
		}
	}
}

func FuzzByteSize(f *testing.F) {
	f.Add("512MiB")
	f.Add("9223372036854775807")
	f.Fuzz(func(t *testing.T, text string) {
		var b byteSize
		if err := b.UnmarshalText([]byte(text)); err == nil && b < 0 {
			t.Errorf("%q: %d", text, b)
		}
	})
}

func TestAcceleratorFlagsThatWouldDoNothing(t *testing.T) {
	core := 0
	for _, tc := range []struct {
		f    acceleratorFlags
		p    hw.Provider
		says string
	}{
		{acceleratorFlags{Device: 1}, hw.CPU, "--device has no effect with --provider cpu"},
		{acceleratorFlags{Precision: "fp16"}, hw.CUDA, "--precision fp16 has no effect"},
		{acceleratorFlags{DLA: &core}, hw.TensorRT, "tensorrt.dla_core"},
		{acceleratorFlags{Device: -1}, hw.CUDA, "device: -1"},
		{acceleratorFlags{Precision: "fp16+int8", DLA: &core, Device: 1}, hw.TensorRT, ""},
		{acceleratorFlags{GPUMemory: 1 << 20}, hw.Auto, ""},
		{acceleratorFlags{EngineCache: "x"}, hw.CUDA, "--engine-cache has no effect"},
		{acceleratorFlags{}, hw.CPU, ""},
	} {
		err := tc.f.check(tc.p)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v on %s: error %v, want one that says %q", tc.f, tc.p, err, tc.says)
		}
	}
}
