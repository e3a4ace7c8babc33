package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"perceive/hw/ort"
)

// Files of a run's folder.
const (
	CheckpointFile = "last.ckpt"
	BestFile       = "best.ckpt"
	TrainLogFile   = "train.csv"
	EvalLogFile    = "eval.csv"
)

// Batches fills the memory of the next training batch: frames [B,H,W,3] and the
// teachers of the training graph. Step counts from 1; the same step gives the
// same batch, so that a resumed run goes on where it stopped.
type Batches interface {
	Next(ctx context.Context, step int, e *Engine) error
}

// Evaluation is how well the averaged weights do on the validation data.
type Evaluation struct {
	// Mean is the mean ROC AUC over the labels that can be measured.
	Mean float64
	// Labels are the figures of each label, in order.
	Labels []LabelScore
}

// LabelScore is one label's figures; NaN where the data has no positive or no
// negative picture.
type LabelScore struct{ AUC, AP float64 }

// Hooks are what a run tells the world. Any may be nil.
type Hooks struct {
	// Step is called after each step.
	Step func(StepEvent)
	// Evaluated is called after each look at the validation data.
	Evaluated func(step int, e Evaluation)
}

// StepEvent is one step done.
type StepEvent struct {
	Step, Total int
	Rate        float64
	Losses      Losses
	// Wait is the time the step waited for its data, Compute the time in the
	// graph.
	Wait, Compute time.Duration
}

// Loop is one training run.
type Loop struct {
	Config  Config
	Data    string // fingerprint of the training and validation data
	Images  int
	Counts  map[string][3]int // by label: unknown, negative, positive
	Named   *Named            // how the data was asked for; nil if nobody says
	Out     string            // folder of checkpoints
	Engine  *Engine
	Batches Batches
	// Evaluate measures a vector of parameters on the validation data.
	Evaluate func(ctx context.Context, params []float32) (Evaluation, error)
	Hooks    Hooks
}

// ErrDiverged reports a loss or gradient that is not a number. The checkpoint from
// before is untouched; lower the learning rate or look at the batch named.
var ErrDiverged = errors.New("training diverged")

// Run trains from progress p (zero for a new run, what Resume gave for an old one)
// to the last step. When ctx ends it saves a checkpoint and returns ctx's error.
func (l *Loop) Run(ctx context.Context, p Progress) (Progress, error) {
	p.Config, p.Data, p.Images, p.Counts, p.Named = l.Config, l.Data, l.Images, l.Counts, l.Named
	schedule := l.Config.schedule()
	// A run that was interrupted while it evaluated owes that evaluation.
	if l.due(p.Step) && p.Evaluated < p.Step {
		if err := l.evaluate(ctx, &p); err != nil {
			return p, l.stop(ctx, p, err)
		}
		if err := l.save(CheckpointFile, p); err != nil {
			return p, err
		}
	}
	for p.Step < l.Config.Steps {
		step := p.Step + 1
		begin := time.Now()
		if err := l.Batches.Next(ctx, step, l.Engine); err != nil {
			return p, l.stop(ctx, p, err)
		}
		ready := time.Now()
		losses, err := l.Engine.Step(ctx, step, schedule.At(step))
		if err != nil {
			return p, l.stop(ctx, p, err)
		}
		done := time.Now()
		if bad := losses.nonFinite(); bad != "" {
			first, err := l.Engine.FirstBad(ctx)
			if err == nil && first == "" {
				first = "all values of the passes are finite, their sum is not"
			}
			return p, errors.Join(fmt.Errorf("trainer: step %d: %w: %s is not finite; the first: %s", step, ErrDiverged, bad, first), err)
		}
		p.Step = step
		p.Seconds += done.Sub(begin).Seconds()
		p.Waited += ready.Sub(begin).Seconds()
		if l.Hooks.Step != nil {
			l.Hooks.Step(StepEvent{step, l.Config.Steps, schedule.At(step), losses, ready.Sub(begin), done.Sub(ready)})
		}
		if l.due(step) {
			if err := l.evaluate(ctx, &p); err != nil {
				return p, l.stop(ctx, p, err)
			}
		}
		if step%l.Config.SaveEvery == 0 || step == l.Config.Steps {
			if err := l.save(CheckpointFile, p); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// nonFinite names the first loss that is not a finite number.
func (l Losses) nonFinite() string {
	for _, v := range []struct {
		name string
		x    float32
	}{{"the map loss", l.Map}, {"the presence loss", l.Presence}, {"the loss", l.Total}, {"the gradient", l.GradNorm}} {
		if f := float64(v.x); math.IsNaN(f) || math.IsInf(f, 0) {
			return v.name
		}
	}
	return ""
}

// stop saves where the run stands before it returns with err. A step that was
// cut short by ctx has not changed the state.
func (l *Loop) stop(ctx context.Context, p Progress, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return errors.Join(err, l.save(CheckpointFile, p))
}

// due reports whether an evaluation follows a step.
func (l *Loop) due(step int) bool {
	return step > 0 && (step%l.Config.EvalEvery == 0 || step == l.Config.Steps)
}

// evaluate looks at the validation data and keeps the best weights.
func (l *Loop) evaluate(ctx context.Context, p *Progress) error {
	if l.Evaluate == nil {
		return nil
	}
	begin := time.Now()
	e, err := l.Evaluate(ctx, l.Engine.Average())
	if err != nil {
		return err
	}
	if math.IsNaN(e.Mean) {
		return fmt.Errorf("trainer: step %d: the validation pictures that can be decoded have both answers for no label", p.Step)
	}
	p.Evaluated = p.Step
	p.Seconds += time.Since(begin).Seconds()
	if l.Hooks.Evaluated != nil {
		l.Hooks.Evaluated(p.Step, e)
	}
	if p.BestStep == 0 || e.Mean > p.Best {
		p.Best, p.BestStep = e.Mean, p.Step
		return l.save(BestFile, *p)
	}
	return nil
}

func (l *Loop) save(name string, p Progress) error {
	return SaveCheckpoint(filepath.Join(l.Out, name), p, l.Engine.State())
}

// Resume loads the last checkpoint of a run's folder into the engine. Without
// one it is a new run. The configuration and the data must be the checkpoint's.
func (l *Loop) Resume() (Progress, error) {
	path := filepath.Join(l.Out, CheckpointFile)
	p, state, err := LoadCheckpoint(path)
	if errors.Is(err, os.ErrNotExist) {
		return Progress{}, nil
	}
	if err != nil {
		return p, err
	}
	if diff := l.Config.Diff(p.Config); diff != "" {
		return p, fmt.Errorf("trainer: %s: %w: the run was started with another configuration (%s)", path, ErrCheckpoint, diff)
	}
	if p.Data != l.Data {
		return p, fmt.Errorf("trainer: %s: %w: the data has changed since the run was started", path, ErrCheckpoint)
	}
	for i, v := range l.Engine.State() {
		if len(state[i]) != len(v) {
			return p, fmt.Errorf("trainer: %s: %w: %q has %d elements, the network %d", path, ErrCheckpoint, l.Engine.StateNames()[i], len(state[i]), len(v))
		}
		copy(v, state[i])
	}
	return p, l.Engine.Restore(context.Background())
}

// name writes down how the data was asked for in the best weights of a run that goes on and
// did not know. It is the same data: Resume has seen its fingerprint.
func (l *Loop) name() error {
	path := filepath.Join(l.Out, BestFile)
	p, state, err := LoadCheckpoint(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil || p.Named != nil || p.Data != l.Data {
		return err
	}
	p.Named = l.Named
	return SaveCheckpoint(path, p, state)
}

// Threads are the options of a training session: all cores, spinning, because a
// machine that trains does nothing else.
func Threads(n int) ort.Options { return ort.Options{Threads: n, Spin: true} }
