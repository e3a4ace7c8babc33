package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"perceive/hw"
	"perceive/hw/ort"
)

// acceleratorFlags are options of the GPU providers.
type acceleratorFlags struct {
	Device      int      `default:"0" placeholder:"N" help:"Number of the GPU, from 0."`
	GPUMemory   byteSize `name:"gpu-memory" placeholder:"SIZE" help:"Limit of the network's memory pool on the GPU, such as 512MiB. Default: none."`
	Precision   string   `enum:"fp32,fp16,int8,fp16+int8" default:"fp32" help:"What TensorRT may compute in: fp32, fp16, int8 (for a model with quantised nodes), fp16+int8."`
	EngineCache string   `type:"path" placeholder:"DIR" help:"Where TensorRT's engines are kept ('perceive prepare'). What does not fit is built again, which takes minutes."`
	DLA         *int     `name:"dla" placeholder:"CORE" help:"Have TensorRT use a Jetson's deep learning accelerator, from 0."`
	Workspace   byteSize `name:"trt-workspace" placeholder:"SIZE" help:"Memory that TensorRT may use to build and run, such as 1GiB."`
}

// options are the flags as a session takes them, all but the engine cache: that is
// checked first.
func (f acceleratorFlags) options(o ort.Options) ort.Options {
	o.Device = f.Device
	o.CUDA.MemoryLimit = int64(f.GPUMemory)
	o.TensorRT.FP16, o.TensorRT.INT8 = strings.Contains(f.Precision, "fp16"), strings.Contains(f.Precision, "int8")
	o.TensorRT.DLACore = f.DLA
	o.TensorRT.Workspace = int64(f.Workspace)
	return o
}

// check refuses what another provider than the one asked for would silently ignore.
func (f acceleratorFlags) check(p hw.Provider) error {
	tensorrt := p == hw.TensorRT || p == hw.Auto
	for _, flag := range []struct {
		name    string
		set, ok bool
		needs   string
	}{
		{"--device", f.Device != 0, p != hw.CPU, "cuda or tensorrt"},
		{"--gpu-memory", f.GPUMemory != 0, p != hw.CPU, "cuda or tensorrt"},
		{"--precision " + f.Precision, f.Precision != "fp32" && f.Precision != "", tensorrt, "tensorrt"},
		{"--engine-cache", f.EngineCache != "", tensorrt, "tensorrt"},
		{"--dla", f.DLA != nil, tensorrt, "tensorrt"},
		{"--trt-workspace", f.Workspace != 0, tensorrt, "tensorrt"},
	} {
		if flag.set && !flag.ok {
			return usageError{fmt.Errorf("%s has no effect with --provider %s: it is for %s", flag.name, p, flag.needs)}
		}
	}
	if err := f.options(ort.Options{Provider: p}).Check(); err != nil {
		return usageError{err}
	}
	return nil
}

// byteSize is a number of bytes: 1048576, 512MiB, 2GiB.
type byteSize int64

// UnmarshalText reads a size; a number alone is bytes.
func (b *byteSize) UnmarshalText(text []byte) error {
	s, unit := strings.TrimSpace(string(text)), float64(1)
	for suffix, n := range map[string]float64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if head, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = strings.TrimSpace(head), n
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0) || n*unit >= math.MaxInt64 {
		return errors.New(strconv.Quote(string(text)) + " is no size: write bytes, or 512MiB, or 2GiB")
	}
	*b = byteSize(n * unit)
	return nil
}
