package autodiff

import (
	"math"
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Rules of arithmetic and of matrix products.

func (s step) negGrad() graph.Value { return s.Neg(s.grad[0]) }

func mulRule(s step) []graph.Value {
	return []graph.Value{
		s.ifNeeded(0, func() graph.Value { return s.Mul(s.grad[0], s.in[1]) }),
		s.ifNeeded(1, func() graph.Value { return s.Mul(s.grad[0], s.in[0]) }),
	}
}

// divRule: y = a/b, da = dy/b, db = −dy·y/b.
func divRule(s step) []graph.Value {
	da := s.Div(s.grad[0], s.in[1])
	return []graph.Value{da, s.ifNeeded(1, func() graph.Value { return s.Neg(s.Mul(da, s.out[0])) })}
}

// powRule: y = aᵏ, da = dy·k·aᵏ⁻¹, dk = dy·y·log a. The gradient of the exponent
// exists for a > 0 alone; at a = 0 it is 0, below 0 it means nothing.
func powRule(s step) []graph.Value {
	a, k, dy := s.in[0], s.in[1], s.grad[0]
	return []graph.Value{
		s.ifNeeded(0, func() graph.Value {
			switch c, ok := s.number(1); {
			case ok && c == 0:
				return s.Scale(dy, 0)
			case ok && c == 1:
				return dy
			case ok && c == 2:
				return s.Mul(dy, s.Scale(a, 2))
			case ok:
				return s.Mul(dy, s.Scale(s.Op("Pow", []graph.Value{a, s.Scalar(c - 1)}), c))
			}
			k := k
			if s.Elem(k) != s.Elem(a) {
				k = s.Cast(k, s.Elem(a))
			}
			return s.Mul(dy, s.Mul(k, s.Op("Pow", []graph.Value{a, s.Shift(k, -1)})))
		}),
		s.ifNeeded(1, func() graph.Value {
			return s.Mul(dy, s.Mul(s.out[0], s.Log(s.Max(a, s.Scalar(tiny)))))
		}),
	}
}

// tiny is a float32 above the denormal numbers.
const tiny = 1e-37

// number is input i if it is a constant of one element.
func (s step) number(i int) (float64, bool) {
	if i >= len(s.in) {
		return 0, false
	}
	t := s.Const(s.in[i])
	if v, err := t.Float32s(); err == nil && len(v) == 1 {
		return float64(v[0]), true
	}
	if v, err := t.Int64s(); err == nil && len(v) == 1 {
		return float64(v[0]), true
	}
	return 0, false
}

func sumRule(s step) []graph.Value { return slices.Repeat(s.grad[:1], len(s.in)) }

func meanRule(s step) []graph.Value {
	return slices.Repeat([]graph.Value{s.Scale(s.grad[0], 1/float64(len(s.in)))}, len(s.in))
}

// extremeOf: the gradient goes to whichever input is the larger (Max) or smaller
// (Min); equal ones get half each. More than two count as nested pairs, from the
// left.
func extremeOf(op string) func(step) []graph.Value {
	return func(s step) []graph.Value {
		upTo := []graph.Value{s.in[0]} // the extreme of the first 1, 2, … inputs
		for _, x := range s.in[1:] {
			upTo = append(upTo, s.Op(op, []graph.Value{upTo[len(upTo)-1], x}))
		}
		grads, dy := make([]graph.Value, len(s.in)), s.grad[0]
		for i := len(s.in) - 1; i > 0; i-- {
			ahead := s.Sub(s.in[i], upTo[i-1])
			if op == "Min" {
				ahead = s.Neg(ahead)
			}
			grads[i] = s.Mul(dy, s.ramp(ahead, steep, 0.5)) // ½ at a tie
			dy = s.Sub(dy, grads[i])
		}
		grads[0] = dy
		return grads
	}
}

func whereRule(s step) []graph.Value {
	pick := func(a, b graph.Value) graph.Value { return s.Op("Where", []graph.Value{s.in[0], a, b}) }
	none := s.Scalar(0)
	return []graph.Value{{},
		s.ifNeeded(1, func() graph.Value { return pick(s.grad[0], none) }),
		s.ifNeeded(2, func() graph.Value { return pick(none, s.grad[0]) }),
	}
}

// erfRule: d erf(x) = 2/√π·e^(−x²).
func erfRule(s step, _, dy graph.Value) graph.Value {
	return s.Mul(dy, s.Scale(s.Exp(s.Neg(s.Square(s.in[0]))), 2/math.Sqrt(math.Pi)))
}

// castRule: whole numbers and truth values have no gradient.
func castRule(s step) []graph.Value {
	switch s.Elem(s.in[0]) {
	case onnx.Tensor_FLOAT, onnx.Tensor_DOUBLE, onnx.Tensor_FLOAT16, onnx.Tensor_BFLOAT16:
		return []graph.Value{s.Cast(s.grad[0], s.Elem(s.in[0]))}
	}
	return []graph.Value{{}}
}

// matMulRule: Y = A·B, dA = dY·Bᵀ, dB = Aᵀ·dY; the driver sums over broadcast
// axes. A vector is a matrix of one row (left) or column (right), which the result
// lacks.
func matMulRule(s step) []graph.Value {
	a, b, dy := s.in[0], s.in[1], s.grad[0]
	as, bs, ys := s.Shape(a), s.Shape(b), slices.Clone(s.Shape(dy))
	row, col := len(as) == 1, len(bs) == 1
	if col {
		b, ys = s.Reshape(b, bs[0], 1), append(ys, 1)
	}
	if row {
		a, ys = s.Reshape(a, 1, as[0]), slices.Insert(ys, len(ys)-1, 1)
	}
	dy = s.Reshape(dy, ys...)
	back := func(i int, matrix graph.Value, g func() graph.Value) graph.Value {
		return s.ifNeeded(i, func() graph.Value {
			if !row && !col {
				return g()
			}
			return s.Reshape(unbroadcast(s.Builder, g(), s.Shape(matrix)), s.Shape(s.in[i])...)
		})
	}
	return []graph.Value{
		back(0, a, func() graph.Value { return s.MatMul(dy, s.swapLast(b)) }),
		back(1, b, func() graph.Value { return s.MatMul(s.swapLast(a), dy) }),
	}
}

// swapLast transposes the last two axes; the runtime fuses it into the product.
func (s step) swapLast(x graph.Value) graph.Value {
	perm := iota64(len(s.Shape(x)))
	n := len(perm)
	perm[n-2], perm[n-1] = perm[n-1], perm[n-2]
	return s.Transpose(x, perm...)
}

// gemmRule: Y = α·A'·B' + β·C, where A' is A or, with transA, its transpose:
// dA' = α·dY·B'ᵀ, dB' = α·A'ᵀ·dY, and the transposes of these for A and B.
func gemmRule(s step) []graph.Value {
	a, b, dy := s.in[0], s.in[1], s.grad[0]
	ta, tb := s.node.AttrInt("transA", 0), s.node.AttrInt("transB", 0)
	gemm := func(x, y graph.Value, tx, ty int64) graph.Value {
		return s.Op("Gemm", []graph.Value{x, y}, onnx.Int("transA", tx), onnx.Int("transB", ty),
			onnx.Float("alpha", s.node.AttrFloat("alpha", 1)))
	}
	grads := make([]graph.Value, len(s.in))
	grads[0] = s.ifNeeded(0, func() graph.Value {
		if ta != 0 {
			return gemm(b, dy, tb, 1)
		}
		return gemm(dy, b, 0, 1-tb)
	})
	grads[1] = s.ifNeeded(1, func() graph.Value {
		if tb != 0 {
			return gemm(dy, a, 1, ta)
		}
		return gemm(a, dy, 1-ta, 0)
	})
	if s.needs(2) {
		grads[2] = dy
		if beta := s.node.AttrFloat("beta", 1); beta != 1 {
			grads[2] = s.Scale(dy, float64(beta))
		}
	}
	return grads
}
