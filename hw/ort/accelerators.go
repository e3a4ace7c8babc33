package ort

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"perceive/hw"
)

// Arena is how CUDA's memory pool grows. Empty is the library's default.
type Arena string

const (
	// ArenaDouble grows in powers of two: few allocations, up to twice the memory.
	ArenaDouble Arena = "next-power-of-two"
	// ArenaExact grows by what is asked for.
	ArenaExact Arena = "same-as-requested"
)

// CUDAOptions are those of the CUDA provider, also beneath TensorRT. Zero values are the
// library's defaults.
type CUDAOptions struct {
	// MemoryLimit of the pool, in bytes. Zero means none.
	MemoryLimit int64 `json:"memory_limit,omitempty" yaml:"memory_limit"`
	Arena       Arena `json:"arena,omitempty" yaml:"arena"`
}

// TensorRTOptions are those of the TensorRT provider. The zero value computes in fp32
// and builds its engines anew at each loading, which takes minutes.
type TensorRTOptions struct {
	// FP16 and INT8 allow these precisions; INT8 needs a model with quantised nodes.
	FP16 bool `json:"fp16,omitempty" yaml:"fp16"`
	INT8 bool `json:"int8,omitempty" yaml:"int8"`
	// EngineCache is the folder of built engines, made by "perceive prepare". What is in it
	// is used as it is: check it first (hw/engine).
	EngineCache string `json:"engine_cache,omitempty" yaml:"engine_cache"`
	// TimingCache is the folder of kernel timings, which make later builds shorter.
	TimingCache string `json:"timing_cache,omitempty" yaml:"timing_cache"`
	// DLACore is a Jetson's deep learning accelerator, from 0; nil means the GPU. It computes
	// in FP16 or INT8 only.
	DLACore *int `json:"dla_core,omitempty" yaml:"dla_core"`
	// Workspace for building and running, in bytes. Zero means the library's default.
	Workspace int64 `json:"workspace,omitempty" yaml:"workspace"`
}

// Precision names what may be computed in: "fp32", "fp16", "int8" or "fp16+int8".
func (o TensorRTOptions) Precision() string {
	var parts []string
	if o.FP16 {
		parts = append(parts, "fp16")
	}
	if o.INT8 {
		parts = append(parts, "int8")
	}
	if parts == nil {
		return "fp32"
	}
	return strings.Join(parts, "+")
}

// maxDLA is beyond the accelerators of any Jetson, which have two.
const maxDLA = 15

func (o CUDAOptions) validate() error {
	var errs []error
	if o.MemoryLimit < 0 {
		errs = append(errs, fmt.Errorf("cuda.memory_limit: %d is negative", o.MemoryLimit))
	}
	switch o.Arena {
	case "", ArenaDouble, ArenaExact:
	default:
		errs = append(errs, fmt.Errorf("cuda.arena: unknown %q: use %s or %s", o.Arena, ArenaDouble, ArenaExact))
	}
	return errors.Join(errs...)
}

func (o TensorRTOptions) validate() error {
	var errs []error
	if o.Workspace < 0 {
		errs = append(errs, fmt.Errorf("tensorrt.workspace: %d is negative", o.Workspace))
	}
	if o.DLACore != nil {
		if *o.DLACore < 0 || *o.DLACore > maxDLA {
			errs = append(errs, fmt.Errorf("tensorrt.dla_core: %d is not within 0..%d", *o.DLACore, maxDLA))
		}
		if !o.FP16 && !o.INT8 {
			errs = append(errs, errors.New("tensorrt.dla_core: a DLA computes in fp16 or int8: allow one (tensorrt.fp16, tensorrt.int8)"))
		}
	}
	for _, dir := range []struct{ key, path string }{{"engine_cache", o.EngineCache}, {"timing_cache", o.TimingCache}} {
		if strings.ContainsRune(dir.path, 0) {
			errs = append(errs, fmt.Errorf("tensorrt.%s: %q is no path", dir.key, dir.path))
		}
	}
	return errors.Join(errs...)
}

// providerOptions are the library's own keys and values for a provider.
func (o Options) providerOptions(p hw.Provider) map[string]string {
	kv := map[string]string{"device_id": strconv.Itoa(o.Device)}
	set := func(key, value string, on bool) {
		if on {
			kv[key] = value
		}
	}
	switch p {
	case hw.CUDA:
		arenas := map[Arena]string{ArenaDouble: "kNextPowerOfTwo", ArenaExact: "kSameAsRequested"}
		set("gpu_mem_limit", strconv.FormatInt(o.CUDA.MemoryLimit, 10), o.CUDA.MemoryLimit > 0)
		set("arena_extend_strategy", arenas[o.CUDA.Arena], o.CUDA.Arena != "")
	case hw.TensorRT:
		t := o.TensorRT
		set("trt_fp16_enable", "1", t.FP16)
		set("trt_int8_enable", "1", t.INT8)
		set("trt_engine_cache_enable", "1", t.EngineCache != "")
		set("trt_engine_cache_path", t.EngineCache, t.EngineCache != "")
		set("trt_timing_cache_enable", "1", t.TimingCache != "")
		set("trt_timing_cache_path", t.TimingCache, t.TimingCache != "")
		set("trt_max_workspace_size", strconv.FormatInt(t.Workspace, 10), t.Workspace > 0)
		if t.DLACore != nil {
			kv["trt_dla_enable"], kv["trt_dla_core"] = "1", strconv.Itoa(*t.DLACore)
		}
	default:
		return nil
	}
	return kv
}
