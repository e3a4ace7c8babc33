package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"perceive/camera/opencv"
	"perceive/camera/scene"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
)

type doctorCmd struct{}

// Help is the long description.
func (doctorCmd) Help() string {
	return `Looks for everything that the program needs, tries each execution provider, proves the built-in model
with its golden results and times it. Exit code 1 if the main job would fail here.`
}

func (doctorCmd) Run(a *app) error {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(a.out, "%-14s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("machine", "%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	line("perceive", "%s, %s", version(), runtime.Version())
	video, broken := videoWorks()
	line("OpenCV", "%s, video: %s", opencv.Version(), video)
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		line("ONNX Runtime", "missing: %v", err)
		return errors.New("ONNX Runtime is needed for everything")
	}
	defer rt.Close()
	for _, p := range []hw.Provider{hw.CPU, hw.CUDA, hw.TensorRT} {
		text, err := try(a, rt, p)
		line(string(p), "%s", text)
		if p == hw.CPU && err != nil {
			broken = errors.Join(broken, fmt.Errorf("the built-in model does not run: %w", err))
		}
	}
	return broken
}

// timed is how many frames are timed.
const timed = 50

// try loads the built-in model on a provider and times a frame.
func try(a *app, rt *ort.Runtime, p hw.Provider) (string, error) {
	m, err := model.Load(a.ctx, rt, models.Road, nil, ort.Options{Provider: p, Policy: hw.Require})
	if err != nil {
		return "not usable: " + err.Error(), err
	}
	defer m.Close()
	src, err := scene.Open(scene.Config{Seed: 1})
	if err != nil {
		return err.Error(), err
	}
	defer src.Close()
	f, err := src.Next(a.ctx)
	if err != nil {
		return err.Error(), err
	}
	defer f.Release()
	d := perception.NewDetector(m)
	defer d.Close()
	var r perception.Result
	d.Detect(a.ctx, f, &r) // the first frame pays for memory
	begin := time.Now()
	for range timed {
		if d.Detect(a.ctx, f, &r); r.Status != perception.OK {
			return r.Reason, errors.New(r.Reason)
		}
	}
	each := time.Since(begin) / timed
	return fmt.Sprintf("ONNX Runtime %s, %d golden results met, %.1f ms a %d×%d frame", m.Report().Version,
		len(m.Manifest().Golden), each.Seconds()*1e3, f.Width, f.Height), nil
}

// videoWorks writes and reads a short video.
func videoWorks() (string, error) {
	dir, err := os.MkdirTemp("", "perceive")
	if err != nil {
		return "broken", fmt.Errorf("video does not work: %w", err)
	}
	defer os.RemoveAll(dir)
	path := dir + "/probe.mp4"
	out, err := opencv.CreateVideo(path, 64, 64, 25)
	if err != nil {
		return "broken", fmt.Errorf("video does not work: %w", err)
	}
	for range 3 {
		err = errors.Join(err, out.Write(make([]byte, 3*64*64)))
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return "broken", fmt.Errorf("video does not work: %w", err)
	}
	src, err := opencv.OpenVideo(path)
	if err != nil {
		return "broken", fmt.Errorf("video does not work: %w", err)
	}
	defer src.Close()
	return fmt.Sprintf("reads and writes (%s, %s)", out.Codec(), src.Info().Backend), nil
}
