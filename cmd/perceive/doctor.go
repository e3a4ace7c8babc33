package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"perceive/camera/opencv"
	"perceive/hw"
	"perceive/hw/board"
	"perceive/hw/nvml"
	"perceive/hw/ort"
)

type doctorCmd struct {
	JSON bool `name:"json" help:"Print the findings as JSON."`
}

// Help is the long description.
func (doctorCmd) Help() string {
	return `Looks for everything that the program needs, tries each execution provider, proves the built-in model
with its golden results and times it, tries the codecs, and reads the board: cameras, power mode,
temperatures, throttling. What does not work comes with what to do about it. Exit code 1 if the main job
would fail here.`
}

// checkup is what the doctor found.
type checkup struct {
	Program  string `json:"program"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Cores    int    `json:"cores"`

	OpenCV   string          `json:"opencv"`
	Video    string          `json:"video"` // reading and writing of a video file
	Codecs   []opencv.Codec  `json:"codecs"`
	Backends opencv.Backends `json:"backends"`
	Cameras  []board.Camera  `json:"cameras"`

	ONNXRuntime string          `json:"onnxruntime,omitempty"`
	Library     string          `json:"library,omitempty"`
	Providers   []providerCheck `json:"providers"`
	// Libraries are those that GPU providers need, by name.
	Libraries map[string]string `json:"libraries"`

	Board   board.Reading `json:"reading"`
	Thermal board.State   `json:"thermal"`
	// Broken says why the main job would fail here; empty if it would not.
	Broken string `json:"broken,omitempty"`
}

func (c *doctorCmd) Run(a *app) error {
	r := nvml.New(&board.Sysfs{}, 0)
	defer r.Close()
	found, broken := examine(a, os.DirFS("/"), r)
	if broken != nil {
		found.Broken = broken.Error()
	}
	var err error
	if c.JSON {
		err = printJSON(a.out, found)
	} else {
		err = found.print(a.out)
	}
	return errors.Join(err, broken)
}

// examine looks at everything. root is where cameras and libraries are looked for. The
// error is the reason why the main job would fail.
func examine(a *app, root fs.FS, reader board.Reader) (c checkup, broken error) {
	c = checkup{Program: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(),
		OpenCV: opencv.Version(), Backends: opencv.ListBackends(), Providers: []providerCheck{}}
	c.machine(root, reader)
	c.Video, broken = videoWorks()
	var err error
	if c.Codecs, err = opencv.ProbeCodecs(); err != nil {
		broken = errors.Join(broken, fmt.Errorf("codecs: %w", err))
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return c, errors.Join(broken, fmt.Errorf("ONNX Runtime is needed for everything: %w", err))
	}
	defer rt.Close()
	c.ONNXRuntime, c.Library = rt.Version(), rt.Library()
	for _, p := range []hw.Provider{hw.CPU, hw.CUDA, hw.TensorRT} {
		check := tryProvider(a, rt, p)
		check.Do = c.advice(check)
		c.Providers = append(c.Providers, check)
		if p == hw.CPU && !check.Usable {
			broken = errors.Join(broken, fmt.Errorf("the built-in model does not run: %s", check.Reason))
		}
	}
	return c, broken
}

// machine reads the board.
func (c *checkup) machine(root fs.FS, reader board.Reader) {
	c.Cameras, c.Libraries = board.Cameras(root), board.Libraries(root)
	c.Board = reader.Read()
	bands, err := board.NewBands(board.DefaultBands())
	if err != nil {
		panic(err) // the defaults are wrong
	}
	c.Thermal = bands.Update(c.Board)
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
