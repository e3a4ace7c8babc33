package main

import (
	"errors"
	"fmt"
	"runtime"

	"perceive/hw"
	"perceive/hw/ort"
)

type doctorCmd struct{}

// Run prints what was found, and fails if the program could not do its main job.
func (doctorCmd) Run(a *app) error {
	fmt.Fprintf(a.out, "%-22s %s/%s, %d cores, %s\n", "machine", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		fmt.Fprintf(a.out, "%-22s missing: %v\n", "ONNX Runtime", err)
		return errors.New("ONNX Runtime is needed for everything")
	}
	defer rt.Close()
	_ = hw.CPU
	return nil
}
