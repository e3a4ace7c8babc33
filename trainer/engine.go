package trainer

import (
	"context"
	"fmt"
	"slices"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/trainer/nn"
	"perceive/trainer/optim"
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

	opt     optim.Config
	rt      *ort.Runtime
	model   *onnx.Model // of a step
	session *ort.Session
	sets    [2][]*ort.Tensor // state
	scalars []*ort.Tensor
	losses  []*ort.Tensor
	step    [2]*ort.Binding // step[i] reads sets[i] and writes sets[1-i]
	now     int             // the set that holds the current state
	closers []func() error
}

// NewEngine builds the step graph of a task and loads it. The parameters are
// initialised from seed, the average starts as a copy of them.
func NewEngine(rt *ort.Runtime, task Task, seed uint64, opts ort.Options) (_ *Engine, err error) {
	model, l, err := task.StepGraph()
	if err != nil {
		return nil, fmt.Errorf("trainer: %w", err)
	}
	e := &Engine{Layout: l, opt: task.Optimizer, model: model, rt: rt}
	defer func() {
		if err != nil {
			e.Close()
			err = fmt.Errorf("trainer: %w", err)
		}
	}()
	text, err := onnx.Marshal(model)
	if err != nil {
		return nil, err
	}
	opts.FlushDenormals = true
	if e.session, err = rt.NewSession(text, opts); err != nil {
		return nil, err
	}
	e.closers = append(e.closers, e.session.Close)
	if err := e.bind(); err != nil {
		return nil, err
	}
	l.Init(e.State()[0], seed)
	copy(e.Average(), e.State()[0])
	return e, nil
}

// bind makes the tensors and the two bindings.
func (e *Engine) bind() error {
	in, out := e.session.Inputs(), e.session.Outputs()
	states, scalars := len(e.opt.StateNames()), len(e.opt.ScalarNames())
	tensor := func(s ort.Spec) (*ort.Tensor, error) {
		t, err := ort.NewTensorFor(s)
		if err == nil {
			e.closers = append(e.closers, t.Close)
		}
		return t, err
	}
	var batch []*ort.Tensor
	for i, s := range in {
		t, err := tensor(s)
		if err != nil {
			return err
		}
		switch {
		case i < states:
			u, err := tensor(s)
			if err != nil {
				return err
			}
			e.sets[0], e.sets[1] = append(e.sets[0], t), append(e.sets[1], u)
		case i < states+scalars:
			e.scalars = append(e.scalars, t)
		default:
			batch = append(batch, t)
		}
	}
	for _, s := range out[states:] {
		t, err := tensor(s)
		if err != nil {
			return err
		}
		e.losses = append(e.losses, t)
	}
	e.Frames = batch[0].Uint8()
	e.Map, e.MapWeight, e.Presence, e.PresenceMask = batch[1].Float32(), batch[2].Float32(), batch[3].Float32(), batch[4].Float32()
	for i := range e.step {
		b, err := e.session.Bind(slices.Concat(e.sets[i], e.scalars, batch), slices.Concat(e.sets[1-i], e.losses))
		if err != nil {
			return err
		}
		e.step[i] = b
	}
	return nil
}

// StateNames are the names of the vectors of State.
func (e *Engine) StateNames() []string { return e.opt.StateNames() }

// State is the current parameters, moments and average, in the order of
// StateNames: the memory itself, valid until the next Step.
func (e *Engine) State() [][]float32 {
	var out [][]float32
	for _, t := range e.sets[e.now] {
		out = append(out, t.Float32())
	}
	return out
}

// Average is the moving average of the parameters, what is evaluated and
// exported: the memory itself, valid until the next Step.
func (e *Engine) Average() []float32 { return e.sets[e.now][len(e.sets[e.now])-1].Float32() }

// Step trains on the batch in the engine's memory: batch i, from 0, of step t, from 1.
// The step is taken with its last batch.
func (e *Engine) Step(ctx context.Context, t, i int, lr float64) (Losses, error) {
	for j, v := range e.opt.Scalars(t, i, lr) {
		e.scalars[j].Float32()[0] = v
	}
	if err := e.step[e.now].Run(ctx); err != nil {
		return Losses{}, fmt.Errorf("trainer: step %d: %w", t, err)
	}
	e.now = 1 - e.now
	v := func(i int) float32 { return e.losses[i].Float32()[0] }
	return Losses{Total: v(0), Map: v(1), Presence: v(2), GradNorm: v(3)}, nil
}

// Close frees everything. It may be called twice and ends use.
func (e *Engine) Close() error {
	for _, c := range e.closers {
		c()
	}
	e.closers = nil
	return nil
}
