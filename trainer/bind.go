package trainer

import (
	"runtime"
	"slices"

	"perceive/hw"
	"perceive/hw/ort"
)

// lanes is the number of shards that run side by side: on the CPU one per thread, each in
// one, which leaves no operator without work for all cores.
func lanes(opts ort.Options, p Plan) int {
	if opts.Provider != "" && opts.Provider != hw.CPU {
		return 1
	}
	n := opts.Threads
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return min(n, p.Slots)
}

// tensor makes a tensor that lives as long as the engine.
func (e *Engine) tensor(s ort.Spec) (*ort.Tensor, error) {
	t, err := ort.NewTensorFor(s)
	if err == nil {
		e.closers = append(e.closers, t.Close)
	}
	return t, err
}

func (e *Engine) tensors(specs []ort.Spec) ([]*ort.Tensor, error) {
	out, err := ort.NewTensorsFor(specs)
	for _, t := range out {
		e.closers = append(e.closers, t.Close)
	}
	return out, err
}

// bind makes the tensors of both graphs and ties them together.
func (e *Engine) bind(gradient, update *ort.Session) (err error) {
	states, scalars := len(e.task.Optimizer.StateNames()), len(e.task.Optimizer.ScalarNames())
	in, out := update.Inputs(), update.Outputs()
	for i := range e.sets {
		if e.sets[i], err = e.tensors(out[:states+1]); err != nil {
			return err
		}
	}
	if e.scalars, err = e.tensors(in[states : states+scalars]); err != nil {
		return err
	}
	if e.norm, err = e.tensor(out[states+1]); err != nil {
		return err
	}
	gradients, err := e.tensor(in[states+scalars])
	if err != nil {
		return err
	}
	if err := e.bindPasses(gradient, gradients); err != nil {
		return err
	}
	for i := range e.update {
		next := append(slices.Clone(e.sets[1-i]), e.norm)
		if e.update[i], err = update.Bind(slices.Concat(e.sets[i][:states], e.scalars, []*ort.Tensor{gradients}), next); err != nil {
			return err
		}
	}
	return nil
}

// bindPasses makes the batch's memory and cuts it into shards. Each slot's gradient ends in
// its row of gradients.
func (e *Engine) bindPasses(s *ort.Session, gradients *ort.Tensor) error {
	plan, in := e.task.Plan, s.Inputs()
	first := len(e.step.In) // input of the batch
	if plan.Sums() {
		first += len(e.step.Out)
	}
	whole, err := e.batch(in[first:])
	if err != nil {
		return err
	}
	b := passBinder{Engine: e, session: s, inputs: in[first:], whole: whole}
	for set := range b.weights {
		if b.weights[set], err = e.views(e.sets[set][len(e.sets[set])-1].Bytes(), e.step.In); err != nil {
			return err
		}
	}
	if plan.Sums() {
		if b.zeros, err = b.gradient(); err != nil {
			return err
		}
	}
	row := 4 * length(e.step.Out)
	for slot := range int64(plan.Slots) {
		last, err := e.views(gradients.Bytes()[slot*row:(slot+1)*row], e.step.Out)
		if err != nil {
			return err
		}
		if err := b.slot(int(slot), last); err != nil {
			return err
		}
	}
	return nil
}

// passBinder makes the passes of the slots.
type passBinder struct {
	*Engine
	session *ort.Session
	inputs  []ort.Spec       // of the batch
	whole   []*ort.Tensor    // the batch
	weights [2][]*ort.Tensor // by set
	zeros   []*ort.Tensor    // the gradient before the first shard
}

// slot makes the passes of one slot. Two gradients take turns, a pass reads one and writes
// the other, and the last one is given.
func (b *passBinder) slot(slot int, last []*ort.Tensor) error {
	from, to := b.task.Plan.slot(slot)
	turns := [2][]*ort.Tensor{last, nil}
	if to-from > 1 {
		var err error
		if turns[1], err = b.gradient(); err != nil {
			return err
		}
	}
	before := b.zeros
	for i := from; i < to; i++ {
		after := turns[(to-1-i)%2]
		if err := b.pass(i, before, after); err != nil {
			return err
		}
		if b.zeros != nil {
			before = after
		}
	}
	return nil
}

// pass makes the pass over shard i for both sets of weights.
func (b *passBinder) pass(i int, before, after []*ort.Tensor) error {
	batch, err := b.shard(b.inputs, b.whole, i)
	if err != nil {
		return err
	}
	losses, err := b.tensors(b.session.Outputs()[len(b.step.Out):])
	if err != nil {
		return err
	}
	for set, weights := range b.weights {
		p := pass{in: slices.Concat(weights, before, batch), losses: losses}
		if p.run, err = b.session.Bind(p.in, slices.Concat(after, losses)); err != nil {
			return err
		}
		b.passes[set] = append(b.passes[set], p)
	}
	return nil
}

// gradient is memory for a gradient, in its parts.
func (e *Engine) gradient() ([]*ort.Tensor, error) {
	v, err := e.tensor(ort.Spec{Type: ort.Float32, Shape: []int64{length(e.step.Out)}})
	if err != nil {
		return nil, err
	}
	return e.views(v.Bytes(), e.step.Out)
}

// views are tensors over the parts of a vector of float32.
func (e *Engine) views(vector []byte, parts []Part) (out []*ort.Tensor, err error) {
	for _, p := range parts {
		t, err := ort.TensorOver(ort.Float32, vector[4*p.Offset:4*(p.Offset+p.Size)], p.Shape...)
		if err != nil {
			return nil, err
		}
		e.closers = append(e.closers, t.Close)
		out = append(out, t)
	}
	return out, nil
}

// batch is the memory of a whole batch: the shard's inputs, Shards times as long.
func (e *Engine) batch(specs []ort.Spec) (whole []*ort.Tensor, err error) {
	var all []ort.Spec
	for _, s := range specs {
		s.Shape = slices.Clone(s.Shape)
		s.Shape[0] *= int64(e.task.Plan.Shards)
		all = append(all, s)
	}
	if whole, err = e.tensors(all); err != nil {
		return nil, err
	}
	e.Frames = whole[0].Uint8()
	e.Presence, e.PresenceMask = whole[1].Float32(), whole[2].Float32()
	if len(whole) > 3 {
		e.Map, e.MapWeight = whole[3].Float32(), whole[4].Float32()
	}
	return whole, nil
}

// shard is the part of a batch's memory that shard i reads.
func (e *Engine) shard(specs []ort.Spec, whole []*ort.Tensor, i int) (part []*ort.Tensor, err error) {
	for j, s := range specs {
		mem := whole[j].Bytes()
		n := len(mem) / e.task.Plan.Shards
		t, err := ort.TensorOver(s.Type, mem[i*n:(i+1)*n], s.Shape...)
		if err != nil {
			return nil, err
		}
		e.closers = append(e.closers, t.Close)
		part = append(part, t)
	}
	return part, nil
}
