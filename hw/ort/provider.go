package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ortgo "github.com/yalue/onnxruntime_go"

	"perceive/hw"
)

// ladder is what to try for a request, best first.
func ladder(p hw.Provider, policy hw.Policy) []hw.Provider {
	all := []hw.Provider{hw.TensorRT, hw.CUDA, hw.CPU}
	switch {
	case p == hw.Auto:
		return all
	case policy == hw.Require || p == hw.CPU:
		return []hw.Provider{p}
	case p == hw.CUDA:
		return all[1:]
	}
	return all
}

// start makes the native session on the first provider that works and reports
// which one that was, and why the better ones were not used.
func (r *Runtime) start(model []byte, head header, o Options) (*ortgo.DynamicAdvancedSession, hw.ProviderReport, error) {
	rep := hw.ProviderReport{Requested: o.Provider, Policy: o.Policy, Library: r.library, Version: r.version}
	var reasons []string
	for _, p := range ladder(o.Provider, o.Policy) {
		dyn, err := r.attempt(model, head, o, p)
		if err == nil {
			rep.Used, rep.Reason = p, strings.Join(reasons, "; ")
			if p != hw.CPU {
				rep.Device = o.Device
			}
			if p == hw.TensorRT {
				rep.Precision = o.TensorRT.Precision()
				if o.TensorRT.EngineCache != "" {
					rep.Engine = filepath.Base(o.TensorRT.EngineCache)
				}
			}
			return dyn, rep, nil
		}
		if p != hw.CPU && r.lacks(p) {
			err = fmt.Errorf("the library comes without it (%w)", err)
		}
		// What the library was built without is not a fault when anything would do.
		if p != hw.CPU && !(r.lacks(p) && o.Provider == hw.Auto) {
			rep.Degraded = true
		}
		switch {
		case p == hw.CPU:
			// Every model that is a model loads here, so the model is at fault.
			return nil, rep, fmt.Errorf("%w: %w", ErrModel, err)
		case rep.Degraded && o.Policy == hw.Require:
			return nil, rep, fmt.Errorf("%w: %s with %s (ONNX Runtime %s): %w",
				ErrProvider, p, r.library, r.version, err)
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", p, err))
	}
	return nil, rep, errors.New("no provider") // not reached: a ladder ends with a return
}

// attempt makes the native session on one provider.
func (r *Runtime) attempt(model []byte, head header, o Options, p hw.Provider) (*ortgo.DynamicAdvancedSession, error) {
	so, err := o.native()
	if err != nil {
		return nil, err
	}
	defer so.Destroy()
	if err := add(so, p, o); err != nil {
		return nil, libraryError(err)
	}
	dyn, err := ortgo.NewDynamicAdvancedSessionWithONNXData(model, names(head.inputs), names(head.outputs), so)
	return dyn, libraryError(err)
}

// lacks tells a library that was built without a provider from one that has it
// and cannot start it, for want of a driver for example. GPU providers are
// plug-ins: files with fixed names that the library loads from its own folder.
func (r *Runtime) lacks(p hw.Provider) bool {
	dir := filepath.Dir(r.library)
	if real, err := filepath.EvalSymlinks(r.library); err == nil {
		dir = filepath.Dir(real)
	}
	_, err := os.Stat(filepath.Join(dir, "libonnxruntime_providers_"+string(p)+".so"))
	return errors.Is(err, fs.ErrNotExist)
}

// add appends a provider to the options. Operators that it lacks go to the next
// one, and in the end to the CPU, which is always there.
func add(so *ortgo.SessionOptions, p hw.Provider, o Options) error {
	switch p {
	case hw.TensorRT:
		trt, err := ortgo.NewTensorRTProviderOptions()
		if err != nil {
			return err
		}
		defer trt.Destroy()
		if err := errors.Join(trt.Update(o.providerOptions(p)), so.AppendExecutionProviderTensorRT(trt)); err != nil {
			return err
		}
		return add(so, hw.CUDA, o)
	case hw.CUDA:
		cuda, err := ortgo.NewCUDAProviderOptions()
		if err != nil {
			return err
		}
		defer cuda.Destroy()
		return errors.Join(cuda.Update(o.providerOptions(p)), so.AppendExecutionProviderCUDA(cuda))
	}
	return nil
}

// libraryError keeps the library's own words, which can be looked up, and
// drops what the Go binding and the build machine's paths add to them.
func libraryError(err error) error {
	if err == nil {
		return nil
	}
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		// "/src/file.cc:19 void f() [ONNXRuntimeError] : 1 : FAIL : the message"
		if _, tail, found := strings.Cut(line, "[ONNXRuntimeError] : "); found {
			if parts := strings.SplitN(tail, " : ", 3); len(parts) == 3 {
				line = parts[2]
			}
		}
		lines[i] = strings.TrimSpace(line)
	}
	return errors.New(strings.Join(lines, "; "))
}
