package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/perception/model"
	"perceive/trainer"
	"perceive/trainer/dataset"
)

type compareCmd struct {
	Models   []string    `arg:"" name:"model" help:"Model files: FILE.onnx, FILE.onnx=CONTRACT.yaml, 'road' and 'road-int8' for the built-in ones, or a folder, in which all files are taken whose contract ships with this program."`
	Data     []string    `required:"" sep:"none" placeholder:"URI" help:"Labelled pictures: ${schemes}. May be repeated."`
	Threads  int         `default:"1" help:"Threads of each network. Default: 1."`
	Timed    int         `default:"100" help:"Pictures that are timed, the models in turns."`
	Provider hw.Provider `default:"cpu" help:"What runs the networks: cpu, cuda, tensorrt."`
	JSON     bool        `name:"json" help:"Print JSON, with intervals."`
	pictureFlags
}

// Help is the long description.
func (compareCmd) Help() string {
	return `Measures several models on the same pictures, each at its own input size, and prints one table: a model a
row, its file's size, the median time of a frame, and for each label ROC AUC and average precision of
presence. A detector's presence is its largest score of the class over all boxes. Time is from the frame's
bytes, fitted into the input, to the probabilities: on the same runtime, with the same threads, after a
warm-up, the models in turns on the same pictures.

  perceive compare road detectors/ --data jsonl:road/test/labels.jsonl
  perceive compare mine.onnx theirs.onnx=theirs.yaml --data jsonl:road/val/labels.jsonl`
}

// contestant is one model and what is found out about it.
type contestant struct {
	Model  string             `json:"model"`
	Width  int                `json:"width"`
	Height int                `json:"height"`
	Bytes  int                `json:"bytes"`
	Median float64            `json:"ms_p50"`
	P90    float64            `json:"ms_p90"`
	Mean   float64            `json:"mean_auc"`
	MeanAP float64            `json:"mean_ap"`
	Labels []trainer.Measured `json:"labels"`

	model *model.Model
}

func (c *compareCmd) Run(a *app) error {
	if c.Threads < 1 || c.Threads > ort.MaxThreads || c.Timed < 1 {
		return usageError{fmt.Errorf("--threads %d, --timed %d: want 1 or more", c.Threads, c.Timed)}
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	var all []*contestant
	defer func() {
		for _, m := range all {
			m.model.Close()
		}
	}()
	specs, err := specs(c.Models)
	if err != nil {
		return err
	}
	for _, s := range specs {
		m, file, err := openModel(a, rt, s.file, s.contract, model.Options{Options: ort.Options{Threads: c.Threads, Provider: c.Provider}})
		if err != nil {
			return err
		}
		in := m.Manifest().Input
		all = append(all, &contestant{Model: m.Manifest().Name, Width: in.Width, Height: in.Height, Bytes: len(file), model: m})
	}
	var timed []model.Timed
	for _, m := range all {
		t, err := c.measure(a, m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Model, err)
		}
		timed = append(timed, t)
	}
	times, err := model.InTurns(a.ctx, timed)
	if err != nil {
		return err
	}
	for i, m := range all {
		m.Median, m.P90 = times[i].Quantile(0.5), times[i].Quantile(0.9)
	}
	if c.JSON {
		return printJSON(a.out, all)
	}
	return c.print(a, all)
}

// spec names a model file and its contract, both "" where there is nothing to name.
type spec struct{ file, contract string }

// specs are the models that the command line names.
func specs(args []string) ([]spec, error) {
	var out []spec
	for _, arg := range args {
		file, contract, _ := strings.Cut(arg, "=")
		found := []spec{{file, contract}}
		if isFolder(file) {
			var err error
			if found, err = known(file); err != nil {
				return nil, err
			}
		}
		out = append(out, found...)
	}
	return out, nil
}

// known are the files in a folder whose contract ships with the program.
func known(dir string) ([]spec, error) {
	var out []spec
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".onnx" {
			return err
		}
		file, _, err := readModel(path)
		if err != nil {
			return err
		}
		s, err := peer(file)
		if s != nil {
			out = append(out, spec{file: path})
		}
		return err
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s: none of the model files in it has a contract that ships with this program (perceive models lists them): name it as FILE=CONTRACT.yaml", dir)
	}
	return out, err
}

// measure scores the data with a model, and keeps some of its inputs for the clock.
func (c *compareCmd) measure(a *app, m *contestant) (t model.Timed, err error) {
	set, err := dataset.OpenWith(c.opening(), c.Data, m.model.Manifest().LabelIDs())
	if err != nil {
		return t, err
	}
	p, err := trainer.ModelPredictor(m.model)
	if err != nil {
		return t, err
	}
	cache, err := c.inputs(a, set, m.model.Manifest().Input)
	if err != nil {
		return t, err
	}
	defer cache.Close()
	found, err := trainer.Examine(a.ctx, p, cache, choices(m.model.Manifest()))
	if err != nil {
		return t, err
	}
	m.Labels, m.Mean, m.MeanAP = found.Measured, trainer.MeanAUC(found.Measured), trainer.MeanAP(found.Measured)
	if t.Lane, err = m.model.NewLane(); err != nil {
		return t, err
	}
	some := cache.Usable()
	for _, i := range some[:min(len(some), c.Timed)] {
		pix := make([]byte, len(t.Lane.Input))
		if err := cache.Input(pix, i); err != nil {
			return t, err
		}
		t.Frames = append(t.Frames, pix)
	}
	return t, nil
}

func (c *compareCmd) print(a *app, all []*contestant) error {
	var labels []string
	counts := map[string]string{}
	for _, m := range all {
		for _, l := range m.Labels {
			if !slices.Contains(labels, l.Label) {
				labels = append(labels, l.Label)
				counts[l.Label] = fmt.Sprintf("%d + %d −", l.Positive, l.Negative)
			}
		}
	}
	t := newTable(a.out)
	fmt.Fprint(t, "model\tinput\tMB\tms\tmean\t")
	for _, l := range labels {
		fmt.Fprintf(t, "%s\t", l)
	}
	fmt.Fprint(t, "\n\t\t\t\tAUC   AP\t")
	for _, l := range labels {
		fmt.Fprintf(t, "%s\t", counts[l])
	}
	fmt.Fprintln(t)
	for _, m := range all {
		fmt.Fprintf(t, "%s\t%d×%d\t%.1f\t%.1f\t%.3f %.3f\t", m.Model, m.Width, m.Height, float64(m.Bytes)/1e6, m.Median, m.Mean, m.MeanAP)
		for _, name := range labels {
			i := slices.IndexFunc(m.Labels, func(l trainer.Measured) bool { return l.Label == name })
			if i < 0 || !m.Labels[i].Defined() {
				fmt.Fprint(t, "–\t")
				continue
			}
			fmt.Fprintf(t, "%.3f %.3f\t", m.Labels[i].AUC, m.Labels[i].AP)
		}
		fmt.Fprintln(t)
	}
	err := t.Flush()
	threads := "1 thread"
	if c.Threads > 1 {
		threads = fmt.Sprintf("%d threads", c.Threads)
	}
	_, err2 := fmt.Fprintf(a.out, "\nROC AUC and average precision of presence, by label. ms: median of a frame, %s, %s.\n", threads, c.Provider)
	return errors.Join(err, err2)
}
