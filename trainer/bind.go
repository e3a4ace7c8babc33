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
	var out []*ort.Tensor
	for _, s := range specs {
		t, err := e.tensor(s)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
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
	slots, err := e.bindPasses(gradient)
	if err != nil {
		return err
	}
	for i := range e.update {
		next := append(slices.Clone(e.sets[1-i]), e.norm)
		if e.update[i], err = update.Bind(slices.Concat(e.sets[i][:states], e.scalars, slots), next); err != nil {
			return err
		}
	}
	return nil
}

// bindPasses makes the batch's memory, cuts it into shards and returns the vector in which
// each slot's gradient ends.
func (e *Engine) bindPasses(s *ort.Session) (slots []*ort.Tensor, err error) {
	plan, in, out := e.task.Plan, s.Inputs(), s.Outputs()
	losses := out[len(e.step.Out):]
	first := len(e.step.In) // input of the batch
	if plan.Sums() {
		first += len(e.step.Out)
	}
	whole, err := e.batch(in[first:])
	if err != nil {
		return nil, err
	}
	var weights [2][]*ort.Tensor
	for set := range weights {
		if weights[set], err = e.views(e.sets[set][len(e.sets[set])-1], e.step.In); err != nil {
			return nil, err
		}
	}
	var zeros []*ort.Tensor // the gradient before the first shard
	if plan.Sums() {
		if _, zeros, err = e.gradient(); err != nil {
			return nil, err
		}
	}
	for slot := range plan.Slots {
		// Two gradients take turns: a pass reads one and writes the other.
		var vectors [2]*ort.Tensor
		var parts [2][]*ort.Tensor
		from, to := plan.slot(slot)
		for i := range min(2, to-from) {
			if vectors[i], parts[i], err = e.gradient(); err != nil {
				return nil, err
			}
		}
		for i := from; i < to; i++ {
			batch, err := e.shard(in[first:], whole, i)
			if err != nil {
				return nil, err
			}
			p := pass{}
			if p.losses, err = e.tensors(losses); err != nil {
				return nil, err
			}
			turn := (i - from) % 2
			var before []*ort.Tensor
			if plan.Sums() {
				if before = zeros; i > from {
					before = parts[1-turn]
				}
			}
			for set := range weights {
				p.in = slices.Concat(weights[set], before, batch)
				if p.run, err = s.Bind(p.in, slices.Concat(parts[turn], p.losses)); err != nil {
					return nil, err
				}
				e.passes[set] = append(e.passes[set], p)
			}
		}
		slots = append(slots, vectors[(to-from-1)%2])
	}
	return slots, nil
}

// gradient is a vector for a gradient, and its parts.
func (e *Engine) gradient() (vector *ort.Tensor, parts []*ort.Tensor, err error) {
	if vector, err = e.tensor(ort.Spec{Type: ort.Float32, Shape: []int64{length(e.step.Out)}}); err != nil {
		return nil, nil, err
	}
	parts, err = e.views(vector, e.step.Out)
	return vector, parts, err
}

// views are tensors over the parts of a vector.
func (e *Engine) views(vector *ort.Tensor, parts []Part) (out []*ort.Tensor, err error) {
	for _, p := range parts {
		t, err := ort.TensorOver(ort.Float32, vector.Bytes()[4*p.Offset:4*(p.Offset+p.Size)], p.Shape...)
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
