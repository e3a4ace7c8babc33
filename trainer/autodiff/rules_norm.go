package autodiff

import "perceive/trainer/graph"

// Rules of normalisation: y = scale·x̂ + bias with x̂ = (x−mean)·r, r = 1/√(var+ε).

// batchNormRule: in training mode mean and variance are those of the batch, and
// the gradient goes through them; else they are inputs.
func batchNormRule(s step) []graph.Value {
	eps := float64(s.node.AttrFloat("epsilon", 1e-5))
	axes := iota64(len(s.Shape(s.in[0])))
	axes = append(axes[:1], axes[2:]...) // all but the channels
	if s.node.AttrInt("training_mode", 0) == 0 {
		return s.frozenNorm(axes, eps)
	}
	for _, g := range s.grad[1:] {
		if !g.IsZero() {
			return s.refuse("the loss depends on its running statistics")
		}
	}
	return s.channelNorm(axes, eps)
}

// instanceNormRule: statistics of each channel of each picture.
func instanceNormRule(s step) []graph.Value {
	return s.channelNorm(iota64(len(s.Shape(s.in[0])))[2:], float64(s.node.AttrFloat("epsilon", 1e-5)))
}

// channelNorm is for a scale and bias per channel, which are constant within each
// group that is normalised.
func (s step) channelNorm(axes []int64, eps float64) []graph.Value {
	grads := make([]graph.Value, len(s.in))
	unit, r := s.normalise(axes, eps)
	dx, g, gx := s.throughNorm(s.grad[0], unit, s.Mul(s.perChannel(s.in[1]), r), axes)
	grads[0] = dx
	n := float64(s.Size(s.in[0])) / float64(s.Size(g))
	sum := func(mean graph.Value) graph.Value {
		return s.Reshape(unbroadcast(s.Builder, s.Scale(mean, n), s.Shape(s.perChannel(s.in[1]))), s.Shape(s.in[1])...)
	}
	grads[1] = s.ifNeeded(1, func() graph.Value { return sum(gx) })
	grads[2] = s.ifNeeded(2, func() graph.Value { return sum(g) })
	return grads
}

// normalise computes x̂ and r with the statistics over axes.
func (s step) normalise(axes []int64, eps float64) (unit, r graph.Value) {
	x := s.in[0]
	centred := s.Sub(x, s.ReduceMean(x, axes...))
	r = s.Op("Reciprocal", []graph.Value{s.Sqrt(s.Shift(s.ReduceMean(s.Square(centred), axes...), eps))})
	return s.Mul(centred, r), r
}

// throughNorm is the gradient of x̂ with respect to x, through the statistics:
//
//	dx = factor·(g − mean(g) − x̂·mean(g·x̂))
//
// for a gradient factor/r·g of x̂. It returns the two means as well.
func (s step) throughNorm(g, unit, factor graph.Value, axes []int64) (dx, mean, meanUnit graph.Value) {
	mean, meanUnit = s.ReduceMean(g, axes...), s.ReduceMean(s.Mul(g, unit), axes...)
	return s.Mul(factor, s.Sub(s.Sub(g, mean), s.Mul(unit, meanUnit))), mean, meanUnit
}

// perChannel lays a vector along axis 1.
func (s step) perChannel(v graph.Value) graph.Value {
	shape := make([]int64, len(s.Shape(s.in[0])))
	for i := range shape {
		shape[i] = 1
	}
	shape[1] = s.Size(v)
	return s.Reshape(v, shape...)
}

// frozenNorm: with Σ over all but the channels and t = scale·r,
//
//	dx = t·dy   dscale = r·Σ dy·(x−mean)   dbias = Σ dy
//	dmean = −t·Σ dy   dvar = −½·t·r²·Σ dy·(x−mean)
func (s step) frozenNorm(axes []int64, eps float64) []graph.Value {
	dy := s.grad[0]
	r := s.Op("Reciprocal", []graph.Value{s.Sqrt(s.Shift(s.in[4], eps))}) // a number a channel, like all below
	t := s.Mul(s.in[1], r)
	grads := make([]graph.Value, 5)
	grads[0] = s.ifNeeded(0, func() graph.Value { return s.Mul(dy, s.perChannel(t)) })
	sum := func(v graph.Value) graph.Value { return s.Reshape(s.ReduceSum(v, axes...), s.Size(r)) }
	if s.needs(2) || s.needs(3) {
		grads[2] = sum(dy)
		grads[3] = s.ifNeeded(3, func() graph.Value { return s.Neg(s.Mul(t, grads[2])) })
	}
	if s.needs(1) || s.needs(4) {
		moment := sum(s.Mul(dy, s.Sub(s.in[0], s.perChannel(s.in[3]))))
		grads[1] = s.Mul(moment, r)
		grads[4] = s.ifNeeded(4, func() graph.Value { return s.Scale(s.Mul(moment, s.Mul(t, s.Square(r))), -0.5) })
	}
	return grads
}

// layerNormRule: statistics over the last axes, a scale and bias for each element
// of these.
func layerNormRule(s step) []graph.Value {
	for _, g := range s.grad[1:] {
		if !g.IsZero() {
			return s.refuse("the loss depends on its statistics; compute them with ReduceMean")
		}
	}
	grads := make([]graph.Value, len(s.in))
	rank := len(s.Shape(s.in[0]))
	axes := iota64(rank)[s.axis(s.node.AttrInt("axis", -1), rank):]
	unit, r := s.normalise(axes, float64(s.node.AttrFloat("epsilon", 1e-5)))
	grads[0] = s.ifNeeded(0, func() graph.Value {
		dx, _, _ := s.throughNorm(s.Mul(s.grad[0], s.in[1]), unit, r, axes)
		return dx
	})
	grads[1] = s.ifNeeded(1, func() graph.Value { return s.Mul(s.grad[0], unit) })
	if s.needs(2) {
		grads[2] = s.grad[0]
	}
	return grads
}
