package main

import (
	"errors"
	"strings"
	"time"

	"perceive/camera/scene"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
)

// providerCheck is how the built-in model does on a provider.
type providerCheck struct {
	Provider hw.Provider `json:"provider"`
	Usable   bool        `json:"usable"`
	// Reason why it is not usable, in the library's own words; Do is what to do about it.
	Reason string `json:"reason,omitempty"`
	Do     string `json:"do,omitempty"`
	// Golden is the number of golden results that were met; Millis a frame took.
	Golden   int            `json:"golden_met,omitempty"`
	Millis   float64        `json:"ms_a_frame,omitempty"`
	Measured *hw.Assignment `json:"measured,omitempty"`
}

// timed is how many frames are timed.
const timed = 50

// tryProvider loads the built-in model on a provider, counts its nodes and times a frame.
func tryProvider(a *app, rt *ort.Runtime, p hw.Provider) providerCheck {
	c := providerCheck{Provider: p}
	err := c.try(a, rt)
	if c.Usable = err == nil; err != nil {
		c.Reason = err.Error()
	}
	return c
}

func (c *providerCheck) try(a *app, rt *ort.Runtime) error {
	opts := ort.Options{Provider: c.Provider, Policy: hw.Require}
	// First what says only why a provider is not there.
	if err := rt.Usable(opts); err != nil {
		return err
	}
	m, err := model.LoadWith(a.ctx, rt, models.Road, model.Options{Options: opts, Measure: true})
	if err != nil {
		return err
	}
	defer m.Close()
	c.Golden, c.Measured = len(m.Manifest().Golden), m.Report().Measured
	c.Millis, err = timeFrames(a, m)
	return err
}

// timeFrames is the mean time of a rendered frame, in ms.
func timeFrames(a *app, m *model.Model) (float64, error) {
	src, err := scene.Open(scene.Config{Seed: 1})
	if err != nil {
		return 0, err
	}
	defer src.Close()
	f, err := src.Next(a.ctx)
	if err != nil {
		return 0, err
	}
	defer f.Release()
	d := perception.NewDetector(m)
	defer d.Close()
	var r perception.Result
	d.Detect(a.ctx, f, &r) // the first frame pays for memory
	begin := time.Now()
	for range timed {
		if d.Detect(a.ctx, f, &r); r.Status != perception.OK {
			return 0, errors.New(r.Reason)
		}
	}
	return time.Since(begin).Seconds() * 1e3 / timed, nil
}

// advice is what to do about a provider that is not usable; "" if it is.
func (c *checkup) advice(p providerCheck) string {
	switch {
	case p.Usable:
		return ""
	case p.Provider == hw.CPU:
		return "run `make deps` for the ONNX Runtime that this program was tested with"
	case strings.Contains(p.Reason, "comes without it"):
		build := "ONNX Runtime's GPU build for this platform"
		if c.Board.Facts.L4T.OK {
			build = "an ONNX Runtime that was built for L4T " + c.Board.Facts.L4T.Value
			if jp := c.Board.Facts.JetPack; jp.OK {
				build += ", JetPack " + jp.Value
			}
		}
		return "if this machine has an NVIDIA GPU: install " + build + " and name its libonnxruntime.so with PERCEIVE_ORT_LIB; else --provider cpu"
	case !c.Board.Facts.Driver.OK && !c.Board.Facts.L4T.OK:
		return "install NVIDIA's driver, and reboot: none is loaded"
	}
	needs := []string{"CUDA runtime", "cuDNN"}
	if p.Provider == hw.TensorRT {
		needs = append(needs, "TensorRT")
	}
	var missing []string
	for _, name := range needs {
		if c.Libraries[name] == "" {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return "install " + strings.Join(missing, ", ") + ": not found in the system's folders"
	}
	return "compare the versions of CUDA, cuDNN and TensorRT with those that this ONNX Runtime was built for"
}
