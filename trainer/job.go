package trainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/trainer/dataset"
)

// Job is a training run from data sets to the best weights in a folder.
type Job struct {
	Runtime *ort.Runtime
	Config  Config
	// Train and Val are the pictures to learn from and those to choose by.
	Train, Val *dataset.Set
	// Named, if not nil, is how they were asked for: it goes into the checkpoints, and from
	// there into the model file.
	Named *Named
	// Out is the run's folder: checkpoints, logs, the resolved configuration.
	Out string
	// Bare leaves the report out: for runs that are compared by the hundred.
	Bare bool
	// Resume goes on from the folder's last checkpoint.
	Resume bool
	// Threads of the training session; zero means every core.
	Threads int
	// Provider runs the training graphs, or the run is refused; "" means the CPU.
	Provider hw.Provider
	Hooks    Hooks
	// Cache is the folder where decoded pictures are kept from one run to the next; "" keeps
	// them in memory. OnBad is what becomes of pictures that are no use.
	Cache string
	OnBad dataset.Policy
	// Cached, if not nil, is told of each cache when it is open.
	Cached func(*dataset.Cache)
	// Decoded, if not nil, is told how many of how many pictures are decoded.
	Decoded func(done, total int)
	// Warn, if not nil, is told of pictures that are left out.
	Warn func(error)
}

// ErrOccupied reports a folder that holds a run already.
var ErrOccupied = errors.New("the folder holds a run already: go on with it (--resume), or name another folder")

// evalBatch is the batch of evaluation; pictures are letterboxed one by one.
const evalBatch = 16

// Run trains. When ctx ends a checkpoint is left, and the error is ctx's.
func (j *Job) Run(ctx context.Context) (p Progress, err error) {
	if err := j.prepare(); err != nil {
		return p, err
	}
	if err := j.Config.Load(); err != nil {
		return p, err
	}
	if _, err := j.Config.task(nil).Layout(); err != nil { // before the pictures are decoded
		return p, fmt.Errorf("trainer: %w", err)
	}
	j.Train = j.Config.assume(j.Train)
	train, val, err := j.decode(ctx)
	if err != nil {
		return p, err
	}
	defer train.Close()
	defer val.Close()
	opts := Threads(j.Threads)
	opts.Provider = j.Provider
	c := j.Config
	task := c.task(j.Train.Counts())
	if c.Shard == 0 && j.Provider != "" && j.Provider != hw.CPU {
		task.Plan = NewPlan(c.Batch, c.Batch) // an accelerator has work for the whole batch at once
	}
	engine, err := NewEngine(j.Runtime, task, c.Seed, opts)
	if err != nil {
		return p, err
	}
	defer engine.Close()
	scorer, err := NewScorer(j.Runtime, task, evalBatch, opts)
	if err != nil {
		return p, err
	}
	defer scorer.Close()

	// What decides the batches and the choice of weights: both sets, in the order of their
	// pictures.
	loop := &Loop{Config: c, Data: train.Fingerprint() + "/" + val.Fingerprint(), Images: len(j.Train.Items), Counts: j.Train.Counts(), Named: j.Named,
		Out: j.Out, Engine: engine}
	if p, err = loop.Resume(); err != nil {
		return p, err
	}
	if p.Step > 0 && p.Named == nil && j.Named != nil {
		if err := loop.name(); err != nil {
			return p, err
		}
	}
	if p.Step == 0 {
		if err := c.start(ctx, engine); err != nil {
			return p, fmt.Errorf("trainer: %w", err)
		}
	}
	if err := c.Save(filepath.Join(j.Out, ConfigFile)); err != nil {
		return p, err
	}
	loader, err := dataset.NewLoader(train, c.loader(), p.Step+1)
	if err != nil {
		return p, err
	}
	defer loader.Close()
	loop.Batches = Feed{loader}
	loop.Evaluate = func(ctx context.Context, params []float32) (Evaluation, error) {
		copy(scorer.Params, params)
		scores, err := scorer.Predictor().Predict(ctx, val)
		if err != nil {
			return Evaluation{}, err
		}
		return Evaluate(j.Val, scores)
	}
	logs, err := openLogs(j.Out, c.Labels, p.Step)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	loop.Hooks = logs.hooks(j.Hooks)
	p, err = loop.Run(ctx, p)
	if p.Step == 0 || j.Bare {
		return p, err
	}
	var found *Findings
	if err == nil {
		found, err = j.examine(ctx, scorer, val)
	}
	return p, errors.Join(err, WriteReport(j.Out, p, found))
}

// examine looks at the best weights as they would be exported: calibrated on the
// validation data, with thresholds chosen on it.
func (j *Job) examine(ctx context.Context, s *Scorer, val *dataset.Cache) (*Findings, error) {
	best, err := LoadRun(j.Out)
	if err != nil {
		return nil, err
	}
	copy(s.Params, best.Params)
	if best, err = best.CalibrateOn(ctx, s, val, "the validation data"); err != nil {
		return nil, err
	}
	return Examine(ctx, s.Predictor(), val, MeasureConfig{Calibrations: pointers(best.Calibration), Seed: j.Config.Seed})
}

// prepare checks everything that can be checked before the pictures are decoded.
func (j *Job) prepare() error {
	if err := j.Config.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(j.Out, 0o755); err != nil {
		return fmt.Errorf("trainer: %w", err)
	}
	if _, err := os.Stat(filepath.Join(j.Out, CheckpointFile)); err == nil && !j.Resume {
		return fmt.Errorf("trainer: %s: %w", j.Out, ErrOccupied)
	}
	return j.measurable()
}

// measurable refuses validation data that cannot tell good weights from bad ones.
func (j *Job) measurable() error {
	for l := range j.Val.Labels {
		var n [3]int
		for _, it := range j.Val.Items {
			n[it.Labels[l]]++
		}
		if n[dataset.Positive] > 0 && n[dataset.Negative] > 0 {
			return nil
		}
	}
	return fmt.Errorf("trainer: the validation data (%d pictures) has both answers for no label, so nothing can be measured on it: name other data with --val", len(j.Val.Items))
}

// decode opens both caches.
func (j *Job) decode(ctx context.Context) (train, val *dataset.Cache, err error) {
	w, h := int(j.Config.Network.Width), int(j.Config.Network.Height)
	if train, err = j.decodeTrain(ctx); err != nil {
		return nil, nil, err
	}
	val, err = dataset.OpenInputs(ctx, j.Val, w, h, j.cacheOptions(len(j.Train.Items)))
	if err == nil {
		err = j.accept(val)
	}
	if err != nil {
		train.Close()
		return nil, nil, err
	}
	return train, val, nil
}
