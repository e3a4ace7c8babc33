package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"perceive/camera/scene"
	"perceive/export"
	"perceive/hw/ort"
	"perceive/trainer"
	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

type exportCmd struct {
	Run_    string   `name:"run" type:"existingdir" placeholder:"DIR" help:"Folder of a training run; its best weights are exported."`
	Model   string   `type:"path" placeholder:"FILE.onnx" help:"Instead of a run, a model file in fp32 to convert."`
	Out     string   `required:"" type:"path" placeholder:"FILE.onnx" help:"Model file to write."`
	Data    []string `required:"" sep:"none" placeholder:"URI" help:"Labelled pictures the network was not trained on: probabilities are calibrated, thresholds chosen and parity is proved on them. May be repeated."`
	Licence string   `placeholder:"NAME" help:"Licence of the model, such as Apache-2.0; it is written into the file."`
	Version string   `placeholder:"VERSION" help:"Version of the model; it is written into the file."`
	Name    string   `placeholder:"NAME" help:"Name of the model. Default: the file's name."`
	Rule    string   `name:"threshold-rule" default:"youden" placeholder:"RULE" help:"How each label's threshold is chosen: youden (most recall less false alarms), f1, precision=P (most recall at a precision of P) or recall=R (fewest false alarms at a recall of R). Default: youden."`
	Frames  int      `default:"200" help:"Number of pictures on which the file must agree with the training graph, and is compared with fp32."`
	precisionFlags
	pictureFlags
}

// Help is the long description.
func (exportCmd) Help() string {
	return `Freezes the best weights of a run into a model file: what is constant is worked out, the input becomes
the camera's own bytes, and what is measured on --data is written into the file with golden results: each
label's probability calibration (which becomes part of the graph), threshold and figures. A rule that no
threshold can meet falls back to youden, and the file says so. The file is refused (exit code 1) when any probability differs from the training
graph's by more than 1e-4 on any of --frames pictures.

--precision fp16 and int8 convert that file, or the one that --model names, and measure what it costs: the
file is refused (exit code 1) when any label loses more than --max-drop points of ROC AUC on --data, or
their mean more than a third of it. int8 ranges come from pictures of --data, by the method with the least error;
if the file would be refused, the layers that cost most stay in float. Thresholds and calibration stay those of fp32.

  perceive export --run runs/road --data jsonl:road/val/labels.jsonl --out road.onnx
  perceive export --model road.onnx --data jsonl:road/val/labels.jsonl --precision int8 --out road-int8.onnx`
}

// goldens is the number of golden pictures in a file.
const goldens = 3

func (c *exportCmd) Run(a *app) error {
	rule, err := c.check()
	if err != nil {
		return usageError{err}
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	if c.Model != "" {
		return c.reexport(a, rt)
	}
	trained, err := trainer.LoadRun(c.Run_)
	if err != nil {
		return err
	}
	cfg := trained.Config
	set, err := dataset.OpenWith(c.opening(), c.Data, cfg.Labels)
	if err != nil {
		return err
	}
	scorer, err := trained.Scorer(rt, ort.Options{})
	if err != nil {
		return err
	}
	defer scorer.Close()
	cache, err := c.inputs(a, set, trained.Input())
	if err != nil {
		return err
	}
	defer cache.Close()
	// From here on everything sees calibrated probabilities: thresholds, figures, parity.
	if trained, err = trained.CalibrateOn(a.ctx, scorer, cache, c.split()); err != nil {
		return err
	}
	scores, err := scorer.Predictor().Predict(a.ctx, cache)
	if err != nil {
		return err
	}
	found, err := trainer.Judge(cache, scores, trainer.MeasureConfig{Rule: rule, Seed: cfg.Seed})
	if err == nil {
		err = found.Divide()
	}
	if err != nil {
		return err
	}
	measured := found.Measured
	req := export.Request{Manifest: trained.Manifest(c.name(), "perceive "+version(), c.split(), measured)}
	req.Manifest.Licence, req.Manifest.Version = c.Licence, c.Version
	req.Manifest.Training.Versions = map[string]string{"go": runtime.Version(), "onnxruntime": rt.Version()}
	if req.Graph, req.Weights, err = trained.Deploy(); err != nil {
		return err
	}
	w, h := int(cfg.Network.Width), int(cfg.Network.Height)
	if req.Parity, err = frames(cache, first(cache, c.Frames), w, h); err != nil {
		return err
	}
	for i := range uint64(goldens) {
		req.Golden = append(req.Golden, export.Frame{Name: fmt.Sprintf("scene %d", i), Pix: still(i, w, h)})
	}
	req.Reference = func(ctx context.Context, pix []byte) ([]float32, error) {
		copy(scorer.Frames, pix)
		return scorer.Run(ctx)
	}
	file, parity, err := export.Build(a.ctx, rt, req)
	if parity.Frames > 0 {
		fmt.Fprintf(a.out, "parity: largest difference %.2g, mean %.2g, over %d frames (allowed %.0e)\n", parity.Max, parity.Mean, parity.Frames, export.Tolerance)
	}
	if err != nil {
		return err
	}
	if err := c.print(a.out, req.Manifest.Labels); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "fp32: %.1f MB, step %d, mean ROC AUC %.3f\n", float64(len(file))/1e6, trained.BestStep, trainer.MeanAUC(measured))
	return c.deliver(a, rt, file, cache)
}

// still is a rendered picture of w×h pixels, of those that are smaller than a scene can be
// the upper left corner.
func still(seed uint64, w, h int) []byte {
	const least = 64 // pixels, of a scene
	sw, sh := max(w, least), max(h, least)
	all, _ := scene.Still(seed, sw, sh)
	if sw == w {
		return all[:3*w*h]
	}
	pix := make([]byte, 0, 3*w*h)
	for y := range h {
		pix = append(pix, all[3*y*sw:][:3*w]...)
	}
	return pix
}

// check reports what cannot be asked for.
func (c *exportCmd) check() (metrics.Rule, error) {
	switch {
	case (c.Run_ == "") == (c.Model == ""):
		return metrics.Rule{}, errors.New("give --run or --model, and not both")
	case c.Model != "" && c.Precision == export.FP32:
		return metrics.Rule{}, errors.New("--model: the file is in fp32 already: give --precision fp16 or int8")
	case c.Frames < 1:
		return metrics.Rule{}, fmt.Errorf("--frames %d: want 1 or more", c.Frames)
	case !(c.MaxDrop >= 0):
		return metrics.Rule{}, fmt.Errorf("--max-drop %g: want 0 or more", c.MaxDrop)
	}
	rule, err := metrics.ParseRule(c.Rule)
	if err != nil {
		err = fmt.Errorf("--threshold-rule: %w", err)
	}
	return rule, err
}

// split is what the data is called in the file.
func (c *exportCmd) split() string { return strings.Join(base(c.Data), " ") }

func (c *exportCmd) name() string {
	if c.Name != "" {
		return c.Name
	}
	return strings.TrimSuffix(filepath.Base(c.Out), filepath.Ext(c.Out))
}

// base is how data sets are called in a file that travels: by what is left of their
// paths when the machine they lay on is forgotten. Rendered ones are all in their options.
func base(uris []string) []string {
	var out []string
	for _, u := range uris {
		if !strings.HasPrefix(u, "scene:") {
			u, _, _ = strings.Cut(dataset.Portable(u), "?")
		}
		out = append(out, strings.TrimPrefix(u, "jsonl:"))
	}
	return out
}

// first are the first n usable pictures of a cache.
func first(c *dataset.Cache, n int) []int {
	usable := c.Usable()
	return usable[:min(n, len(usable))]
}

// frames are pictures of a cache.
func frames(c *dataset.Cache, pictures []int, w, h int) ([]export.Frame, error) {
	var out []export.Frame
	for _, i := range pictures {
		pix := make([]byte, 3*w*h)
		if err := c.Input(pix, i); err != nil {
			return nil, err
		}
		out = append(out, export.Frame{Name: c.Set.Items[i].Name, Pix: pix})
	}
	return out, nil
}
