package trainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"perceive/hw/ort"
	"perceive/trainer/dataset"
)

// Job is a training run from data sets to the best weights in a folder.
type Job struct {
	Runtime *ort.Runtime
	Config  Config
	// Train and Val are the pictures to learn from and those to choose by.
	Train, Val *dataset.Set
	// Out is the run's folder: checkpoints, logs, the resolved configuration.
	Out string
	// Bare leaves the report out: for runs that are compared by the hundred.
	Bare bool
	// Resume goes on from the folder's last checkpoint.
	Resume bool
	// Threads of the training session; zero means every core.
	Threads int
	Hooks   Hooks
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
	j.Train = j.Config.assume(j.Train)
	train, val, err := j.decode(ctx)
	if err != nil {
		return p, err
	}
	opts := Threads(j.Threads)
	c := j.Config
	task := c.task(j.Train.Counts())
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

	loop := &Loop{Config: c, Data: j.fingerprint(), Images: len(j.Train.Items), Counts: j.Train.Counts(),
		Out: j.Out, Engine: engine}
	if err := c.start(engine); err != nil {
		return p, fmt.Errorf("trainer: %w", err)
	}
	if p, err = loop.Resume(); err != nil {
		return p, err
	}
	if err := c.Save(filepath.Join(j.Out, ConfigFile)); err != nil {
		return p, err
	}
	loader, err := dataset.NewLoader(train, dataset.LoaderConfig{
		Width: int(c.Network.Width), Height: int(c.Network.Height), Batch: c.Batch, Seed: c.Seed,
		Augment: c.Augment, Balanced: c.Balanced, Workers: runtime.GOMAXPROCS(0), Ahead: 3,
	}, p.Step+1)
	if err != nil {
		return p, err
	}
	defer loader.Close()
	loop.Batches = Feed{loader, c.Loss.Missing}
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

// fingerprint is of what decides the batches and the choice of weights: both sets, in
// the order of their pictures.
func (j *Job) fingerprint() string { return j.Train.Fingerprint() + "/" + j.Val.Fingerprint() }

// decode fills both caches. Training pictures are kept at 1.4 times the input's longer
// side: enough for the zoom of augmentation, and a third of the memory of whole ones.
func (j *Job) decode(ctx context.Context) (train, val *dataset.Cache, err error) {
	w, h := int(j.Config.Network.Width), int(j.Config.Network.Height)
	tell := func(before int) func(int) {
		return func(done int) {
			if j.Decoded != nil {
				j.Decoded(before+done, len(j.Train.Items)+len(j.Val.Items))
			}
		}
	}
	if train, err = dataset.NewCache(ctx, j.Train, max(w, h)*7/5, tell(0)); err != nil {
		return nil, nil, err
	}
	if val, err = dataset.NewInputs(ctx, j.Val, w, h, tell(len(j.Train.Items))); err != nil {
		return nil, nil, err
	}
	for _, bad := range append(train.Bad, val.Bad...) {
		if j.Warn != nil {
			j.Warn(bad)
		}
	}
	return train, val, nil
}
