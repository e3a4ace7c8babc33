package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"perceive/camera/opencv"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/trainer"
	"perceive/trainer/dataset"
	"perceive/trainer/nn"
)

type trainCmd struct {
	Data    []string `required:"" sep:"none" placeholder:"URI" help:"Labelled pictures to learn from: ${schemes}. May be repeated."`
	Val     []string `sep:"none" placeholder:"URI" help:"Labelled pictures to choose the best weights by. Default: a tenth of the data's groups, held out."`
	Out     string   `type:"path" placeholder:"DIR" help:"Folder of the run: checkpoints, best weights, tables, report. Required unless there is --preview."`
	Config  string   `type:"existingfile" placeholder:"FILE" help:"Settings in YAML; 'config.yaml' of another run is one. Unknown keys are refused."`
	Labels  []string `placeholder:"LABEL" help:"Labels to learn; tasks:N for N questions about rendered scenes. Default: pedestrian,car,stop_sign,traffic_light."`
	Steps   int      `placeholder:"N" help:"Number of training steps, over the configuration."`
	Seed    *uint64  `placeholder:"N" help:"Seed of weights, order and augmentation, over the configuration."`
	Hide    float64  `placeholder:"FRACTION" help:"Hide this part of the known labels, to see what missing labels cost."`
	Resume  bool     `help:"Go on from the folder's last checkpoint."`
	Threads int      `placeholder:"N" help:"Cores that share a step; the result does not depend on it. Default: all."`

	Network  string             `placeholder:"NAME" help:"Network of the family, over the configuration: ${networks}."`
	Backbone string             `type:"existingfile" placeholder:"FILE.onnx" help:"Transfer learning: start from the network of this ONNX file, cut at --cut, in place of the family's own."`
	Cut      []string           `placeholder:"VALUE" help:"Values of the backbone that the heads read, at 1/8, 1/16, 1/32 of the input's size. With a wrong name the error lists some."`
	Color    string             `enum:"bgr,rgb," default:"" placeholder:"ORDER" help:"Order of channels that the backbone wants: bgr (default) or rgb."`
	Mean     []float64          `placeholder:"A,B,C" help:"What the backbone wants subtracted from its channels, 0 to 255, in the order of --color. Default: nothing."`
	Std      []float64          `placeholder:"A,B,C" help:"What the backbone wants its channels divided by, in the order of --color. Default: 1."`
	Init     string             `type:"existingdir" placeholder:"DIR" help:"Start from the best weights of this run, where names and shapes agree."`
	Rate     map[string]float64 `placeholder:"PART=RATE" help:"Learning rate of a part of the network, by the beginning of its parameters' names, relative to the run's: backbone=0.1; 0 freezes."`
	Provider string             `enum:"cpu,cuda" default:"cpu" help:"Execution provider of the training graphs: cpu or cuda."`

	Preview string `type:"path" placeholder:"DIR" help:"Draw what the network sees of the first batch, and what it is told about it, into this folder (or FILE.png), and stop."`
	pictureFlags
}

// Help is the long description.
func (trainCmd) Help() string {
	return `Trains one network for all labels on pictures of which each may know only some. Ctrl-C leaves a
checkpoint; --resume goes on where it stood. The best weights (mean ROC AUC on the validation data) are
kept in best.ckpt, which 'perceive export --run DIR' turns into a model file.

  perceive train --data jsonl:road/train/labels.jsonl --val jsonl:road/val/labels.jsonl --out runs/road

Before the first step it prints what is known of each label, by source and together with the others.
With --preview it draws that on the pictures instead.

Transfer learning, from a network that another tool exported:

  perceive train --data … --out runs/transfer --backbone yolox_nano.onnx --cut 1061,1103,1145 --rate backbone=0.1`
}

func (c *trainCmd) Run(a *app) error {
	if c.Out == "" && c.Preview == "" {
		return usageError{errors.New("missing flags: --out=DIR")}
	}
	cfg, err := c.config()
	if err == nil {
		err = cfg.Load()
	}
	if err != nil {
		return usageError{err}
	}
	train, val, err := c.sets(cfg)
	if err != nil {
		return err
	}
	opencv.SetThreads(1) // a worker a core prepares pictures
	show := newTrainProgress(a.errOut, cfg)
	job := trainer.Job{Config: cfg, Train: train, Val: val, Out: c.Out, Resume: c.Resume, Threads: c.Threads, Provider: hw.Provider(c.Provider),
		Cache: c.cache(filepath.Join(c.Out, "cache")), OnBad: c.policy(), Cached: show.cached,
		Hooks: show.hooks(), Decoded: show.decoded, Warn: show.warn}
	if job.Named, err = c.named(); err != nil {
		return err
	}
	coverage(a.errOut, "to learn from", train)
	if c.Preview != "" {
		names, err := job.Preview(a.ctx, c.Preview)
		for _, name := range names {
			fmt.Fprintln(a.out, name)
		}
		return err
	}
	coverage(a.errOut, "to choose by", val)
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	job.Runtime = rt
	p, err := job.Run(a.ctx)
	show.end()
	if err != nil {
		if p.Step > 0 && a.ctx.Err() != nil && without(err, a.ctx.Err()) == nil {
			fmt.Fprintf(a.errOut, "stopped after step %d; go on with --resume\n", p.Step)
		}
		return err
	}
	fmt.Fprintf(a.out, "best mean ROC AUC on the validation data: %.3f, at step %d of %d\ntrained for %.1f minutes, %.1f %% of them waiting for pictures\nweights: %s\nreport: %s\n",
		p.Best, p.BestStep, p.Step, p.Seconds/60, 100*p.Waited/max(p.Seconds, 1e-9), filepath.Join(c.Out, trainer.BestFile), filepath.Join(c.Out, trainer.ReportFile))
	return nil
}

// config is the defaults, the file and the flags, in this order.
func (c *trainCmd) config() (cfg trainer.Config, err error) {
	cfg = trainer.Default()
	if c.Config != "" {
		if cfg, err = trainer.LoadConfig(c.Config, cfg); err != nil {
			return cfg, err
		}
	}
	if len(c.Labels) > 0 {
		if cfg.Labels, err = dataset.ExpandLabels(c.Labels); err != nil {
			return cfg, err
		}
	}
	if c.Steps != 0 {
		cfg.Steps = c.Steps
	}
	if c.Seed != nil {
		cfg.Seed = *c.Seed
	}
	if err := c.network(&cfg); err != nil {
		return cfg, err
	}
	if c.Hide < 0 || c.Hide >= 1 {
		return cfg, fmt.Errorf("--hide %g: want 0 or more, and less than 1", c.Hide)
	}
	return cfg, cfg.Validate()
}

// network is what the flags say of the network and where it starts.
func (c *trainCmd) network(cfg *trainer.Config) error {
	if c.Network != "" {
		member, ok := cfg.Network.Member(c.Network)
		if !ok {
			return fmt.Errorf("--network %s: want one of %s", c.Network, nn.Names())
		}
		cfg.Network = member
	}
	if c.Init != "" {
		cfg.Init = c.Init
	}
	for part, rate := range c.Rate {
		if cfg.Rates == nil {
			cfg.Rates = nn.Rates{}
		}
		cfg.Rates[part] = rate
	}
	if c.Backbone == "" {
		if len(c.Cut)+len(c.Mean)+len(c.Std) > 0 || c.Color != "" {
			return errors.New("--cut, --color, --mean and --std say how to use a --backbone: name its file")
		}
		return nil
	}
	cfg.Network.Backbone = &nn.Backbone{File: c.Backbone, Cut: c.Cut, Color: c.Color, Mean: c.Mean, Std: c.Std}
	return nil
}

// heldOut is the part of the groups that validates when no data is named for it.
const heldOut = 0.1

func (c *trainCmd) sets(cfg trainer.Config) (train, val *dataset.Set, err error) {
	if train, err = dataset.OpenWith(c.opening(), c.Data, cfg.Labels); err != nil {
		return nil, nil, err
	}
	if len(c.Val) > 0 {
		if val, err = dataset.OpenWith(c.opening(), c.Val, cfg.Labels); err != nil {
			return nil, nil, err
		}
	} else {
		train, val = train.Split(heldOut, cfg.Seed)
	}
	if len(train.Items) == 0 || len(val.Items) == 0 {
		return nil, nil, fmt.Errorf("%s: too few groups of pictures to hold some out; name the validation data with --val", strings.Join(c.Data, " "))
	}
	if c.Hide > 0 {
		train = train.Hide(c.Hide, cfg.Seed)
	}
	return train, val, nil
}

// named is how the data was asked for, for the run to keep.
func (c *trainCmd) named() (*trainer.Named, error) {
	var n trainer.Named
	var err error
	if n.Train, err = dataset.NameOf(c.Data); err == nil {
		n.Val, err = dataset.NameOf(c.Val)
	}
	return &n, err
}
