package trainer

import (
	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
)

// gradient is the pass without what was taken out. With Plan.Sums, the gradient of the
// slot so far is an input, and added.
func (s *stepBuilder) gradient() (*onnx.Model, error) {
	b, values := graph.New("perceive_gradient"), map[string]graph.Value{}
	for _, p := range s.in {
		values[p.Name] = b.Input(p.Name, onnx.Tensor_FLOAT, p.Shape...)
	}
	sums := make([]graph.Value, len(s.out))
	if s.Plan.Sums() {
		for i, p := range s.out {
			sums[i] = b.Input("sum/"+p.Name, onnx.Tensor_FLOAT, p.Shape...)
		}
	}
	for _, v := range s.batch {
		values[v.Name()] = b.Input(v.Name(), s.pass.Elem(v), s.pass.Shape(v)...)
	}
	b.Copy(s.pass, s.inner, values)
	for i, p := range s.out {
		v, ok := values[p.Name]
		switch {
		case ok:
		case s.pass.Const(graph.Named(p.Name)) != nil: // zeros: the loss does not depend on the weight
			v = b.Float32(make([]float32, p.Size), p.Shape...)
		default:
			b.Failf("the pass does not make %s, which is a gradient", p.Name)
		}
		if s.Plan.Sums() {
			v = b.Add(sums[i], v)
		}
		b.Output("gradient/"+p.Name, v)
	}
	for i, name := range []string{outLoss, outLossMap, outLossPres} {
		b.Output(name, values[s.losses[i].Name()])
	}
	return b.Model()
}

// vector makes the vector of weights.
func (s *stepBuilder) vector(b *graph.Builder, params graph.Value) graph.Value {
	values := s.layout.Weights(b, params)
	b.Copy(s.pass, s.hoisted, values)
	parts := make([]graph.Value, len(s.in))
	for i, p := range s.in {
		parts[i] = b.Reshape(values[p.Name], p.Size)
	}
	return b.Concat(0, parts...)
}

// update: inputs are the optimiser's state and scalars and the gradients of
// all slots, [Slots,length]; outputs are "next_" + each state name, the next weights, and the gradient's norm.
func (s *stepBuilder) update() (*onnx.Model, error) {
	b := graph.New("perceive_update")
	state, scalars := s.Optimizer.Inputs(b, s.layout.Size)
	mean := s.mean(b, b.Input(inGradients, onnx.Tensor_FLOAT, int64(s.Plan.Slots), length(s.out)))
	weights := s.layout.Weights(b, state[0])
	var of []graph.Value
	for _, name := range s.learned {
		of = append(of, weights[name])
	}
	seeds := s.seeds(b, mean)
	grad := autodiff.Pullback(b, of, seeds, state[:1])[0]
	next, norm := s.Optimizer.Update(b, state, scalars, grad, s.layout.DecayMask(), s.layout.RateMask(s.Rates))
	for i, v := range next {
		b.Output("next_"+s.Optimizer.StateNames()[i], v)
	}
	b.Output("next_"+inWeights, s.vector(b, next[0]))
	b.Output(outGradNorm, norm)
	return b.Model()
}

// mean is that of the batch, [length], as a product, which reads each gradient once: 1.3 ms
// where seven additions took 2.7 ms (8 slots of 650,000, 2 cores).
func (s *stepBuilder) mean(b *graph.Builder, gradients graph.Value) graph.Value {
	share := make([]float32, s.Plan.Slots)
	for i := range share {
		share[i] = 1 / float32(s.Plan.Shards)
	}
	return b.Reshape(b.MatMul(b.Float32(share, 1, int64(s.Plan.Slots)), gradients), length(s.out))
}

// seeds are the gradients of the learned weights, out of their vector.
func (s *stepBuilder) seeds(b *graph.Builder, vector graph.Value) []graph.Value {
	sizes, values := make([]int64, len(s.out)), map[string]graph.Value{}
	for i, p := range s.out {
		sizes[i] = p.Size
	}
	for i, v := range b.Split(vector, 0, sizes...) {
		values[s.out[i].Name] = b.Reshape(v, s.out[i].Shape...)
	}
	seeds := make([]graph.Value, len(s.grads))
	for i, g := range s.grads {
		b.Copy(s.pass, s.chains[i], values)
		seeds[i] = values[g.Name()]
	}
	return seeds
}
