package autodiff

import (
	"slices"

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

// refused says why there is no rule and never will be.
func refused(reason string) entry { return entry{forbidden: reason} }

const (
	order     = "the order of elements is not a differentiable function"
	unroll    = "it loops or branches: write its steps out as nodes"
	quantised = "rounding has no useful gradient: train in float and quantise the trained model"
	random    = "it draws random numbers: make them outside and feed them as an input"
)

// rules has a line an operator. Names: y the output, dy its gradient, x the input.
var rules = map[string]entry{
	// Arithmetic.
	"Add":        with(func(s step) []graph.Value { return []graph.Value{s.grad[0], s.grad[0]} }),
	"Sub":        with(func(s step) []graph.Value { return []graph.Value{s.grad[0], s.ifNeeded(1, s.negGrad)} }),
	"Mul":        with(mulRule),
	"Div":        with(divRule),
	"Pow":        with(powRule),
	"Sum":        with(sumRule),
	"Mean":       with(meanRule),
	"Min":        with(extremeOf("Min")),
	"Max":        with(extremeOf("Max")),
	"Where":      with(whereRule),
	"Neg":        with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Neg(dy) })),
	"Abs":        with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Mul(dy, s.Sign(s.in[0])) })),
	"Exp":        with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Mul(dy, y) })),
	"Log":        with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Div(dy, s.in[0]) })),
	"Sqrt":       with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Div(s.Scale(dy, 0.5), y) })),
	"Reciprocal": with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Neg(s.Mul(dy, s.Square(y))) })),
	"Erf":        with(unary(erfRule)),
	"Identity":   with(unary(func(_ step, _, dy graph.Value) graph.Value { return dy })),
	"Cast":       with(castRule),

	// Activations.
	"Relu":        with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Mul(dy, s.above(y, 0)) })),
	"LeakyRelu":   with(unary(leakyReluRule)),
	"PRelu":       with(preluRule),
	"Elu":         with(unary(eluRule)),
	"Clip":        with(clipRule),
	"Sigmoid":     with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Mul(dy, s.Sub(y, s.Square(y))) })),
	"HardSigmoid": with(unary(hardSigmoidRule)),
	"HardSwish":   with(unary(hardSwishRule)),
	"Tanh":        with(unary(func(s step, y, dy graph.Value) graph.Value { return s.Sub(dy, s.Mul(dy, s.Square(y))) })),
	"Softplus":    with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Mul(dy, s.Sigmoid(s.in[0])) })),
	"Softmax":     with(unary(softmaxRule)),
	"LogSoftmax":  with(unary(logSoftmaxRule)),
	"Dropout":     with(dropoutRule),

	// Products, windows and normalisation.
	"MatMul":                with(matMulRule),
	"Gemm":                  with(gemmRule),
	"Conv":                  with(convRule),
	"ConvTranspose":         with(convTransposeRule),
	"AveragePool":           with(averagePoolRule),
	"MaxPool":               with(maxPoolRule),
	"GlobalAveragePool":     with(unary(shared)),
	"GlobalMaxPool":         with(unary(extremeElement(+1))),
	"BatchNormalization":    with(batchNormRule),
	"InstanceNormalization": with(instanceNormRule),
	"LayerNormalization":    with(layerNormRule),

	// Reductions.
	"ReduceSum":       with(unary(func(s step, _, dy graph.Value) graph.Value { return s.expand(s.keepDims(dy)) })),
	"ReduceMean":      with(unary(shared)),
	"ReduceMax":       with(unary(extremeElement(+1))),
	"ReduceMin":       with(unary(extremeElement(-1))),
	"ReduceL1":        with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Mul(s.Sign(s.in[0]), s.keepDims(dy)) })),
	"ReduceL2":        with(unary(reduceL2Rule)),
	"ReduceSumSquare": with(unary(func(s step, _, dy graph.Value) graph.Value { return s.Mul(s.Scale(s.in[0], 2), s.keepDims(dy)) })),
	"ReduceLogSumExp": with(unary(func(s step, y, dy graph.Value) graph.Value {
		return s.Mul(s.Exp(s.Sub(s.in[0], s.keepDims(y))), s.keepDims(dy))
	})),

	// Shapes.
	"Reshape":      with(reshapeRule),
	"Flatten":      with(reshapeRule),
	"Squeeze":      with(reshapeRule),
	"Unsqueeze":    with(reshapeRule),
	"Expand":       with(func(s step) []graph.Value { return []graph.Value{s.grad[0], {}} }),
	"Tile":         with(tileRule),
	"Transpose":    with(transposeRule),
	"Concat":       with(concatRule),
	"Split":        with(splitRule),
	"Slice":        with(sliceRule),
	"Pad":          with(padRule),
	"Gather":       with(gatherRule),
	"Resize":       with(resizeRule),
	"DepthToSpace": with(unary(depthToSpaceRule)),
	"SpaceToDepth": with(unary(spaceToDepthRule)),

	// Zero: steps, and what is no number that can move.
	"Sign": zero, "Floor": zero, "Ceil": zero, "Round": zero, "ArgMax": zero, "ArgMin": zero,
	"Greater": zero, "GreaterOrEqual": zero, "Less": zero, "LessOrEqual": zero, "Equal": zero,
	"Not": zero, "And": zero, "Or": zero, "Xor": zero, "IsNaN": zero, "IsInf": zero,
	"Shape": zero, "Size": zero, "Constant": zero, "ConstantOfShape": zero, "Range": zero, "OneHot": zero, "EyeLike": zero,

	"NonZero":           refused("which elements are non-zero is not a differentiable function"),
	"TopK":              refused(order),
	"NonMaxSuppression": refused(order),
	"Unique":            refused(order),
	"Loop":              refused(unroll),
	"If":                refused(unroll),
	"Scan":              refused(unroll),
	"RNN":               refused(unroll),
	"LSTM":              refused(unroll),
	"GRU":               refused(unroll),
	"QuantizeLinear":    refused(quantised),
	"DequantizeLinear":  refused(quantised),
	"ConvInteger":       refused(quantised),
	"MatMulInteger":     refused(quantised),
	"QLinearConv":       refused(quantised),
	"QLinearMatMul":     refused(quantised),
	"RandomNormal":      refused(random),
	"RandomNormalLike":  refused(random),
	"RandomUniform":     refused(random),
	"RandomUniformLike": refused(random),
	"Multinomial":       refused(random),
	"Bernoulli":         refused(random),
	"MaxUnpool":         refused("the CUDA provider has no MaxUnpool: enlarge with Resize or ConvTranspose"),
	"Upsample":          refused("the operator set dropped it in version 10: use Resize"),
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
		grads := make([]graph.Value, len(s.in))
		grads[0] = f(s, s.out[0], s.grad[0])
		return grads
	}
}

func (s step) ifNeeded(i int, f func() graph.Value) graph.Value {
	if !s.needs(i) {
		return graph.Value{}
	}
	return f()
}

// refuse reports that this node, unlike others of its operator, has no gradient.
func (s step) refuse(reason string) []graph.Value {
	s.Failf("%w for this %s (node %q): %s", ErrNoRule, s.node.GetOpType(), s.node.GetName(), reason)
	return make([]graph.Value, len(s.in))
}

// zeros of a shape: made when the graph runs, so that the file stays small.
func (s step) zeros(shape ...int64) graph.Value {
	return s.Op("Expand", []graph.Value{s.Scalar(0), s.Int64(shape...)})
}

func iota64(n int) []int64 {
	v := make([]int64, n)
	for i := range v {
		v[i] = int64(i)
	}
	return v
}
