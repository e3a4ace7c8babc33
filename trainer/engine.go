package trainer

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/trainer/nn"
)

// Losses are the outcome of one step.
type Losses struct {
	Total, Map, Presence float32
	// GradNorm is the norm of the gradient before clipping.
	GradNorm float32
}

// Engine runs training steps. It owns the parameters and the optimiser's state,
// twice: a step reads one set and writes the other, and the next step goes back.
type Engine struct {
	Layout *nn.Layout
	// Frames, Map, MapWeight, Presence and PresenceMask are the memory of the next
	// step's batch; fill them before Step.
	Frames                                 []byte
	Map, MapWeight, Presence, PresenceMask []float32

	task    Task
	step    *Step
	rt      *ort.Runtime
	opts    ort.Options
	lanes   int
	passes  [2][]pass // by the set that is read
	update  [2]*ort.Binding
	sets    [2][]*ort.Tensor // state, then weights
	scalars []*ort.Tensor
	norm    *ort.Tensor
	now     int // the set that holds the current state
	closers []func() error
}

// pass is one shard of a step.
type pass struct {
	run        *ort.Binding
	in, losses []*ort.Tensor // of the graph's inputs and outputs
}

// NewEngine builds the graphs of a task and loads them. The parameters are
// initialised from seed, the average starts as a copy of them. Threads of opts share a
// step on the CPU, shard by shard.
func NewEngine(rt *ort.Runtime, task Task, seed uint64, opts ort.Options) (_ *Engine, err error) {
	opts.FlushDenormals = true
	e := &Engine{task: task, rt: rt, opts: opts, lanes: lanes(opts, task.Plan)}
	defer func() {
		if err != nil {
			e.Close()
			err = fmt.Errorf("trainer: %w", err)
		}
	}()
	if e.Layout, err = task.Layout(); err != nil {
		return nil, err
	}
	if err := e.load(); err != nil {
		return nil, err
	}
	e.Layout.Init(e.State()[0], seed)
	copy(e.Average(), e.State()[0])
	return e, e.Restore(context.Background())
}

// load makes the sessions of the gradient and the update, and their tensors.
func (e *Engine) load() error {
	step, err := e.task.Step(e.Layout)
	if err != nil {
		return err
	}
	e.step = step
	one := e.opts
	if e.lanes > 1 {
		one.Threads, one.Spin = 1, false
	}
	gradient, err := e.session(step.Gradient, one)
	if err != nil {
		return err
	}
	all := e.opts
	all.Spin = false // its threads would burn the cores that the shards are on
	update, err := e.session(step.Update, all)
	if err != nil {
		return err
	}
	return e.bind(gradient, update)
}

func (e *Engine) session(model *onnx.Model, opts ort.Options) (*ort.Session, error) {
	s, err := open(e.rt, model, opts)
	if err == nil {
		e.closers = append(e.closers, s.Close)
	}
	return s, err
}

// open makes a session of a graph that was built here.
func open(rt *ort.Runtime, model *onnx.Model, opts ort.Options) (*ort.Session, error) {
	text, err := onnx.Marshal(model)
	if err != nil {
		return nil, err
	}
	return rt.NewSession(text, opts)
}

// Restore makes the weights of the current parameters: call it after State was written.
func (e *Engine) Restore(ctx context.Context) error {
	s, err := open(e.rt, e.step.Weights, e.opts)
	if err != nil {
		return fmt.Errorf("trainer: %w", err)
	}
	defer s.Close()
	set := e.sets[e.now]
	if err := s.Run(ctx, set[:1], set[len(set)-1:]); err != nil {
		return fmt.Errorf("trainer: %w", err)
	}
	return nil
}

// StateNames are the names of the vectors of State.
func (e *Engine) StateNames() []string { return e.task.Optimizer.StateNames() }

// State is the current parameters, moments and average, in the order of
// StateNames: the memory itself, valid until the next Step. Restore follows a change.
func (e *Engine) State() [][]float32 {
	var out [][]float32
	for _, t := range e.sets[e.now][:len(e.StateNames())] {
		out = append(out, t.Float32())
	}
	return out
}

// Average is the moving average of the parameters, what is evaluated and
// exported: the memory itself, valid until the next Step.
func (e *Engine) Average() []float32 { return e.State()[len(e.StateNames())-1] }

// Step trains on the batch in the engine's memory. t counts from 1. If it fails, the state
// is as before.
func (e *Engine) Step(ctx context.Context, t int, lr float64) (Losses, error) {
	if err := e.gradients(ctx); err != nil {
		return Losses{}, fmt.Errorf("trainer: step %d: %w", t, err)
	}
	for i, v := range e.task.Optimizer.Scalars(t, lr) {
		e.scalars[i].Float32()[0] = v
	}
	if err := e.update[e.now].Run(ctx); err != nil {
		return Losses{}, fmt.Errorf("trainer: step %d: %w", t, err)
	}
	var sum [3]float32
	for _, p := range e.passes[e.now] {
		for i := range sum {
			sum[i] += p.losses[i].Float32()[0]
		}
	}
	e.now = 1 - e.now
	n := float32(e.task.Plan.Shards)
	return Losses{Total: sum[0] / n, Map: sum[1] / n, Presence: sum[2] / n, GradNorm: e.norm.Float32()[0]}, nil
}

// gradients runs all shards, each slot's in order, slots side by side.
func (e *Engine) gradients(ctx context.Context) error {
	plan := e.task.Plan
	g, ctx := errgroup.WithContext(ctx)
	for lane := range e.lanes {
		g.Go(func() error {
			for s := lane; s < plan.Slots; s += e.lanes {
				from, to := plan.slot(s)
				for _, p := range e.passes[e.now][from:to] {
					if err := p.run.Run(ctx); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// Close frees everything. It may be called twice and ends use.
func (e *Engine) Close() error {
	for _, c := range slices.Backward(e.closers) {
		c()
	}
	e.closers = nil
	return nil
}
