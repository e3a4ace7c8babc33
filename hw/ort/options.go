package ort

import (
	"errors"
	"fmt"

	ortgo "github.com/yalue/onnxruntime_go"

	"perceive/hw"
)

// Level is how far ONNX Runtime rewrites a graph before it runs.
type Level int

const (
	// OptimizeAll fuses operators and changes layouts for this processor. It is
	// the zero value because it is what one wants.
	OptimizeAll Level = iota
	// OptimizeExtended fuses operators and leaves layouts alone.
	OptimizeExtended
	// OptimizeBasic folds constants and drops what is not needed.
	OptimizeBasic
	// OptimizeNone runs the graph as it is written: to debug, or to start fast.
	OptimizeNone
)

// MaxThreads is beyond any machine's cores. The library starts as many threads as it is
// asked for, and a million of them stop the machine.
const MaxThreads = 1024

// Options says how a session runs. The zero value is the CPU with every core,
// full optimisation and threads that sleep when there is nothing to do.
type Options struct {
	// Threads that share one operator's work. Zero means one per physical core;
	// at most MaxThreads.
	Threads int
	// Spin lets idle threads burn their core to start the next operator sooner.
	// Good for training on a machine of one's own, bad on a vehicle.
	Spin bool
	// Optimize is how far the graph is rewritten.
	Optimize Level
	// Provider runs the operators. Empty means hw.CPU.
	Provider hw.Provider
	// Policy applies when Provider cannot be used. Empty means hw.Require.
	Policy hw.Policy
	// Device is the number of the accelerator, from 0.
	Device int
	// CUDA and TensorRT are what these providers alone know.
	CUDA     CUDAOptions
	TensorRT TensorRTOptions
	// FlushDenormals treats numbers too small for full precision as zero, which
	// keeps slow arithmetic out of training.
	FlushDenormals bool
	// ProfilePrefix writes a Chrome trace of every operator to
	// <prefix>_<time>.json when the session closes. Empty means no profile.
	ProfilePrefix string
	// OptimizedModel is a path to which the rewritten graph is saved.
	OptimizedModel string
}

// Check reports every option that cannot be, by name. NewSession does it, too.
func (o Options) Check() error { return o.withDefaults().validate() }

func (o Options) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Threads < 0 || o.Threads > MaxThreads {
		bad("threads: %d is not within 0..%d", o.Threads, MaxThreads)
	}
	if o.Device < 0 {
		bad("device: %d is negative", o.Device)
	}
	if o.Optimize < OptimizeAll || o.Optimize > OptimizeNone {
		bad("optimize: unknown level %d", o.Optimize)
	}
	if _, err := hw.ParseProvider(string(o.Provider)); err != nil {
		errs = append(errs, err)
	}
	if _, err := hw.ParsePolicy(string(o.Policy)); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, o.CUDA.validate(), o.TensorRT.validate())
	return errors.Join(errs...)
}

// withDefaults spells out what empty values mean.
func (o Options) withDefaults() Options {
	if o.Provider == "" {
		o.Provider = hw.CPU
	}
	if o.Policy == "" {
		o.Policy = hw.Require
	}
	return o
}

// native builds the library's options, all but the provider. The caller
// destroys them.
func (o Options) native() (_ *ortgo.SessionOptions, err error) {
	so, err := ortgo.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			so.Destroy()
		}
	}()
	flag := func(on bool) string {
		if on {
			return "1"
		}
		return "0"
	}
	levels := [...]ortgo.GraphOptimizationLevel{ortgo.GraphOptimizationLevelEnableAll,
		ortgo.GraphOptimizationLevelEnableExtended, ortgo.GraphOptimizationLevelEnableBasic,
		ortgo.GraphOptimizationLevelDisableAll}
	errs := []error{
		so.SetIntraOpNumThreads(o.Threads),
		so.SetInterOpNumThreads(1), // graphs here run their nodes in order
		so.SetGraphOptimizationLevel(levels[o.Optimize]),
		so.AddSessionConfigEntry("session.intra_op.allow_spinning", flag(o.Spin)),
		so.AddSessionConfigEntry("session.set_denormal_as_zero", flag(o.FlushDenormals)),
		// Where weights of 8 bits would overflow the 16-bit sums of a processor without VNNI, the library
		// takes slower kernels that do not; weights within ±64 keep the fast ones.
		so.AddSessionConfigEntry("session.x64quantprecision", "1"),
	}
	if o.ProfilePrefix != "" {
		errs = append(errs, so.EnableProfiling(o.ProfilePrefix))
	}
	if o.OptimizedModel != "" {
		errs = append(errs, so.SetOptimizedModelFilePath(o.OptimizedModel))
	}
	return so, errors.Join(errs...)
}
