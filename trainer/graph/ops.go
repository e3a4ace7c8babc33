package graph

import (
	"fmt"
	"math"
	"slices"

	"perceive/export/onnx"
)

// Constants. Equal constants are stored once.

// Float32 is a constant of the given shape; no shape means a single number.
func (b *Builder) Float32(data []float32, shape ...int64) Value {
	key := fmt.Sprintf("f%v%v", shape, data)
	if len(data) > 64 {
		key = "" // a long constant is hardly met twice, and the key would be longer still
	}
	return b.constant(key, "const", func(name string) *onnx.Tensor { return onnx.NewTensorFloat32(name, shape, data) })
}

// Scalar is the constant number x, broadcast by whatever uses it.
func (b *Builder) Scalar(x float64) Value { return b.Float32([]float32{float32(x)}) }

// Int64 is a constant vector: axes, sizes, indices.
func (b *Builder) Int64(data ...int64) Value {
	return b.constant(fmt.Sprintf("i%v", data), "const", func(name string) *onnx.Tensor {
		return onnx.NewTensorInt64(name, []int64{int64(len(data))}, data)
	})
}

func (b *Builder) constant(key, hint string, make func(name string) *onnx.Tensor) Value {
	if v, ok := b.shared[key]; ok && key != "" {
		return v
	}
	scope := b.scope
	b.scope = nil
	t := make(b.fresh(hint))
	b.scope = scope
	v := b.Initializer(t)
	if key != "" {
		b.shared[key] = v
	}
	return v
}

// Initializer adds a constant tensor under its own name.
func (b *Builder) Initializer(t *onnx.Tensor) Value {
	b.graph.Initializer = append(b.graph.Initializer, t)
	b.consts[t.GetName()] = t
	b.types[t.GetName()] = onnx.TensorType{Elem: onnx.Tensor_DataType(t.GetDataType()), Shape: slices.Clone(t.GetDims())}
	if t.Dims == nil {
		b.types[t.GetName()] = onnx.TensorType{Elem: onnx.Tensor_DataType(t.GetDataType()), Shape: []int64{}}
	}
	return Value{t.GetName()}
}

// Elementwise, with broadcasting.

func (b *Builder) Add(x, y Value) Value { return b.Op("Add", []Value{x, y}) }
func (b *Builder) Sub(x, y Value) Value { return b.Op("Sub", []Value{x, y}) }
func (b *Builder) Mul(x, y Value) Value { return b.Op("Mul", []Value{x, y}) }
func (b *Builder) Div(x, y Value) Value { return b.Op("Div", []Value{x, y}) }
func (b *Builder) Min(x, y Value) Value { return b.Op("Min", []Value{x, y}) }
func (b *Builder) Max(x, y Value) Value { return b.Op("Max", []Value{x, y}) }

// Scale is x·k.
func (b *Builder) Scale(x Value, k float64) Value { return b.Mul(x, b.Scalar(k)) }

// Shift is x+k.
func (b *Builder) Shift(x Value, k float64) Value { return b.Add(x, b.Scalar(k)) }

func (b *Builder) Neg(x Value) Value     { return b.Op("Neg", []Value{x}) }
func (b *Builder) Sqrt(x Value) Value    { return b.Op("Sqrt", []Value{x}) }
func (b *Builder) Exp(x Value) Value     { return b.Op("Exp", []Value{x}) }
func (b *Builder) Log(x Value) Value     { return b.Op("Log", []Value{x}) }
func (b *Builder) Relu(x Value) Value    { return b.Op("Relu", []Value{x}) }
func (b *Builder) Sigmoid(x Value) Value { return b.Op("Sigmoid", []Value{x}) }
func (b *Builder) Sign(x Value) Value    { return b.Op("Sign", []Value{x}) }

// Softplus is log(1+eˣ).
func (b *Builder) Softplus(x Value) Value { return b.Op("Softplus", []Value{x}) }

// Square is x².
func (b *Builder) Square(x Value) Value { return b.Mul(x, x) }

// Cast converts the element type.
func (b *Builder) Cast(x Value, to onnx.Tensor_DataType) Value {
	return b.Op("Cast", []Value{x}, onnx.Int("to", int64(to)))
}

// Products.

// MatMul multiplies the last two axes and broadcasts the others.
func (b *Builder) MatMul(x, y Value) Value { return b.Op("MatMul", []Value{x, y}) }

// ConvSpec are the settings of a two-dimensional convolution. Zero Stride and
// Group mean 1.
type ConvSpec struct {
	Stride, Group int64
	// Pads are top, left, bottom, right.
	Pads [4]int64
}

// Conv is the cross-correlation of x [N,C,H,W] with w [K,C/group,kh,kw]; bias
// [K] may be left out.
func (b *Builder) Conv(x, w, bias Value, s ConvSpec) Value {
	in := []Value{x, w}
	if !bias.IsZero() {
		in = append(in, bias)
	}
	stride, group := max(s.Stride, 1), max(s.Group, 1)
	return b.Op("Conv", in, onnx.Ints("strides", stride, stride), onnx.Ints("pads", s.Pads[:]...), onnx.Int("group", group))
}

// Reductions keep the reduced axes as 1, so that results broadcast back.

func (b *Builder) ReduceSum(x Value, axes ...int64) Value {
	return b.Op("ReduceSum", []Value{x, b.Int64(axes...)}, onnx.Int("keepdims", 1))
}

func (b *Builder) ReduceMean(x Value, axes ...int64) Value { return b.reduce("ReduceMean", x, axes) }
func (b *Builder) ReduceMax(x Value, axes ...int64) Value  { return b.reduce("ReduceMax", x, axes) }

// ReduceSumSquare is Σx².
func (b *Builder) ReduceSumSquare(x Value, axes ...int64) Value {
	return b.reduce("ReduceSumSquare", x, axes)
}

// ReduceLogSumExp is log Σ eˣ, evaluated without overflow.
func (b *Builder) ReduceLogSumExp(x Value, axes ...int64) Value {
	return b.reduce("ReduceLogSumExp", x, axes)
}

func (b *Builder) reduce(op string, x Value, axes []int64) Value {
	return b.Op(op, []Value{x}, onnx.Ints("axes", axes...), onnx.Int("keepdims", 1))
}

// Shapes.

// Reshape lays x out anew; one size may be -1 and is worked out.
func (b *Builder) Reshape(x Value, shape ...int64) Value {
	if slices.Equal(b.Shape(x), shape) {
		return x
	}
	return b.Op("Reshape", []Value{x, b.Int64(shape...)})
}

// Transpose permutes the axes.
func (b *Builder) Transpose(x Value, perm ...int64) Value {
	return b.Op("Transpose", []Value{x}, onnx.Ints("perm", perm...))
}

// Slice takes from..to with a step, along one axis.
func (b *Builder) Slice(x Value, axis, from, to, step int64) Value {
	return b.Op("Slice", []Value{x, b.Int64(from), b.Int64(to), b.Int64(axis), b.Int64(step)})
}

// Pad adds zeros: before and after, per axis.
func (b *Builder) Pad(x Value, before, after []int64) Value {
	if b.err != nil {
		return Value{}
	}
	pads := append(slices.Clone(before), after...)
	if !slices.ContainsFunc(pads, func(p int64) bool { return p != 0 }) {
		return x
	}
	return b.Op("Pad", []Value{x, b.Int64(pads...)})
}

// Concat joins along an axis.
func (b *Builder) Concat(axis int64, xs ...Value) Value {
	if len(xs) == 1 {
		return xs[0]
	}
	return b.Op("Concat", xs, onnx.Int("axis", axis))
}

// Split cuts along an axis into parts of the given sizes.
func (b *Builder) Split(x Value, axis int64, sizes ...int64) []Value {
	return b.Ops("Split", len(sizes), []Value{x, b.Int64(sizes...)}, onnx.Int("axis", axis))
}

// Size is the number of elements of v.
func (b *Builder) Size(v Value) int64 {
	n := int64(1)
	for _, d := range b.Shape(v) {
		if n *= d; n > math.MaxInt32 {
			b.Failf("%s has more than 2³¹ elements", v.name)
		}
	}
	return n
}
