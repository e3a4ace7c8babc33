package ref

import (
	"math"
	"slices"

	"perceive/export/onnx"
)

// groups normalises x by groups: key says which group an element belongs to.
// It gives (x−mean)/√(var+ε) and the statistics, with the variance of a population.
func groups(x Tensor, n int, eps float64, key func(idx []int) int) (out Tensor, means, vars []float64) {
	means, vars = make([]float64, n), make([]float64, n)
	members := float64(len(x.Data) / n)
	over := func(f func(g int, i int)) {
		i := 0
		each(x.Shape, func(idx []int) { f(key(idx), i); i++ })
	}
	over(func(g, i int) { means[g] += x.Data[i] / members })
	over(func(g, i int) { vars[g] += (x.Data[i] - means[g]) * (x.Data[i] - means[g]) / members })
	out = New(x.Shape...)
	over(func(g, i int) { out.Data[i] = (x.Data[i] - means[g]) / math.Sqrt(vars[g]+eps) })
	return out, means, vars
}

// perChannel is x·scale[c]+bias[c].
func perChannel(x, scale, bias Tensor) Tensor {
	out, i := New(x.Shape...), 0
	each(x.Shape, func(idx []int) {
		out.Data[i] = x.Data[i]*scale.Data[idx[1]] + bias.Data[idx[1]]
		i++
	})
	return out
}

func batchNorm(n *onnx.Node, in []Tensor) []Tensor {
	x, eps := in[0], float64(n.AttrFloat("epsilon", 1e-5))
	c := x.Shape[1]
	if n.AttrInt("training_mode", 0) == 0 {
		scale, bias := New(c), New(c)
		for i := range c {
			scale.Data[i] = in[1].Data[i] / math.Sqrt(in[4].Data[i]+eps)
			bias.Data[i] = in[2].Data[i] - in[3].Data[i]*scale.Data[i]
		}
		return []Tensor{perChannel(x, scale, bias)}
	}
	y, means, vars := groups(x, c, eps, func(idx []int) int { return idx[1] })
	keep := float64(n.AttrFloat("momentum", 0.9))
	running := func(old Tensor, now []float64) Tensor {
		out := New(c)
		for i := range now {
			out.Data[i] = old.Data[i]*keep + now[i]*(1-keep)
		}
		return out
	}
	return []Tensor{perChannel(y, in[1], in[2]), running(in[3], means), running(in[4], vars)}
}

func instanceNorm(n *onnx.Node, in []Tensor) []Tensor {
	x := in[0]
	y, _, _ := groups(x, x.Shape[0]*x.Shape[1], float64(n.AttrFloat("epsilon", 1e-5)), func(idx []int) int {
		return idx[0]*x.Shape[1] + idx[1]
	})
	return []Tensor{perChannel(y, in[1], in[2])}
}

func layerNorm(n *onnx.Node, in []Tensor) []Tensor {
	x := in[0]
	lead := x.Shape[:axis(n.AttrInt("axis", -1), len(x.Shape))]
	s := strides(lead)
	y, _, _ := groups(x, size(lead), float64(n.AttrFloat("epsilon", 1e-5)), func(idx []int) int {
		g := 0
		for i := range lead {
			g += idx[i] * s[i]
		}
		return g
	})
	y = broadcast(y, in[1], func(a, b float64) float64 { return a * b })
	if len(in) > 2 {
		y = broadcast(y, in[2], func(a, b float64) float64 { return a + b })
	}
	return []Tensor{y}
}

// softmax along one axis; last turns the logarithm of the result into the result.
func softmax(last func(float64) float64) op {
	return func(n *onnx.Node, in []Tensor) []Tensor {
		x := in[0]
		a := axis(n.AttrInt("axis", -1), len(x.Shape))
		return []Tensor{gather(x.Shape, func(o []int) float64 {
			var sum float64
			idx := slices.Clone(o)
			for idx[a] = range x.Shape[a] {
				sum += math.Exp(x.at(idx...))
			}
			return last(x.at(o...) - math.Log(sum))
		})}
	}
}

// dropout drops nothing: it is random, so only a ratio of 0 can be compared.
func dropout(_ *onnx.Node, in []Tensor) []Tensor {
	return []Tensor{in[0], unary(func(float64) float64 { return 1 })(nil, in[:1])[0]}
}
