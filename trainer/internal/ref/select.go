package ref

import (
	"math"
	"slices"

	"perceive/export/onnx"
)

// Operators that choose among numbers, and those that move them by a table.

func leaky(slope float64) func(x float64) float64 {
	return func(x float64) float64 { return math.Max(x, 0) + slope*math.Min(x, 0) }
}

// cast to a whole number cuts off the fraction, to bool asks whether it is 0.
func cast(n *onnx.Node, in []Tensor) []Tensor {
	f := func(x float64) float64 { return x }
	switch onnx.Tensor_DataType(n.AttrInt("to", 0)) {
	case onnx.Tensor_INT64, onnx.Tensor_INT32:
		f = math.Trunc
	case onnx.Tensor_BOOL:
		f = func(x float64) float64 {
			if x != 0 {
				return 1
			}
			return 0
		}
	}
	return unary(f)(n, in)
}

func clip(n *onnx.Node, in []Tensor) []Tensor {
	low, high := math.Inf(-1), math.Inf(1)
	if len(in) > 1 && in[1].Data != nil {
		low = in[1].Data[0]
	}
	if len(in) > 2 && in[2].Data != nil {
		high = in[2].Data[0]
	}
	return unary(func(x float64) float64 { return math.Min(math.Max(x, low), high) })(n, in[:1])
}

func where(_ *onnx.Node, in []Tensor) []Tensor {
	// A chosen number may be infinite, so that it is not a matter of products.
	number := New(broadcast(in[1], in[2], math.Max).Shape...)
	for i := range number.Data {
		number.Data[i] = float64(i)
	}
	a := broadcast(in[1], number, func(x, _ float64) float64 { return x })
	b := broadcast(in[2], number, func(x, _ float64) float64 { return x })
	return []Tensor{broadcast(in[0], number, func(c, i float64) float64 {
		if c != 0 {
			return a.Data[int(i)]
		}
		return b.Data[int(i)]
	})}
}

func gemm(n *onnx.Node, in []Tensor) []Tensor {
	turn := func(t Tensor, attr string) Tensor {
		if n.AttrInt(attr, 0) == 0 {
			return t
		}
		return gather([]int{t.Shape[1], t.Shape[0]}, func(o []int) float64 { return t.at(o[1], o[0]) })
	}
	alpha, beta := float64(n.AttrFloat("alpha", 1)), float64(n.AttrFloat("beta", 1))
	y := matMul(n, []Tensor{turn(in[0], "transA"), turn(in[1], "transB")})[0]
	for i := range y.Data {
		y.Data[i] *= alpha
	}
	if len(in) > 2 {
		y = broadcast(y, in[2], func(a, c float64) float64 { return a + beta*c })
	}
	return []Tensor{y}
}

func gatherOp(n *onnx.Node, in []Tensor) []Tensor {
	x, index := in[0], in[1]
	a, r := axis(n.AttrInt("axis", 0), len(x.Shape)), len(index.Shape)
	return []Tensor{gather(slices.Concat(x.Shape[:a], index.Shape, x.Shape[a+1:]), func(o []int) float64 {
		i := axis(int64(index.at(o[a:a+r]...)), x.Shape[a])
		return x.at(slices.Concat(o[:a], []int{i}, o[a+r:])...)
	})}
}

func scatterElements(n *onnx.Node, in []Tensor) []Tensor {
	x, index, updates := in[0], in[1], in[2]
	a := axis(n.AttrInt("axis", 0), len(x.Shape))
	out := Tensor{x.Shape, slices.Clone(x.Data)}
	s, i := strides(x.Shape), 0
	each(index.Shape, func(idx []int) {
		o := 0
		for j := range idx {
			p := idx[j]
			if j == a {
				p = axis(int64(index.Data[i]), x.Shape[a])
			}
			o += p * s[j]
		}
		if n.AttrString("reduction", "none") == "add" {
			out.Data[o] += updates.Data[i]
		} else {
			out.Data[o] = updates.Data[i]
		}
		i++
	})
	return []Tensor{out}
}

func tile(_ *onnx.Node, in []Tensor) []Tensor {
	shape := slices.Clone(in[0].Shape)
	for i, r := range ints(in[1]) {
		shape[i] *= r
	}
	return []Tensor{gather(shape, func(o []int) float64 {
		idx := slices.Clone(o)
		for i := range idx {
			idx[i] %= in[0].Shape[i]
		}
		return in[0].at(idx...)
	})}
}

func spaceToDepth(n *onnx.Node, in []Tensor) []Tensor {
	x, b := in[0], int(n.AttrInt("blocksize", 0))
	c := x.Shape[1]
	return []Tensor{gather([]int{x.Shape[0], c * b * b, x.Shape[2] / b, x.Shape[3] / b}, func(o []int) float64 {
		block := o[1] / c
		return x.at(o[0], o[1]%c, o[2]*b+block/b, o[3]*b+block%b)
	})}
}

func depthToSpace(n *onnx.Node, in []Tensor) []Tensor {
	x, b := in[0], int(n.AttrInt("blocksize", 0))
	c := x.Shape[1] / (b * b)
	return []Tensor{gather([]int{x.Shape[0], c, x.Shape[2] * b, x.Shape[3] * b}, func(o []int) float64 {
		block := o[2]%b*b + o[3]%b
		channel := block*c + o[1]
		if n.AttrString("mode", "DCR") == "CRD" {
			channel = o[1]*b*b + block
		}
		return x.at(o[0], channel, o[2]/b, o[3]/b)
	})}
}
