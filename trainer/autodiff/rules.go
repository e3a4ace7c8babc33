package autodiff

import (
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// entry is what is known of an operator's derivative: a rule, zero (both fields
// empty), or a reason why it must not be asked for.
type entry struct {
	rule      func(step) []graph.Value
	forbidden string
}

// zero is for operators that are constant almost everywhere, or whose output is
// not a number that can move.
var zero = entry{}

func with(rule func(step) []graph.Value) entry { return entry{rule: rule} }

// rules has a line an operator. Names: y the output, dy its gradient, x the input.
var rules = map[string]entry{
	"Add": with(func(s step) []graph.Value { return []graph.Value{s.grad[0], s.grad[0]} }),
	"Sub": with(func(s step) []graph.Value { return []graph.Value{s.grad[0], s.ifNeeded(1, s.negGrad)} }),
	"Mul": with(func(s step) []graph.Value {
		return []graph.Value{
			s.ifNeeded(0, func() graph.Value { return s.Mul(s.grad[0], s.in[1]) }),
			s.ifNeeded(1, func() graph.Value { return s.Mul(s.grad[0], s.in[0]) }),
		}
	}),
	"Div":        with(divRule),
	"Neg":        with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Neg(dy) })),
	"Identity":   with(unary(func(_ step, _, dy graph.Value) graph.Value { return dy })),
	"Exp":        with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Mul(dy, y) })),
	"Log":        with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Div(dy, s.in[0]) })),
	"Sqrt":       with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Div(s.Scale(dy, 0.5), y) })),
	"Reciprocal": with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Neg(s.Mul(dy, s.Square(y))) })),
	"Relu":       with(unary(reluRule)),
	"Sigmoid":    with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Mul(dy, s.Sub(y, s.Square(y))) })),
	"Tanh": with(unary(func(s step, y, dy graph.Value) graph.Value {
		return s.Sub(dy, s.Mul(dy, s.Square(y)))
	})),
	"Softplus": with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Mul(dy, s.Sigmoid(s.in[0])) })),
	"Abs":      with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Mul(dy, s.Sign(s.in[0])) })),
	"Cast": with(unary(func(s step, _, dy graph.Value) graph.Value {
		return s.Cast(dy, s.Elem(s.in[0]))
	})),

	"MatMul":          with(matMulRule),
	"Conv":            with(convRule),
	"ReduceSum":       with(unary(func(s step, _, dy graph.Value) graph.Value { return s.expand(s.keepDims(dy)) })),
	"ReduceMean":      with(reduceMeanRule),
	"ReduceSumSquare": with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Mul(s.Scale(s.in[0], 2), s.keepDims(dy)) })),
	"ReduceLogSumExp": with(unary(func(s step, y, dy graph.Value) graph.Value {
		return s.Mul(s.Exp(s.Sub(s.in[0], s.keepDims(y))), s.keepDims(dy))
	})),

	"Reshape":   with(reshapeRule),
	"Flatten":   with(reshapeRule),
	"Squeeze":   with(reshapeRule),
	"Unsqueeze": with(reshapeRule),
	"Expand":    with(func(s step) []graph.Value { return []graph.Value{s.grad[0], {}} }),
	"Transpose": with(transposeRule),
	"Concat":    with(concatRule),
	"Split":     with(splitRule),
	"Slice":     with(sliceRule),
	"Pad":       with(padRule),
	"Resize":    with(resizeRule),

	"Sign": zero, "Greater": zero, "GreaterOrEqual": zero, "Less": zero, "LessOrEqual": zero, "Equal": zero,
	"Shape": zero, "ArgMax": zero, "Constant": zero, "ConstantOfShape": zero, "Floor": zero, "Ceil": zero, "Round": zero,

	"NonZero": {forbidden: "which elements are non-zero is not a differentiable function"},
	"TopK":    {forbidden: "the order of elements is not a differentiable function"},
}

// Supported lists the operators that have a gradient, sorted.
func Supported() []string {
	var names []string
	for name, e := range rules {
		if e.rule != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// unary is the rule of an operator whose gradient goes to its first input alone.
func unary(f func(s step, y, dy graph.Value) graph.Value) func(step) []graph.Value {
	return func(s step) []graph.Value {
		return []graph.Value{f(s, s.out[0], s.grad[0])}
	}
}

// reluRule: the gradient passes where y > 0. The mask is a steep HardSigmoid,
// clamp(1e20·y, 0, 1): 0 at 0 and 1 above 1e-20. It is one threaded, vectorised
// kernel where Sign and Where are neither: mask and product took 1.0 ms where
// Sign and Mul took 3.7 ms and Greater and Where 2.4 ms (3 M elements, 2 cores).
func reluRule(s step, y, dy graph.Value) graph.Value {
	mask := s.Op("HardSigmoid", []graph.Value{y}, onnx.Float("alpha", 1e20), onnx.Float("beta", 0))
	return s.Mul(dy, mask)
}

func (s step) ifNeeded(i int, f func() graph.Value) graph.Value {
	if !s.needs(i) {
		return graph.Value{}
	}
	return f()
}

func (s step) negGrad() graph.Value { return s.Neg(s.grad[0]) }

// divRule: y = a/b, da = dy/b, db = −dy·y/b.
func divRule(s step) []graph.Value {
	da := s.Div(s.grad[0], s.in[1])
	return []graph.Value{da, s.ifNeeded(1, func() graph.Value { return s.Neg(s.Mul(da, s.out[0])) })}
}

// matMulRule: Y = A·B, dA = dY·Bᵀ, dB = Aᵀ·dY; the driver sums over broadcast axes.
func matMulRule(s step) []graph.Value {
	if len(s.Shape(s.in[0])) < 2 || len(s.Shape(s.in[1])) < 2 {
		s.Failf("MatMul (node %q) of a vector: reshape it to a matrix first", s.node.GetName())
		return make([]graph.Value, 2)
	}
	return []graph.Value{
		s.ifNeeded(0, func() graph.Value { return s.MatMul(s.grad[0], s.swapLast(s.in[1])) }),
		s.ifNeeded(1, func() graph.Value { return s.MatMul(s.swapLast(s.in[0]), s.grad[0]) }),
	}
}

// swapLast transposes the last two axes; the runtime fuses it into the product.
func (s step) swapLast(x graph.Value) graph.Value {
	perm := iota64(len(s.Shape(x)))
	n := len(perm)
	perm[n-2], perm[n-1] = perm[n-1], perm[n-2]
	return s.Transpose(x, perm...)
}

// reduceMeanRule: every element gets its share of dy.
func reduceMeanRule(s step) []graph.Value {
	share := float64(s.Size(s.out[0])) / float64(s.Size(s.in[0]))
	return []graph.Value{s.expand(s.Scale(s.keepDims(s.grad[0]), share))}
}

// keepDims gives a reduction's result (or its gradient) the rank of the input
// back, with 1 for the reduced axes.
func (s step) keepDims(v graph.Value) graph.Value {
	in := s.Shape(s.in[0])
	if len(s.Shape(v)) == len(in) {
		return v
	}
	axes := s.node.AttrInts("axes")
	if len(s.in) > 1 {
		axes, _ = s.Const(s.in[1]).Int64s()
	}
	shape := slices.Clone(in)
	for i := range shape {
		if len(axes) == 0 || slices.Contains(axes, int64(i)) || slices.Contains(axes, int64(i-len(shape))) {
			shape[i] = 1
		}
	}
	return s.Reshape(v, shape...)
}

// expand repeats v to the shape of the first input.
func (s step) expand(v graph.Value) graph.Value {
	return s.Op("Expand", []graph.Value{v, s.Int64(s.Shape(s.in[0])...)})
}

func iota64(n int) []int64 {
	v := make([]int64, n)
	for i := range v {
		v[i] = int64(i)
	}
	return v
}
