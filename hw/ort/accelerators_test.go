package ort

import (
	"maps"
	"strings"
	"testing"

	"perceive/hw"
)

func TestProviderOptions(t *testing.T) {
	core := 1
	all := Options{Device: 2, CUDA: CUDAOptions{MemoryLimit: 1 << 31, Arena: ArenaExact},
		TensorRT: TensorRTOptions{FP16: true, INT8: true, EngineCache: "/e", TimingCache: "/t", DLACore: &core, Workspace: 1 << 30}}
	for _, tc := range []struct {
		name string
		o    Options
		p    hw.Provider
		want map[string]string
	}{
		{"cpu", all, hw.CPU, nil},
		{"cuda, defaults", Options{}, hw.CUDA, map[string]string{"device_id": "0"}},
		{"cuda, all", all, hw.CUDA, map[string]string{"device_id": "2", "gpu_mem_limit": "2147483648", "arena_extend_strategy": "kSameAsRequested"}},
		{"cuda, doubling", Options{CUDA: CUDAOptions{Arena: ArenaDouble}}, hw.CUDA, map[string]string{"device_id": "0", "arena_extend_strategy": "kNextPowerOfTwo"}},
		{"tensorrt, defaults", Options{}, hw.TensorRT, map[string]string{"device_id": "0"}},
		{"tensorrt, all", all, hw.TensorRT, map[string]string{"device_id": "2", "trt_fp16_enable": "1", "trt_int8_enable": "1",
			"trt_engine_cache_enable": "1", "trt_engine_cache_path": "/e", "trt_timing_cache_enable": "1", "trt_timing_cache_path": "/t",
			"trt_max_workspace_size": "1073741824", "trt_dla_enable": "1", "trt_dla_core": "1"}},
	} {
		if got := tc.o.providerOptions(tc.p); !maps.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestAcceleratorOptionsAreChecked(t *testing.T) {
	core := func(n int) *int { return &n }
	for _, tc := range []struct {
		o    Options
		says string
	}{
		{Options{CUDA: CUDAOptions{MemoryLimit: -1}}, "cuda.memory_limit: -1"},
		{Options{CUDA: CUDAOptions{Arena: "kSameAsRequested"}}, `cuda.arena: unknown "kSameAsRequested": use next-power-of-two`},
		{Options{TensorRT: TensorRTOptions{Workspace: -5}}, "tensorrt.workspace: -5"},
		{Options{TensorRT: TensorRTOptions{FP16: true, DLACore: core(-1)}}, "tensorrt.dla_core: -1"},
		{Options{TensorRT: TensorRTOptions{DLACore: core(0)}}, "fp16 or int8"},
		{Options{TensorRT: TensorRTOptions{EngineCache: "a\x00b"}}, "tensorrt.engine_cache"},
		{Options{TensorRT: TensorRTOptions{INT8: true, DLACore: core(0), EngineCache: "a"}, CUDA: CUDAOptions{Arena: ArenaExact}}, ""},
	} {
		err := tc.o.withDefaults().validate()
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: error %v, want one that says %q", tc.o, err, tc.says)
		}
	}
}

func TestPrecision(t *testing.T) {
	for want, o := range map[string]TensorRTOptions{"fp32": {}, "fp16": {FP16: true}, "int8": {INT8: true}, "fp16+int8": {FP16: true, INT8: true}} {
		if got := o.Precision(); got != want {
			t.Errorf("%+v: %s, want %s", o, got, want)
		}
	}
}
