package onnx

import "slices"

// maxFold bounds the constants that are worked out here: shapes, not weights.
const maxFold = 64

// constantValue is the tensor of a Constant node, nil if it is sparse or a text.
func constantValue(n *Node) *Tensor {
	if a := n.Attr("value"); a != nil {
		return a.GetT()
	}
	if a := n.Attr("value_ints"); a != nil {
		return NewTensorInt64("", []int64{int64(len(a.GetInts()))}, a.GetInts())
	}
	if a := n.Attr("value_floats"); a != nil {
		return NewTensorFloat32("", []int64{int64(len(a.GetFloats()))}, a.GetFloats())
	}
	if a := n.Attr("value_float"); a != nil {
		return NewTensorFloat32("", nil, []float32{a.GetF()})
	}
	if a := n.Attr("value_int"); a != nil {
		return NewTensorInt64("", nil, []int64{a.GetI()})
	}
	return nil
}

// Fold works out the first output of a node that computes with shapes, int64 of one axis or
// none, or returns nil. Its arguments are as of InferNode. It knows what exporters write: Shape, Gather, Slice, Concat, casts, squeezes
// and the four operations, on vectors of int64.
func Fold(n *Node, in []TensorType, constant func(i int) *Tensor) *Tensor {
	if domain(n.GetDomain()) != "" {
		return nil
	}
	switch n.GetOpType() {
	case "Constant":
		return constantValue(n)
	case "Shape":
		if len(in) > 0 && in[0].Static() && n.Attr("start") == nil && n.Attr("end") == nil {
			return NewTensorInt64("", []int64{int64(len(in[0].Shape))}, in[0].Shape)
		}
		return nil
	}
	if f, ok := folds[n.GetOpType()]; ok {
		args, ok := foldable(n, constant)
		if !ok {
			return nil
		}
		v, scalar, ok := f(n, args)
		switch {
		case !ok || len(v) > maxFold:
			return nil
		case scalar && len(v) == 1:
			return NewTensorInt64("", nil, v)
		}
		return NewTensorInt64("", []int64{int64(len(v))}, v)
	}
	return nil
}

// arg is a constant vector or number.
type arg struct {
	v      []int64
	scalar bool
}

func foldable(n *Node, constant func(i int) *Tensor) ([]arg, bool) {
	var args []arg
	for i, name := range n.GetInput() {
		t := constant(i)
		if name == "" || t == nil || len(t.GetDims()) > 1 {
			return nil, false
		}
		v, err := t.Int64s()
		if err != nil || len(v) > maxFold {
			return nil, false
		}
		args = append(args, arg{v, len(t.GetDims()) == 0})
	}
	return args, len(args) > 0
}

var folds = map[string]func(n *Node, in []arg) (v []int64, scalar, ok bool){
	"Identity":  func(_ *Node, in []arg) ([]int64, bool, bool) { return in[0].v, in[0].scalar, true },
	"Squeeze":   func(_ *Node, in []arg) ([]int64, bool, bool) { return in[0].v, true, len(in[0].v) == 1 },
	"Unsqueeze": func(_ *Node, in []arg) ([]int64, bool, bool) { return in[0].v, false, in[0].scalar },
	"Cast": func(n *Node, in []arg) ([]int64, bool, bool) {
		return in[0].v, in[0].scalar, Tensor_DataType(n.AttrInt("to", 0)) == Tensor_INT64
	},
	"Concat": func(_ *Node, in []arg) (v []int64, _, _ bool) {
		for _, a := range in {
			v = append(v, a.v...)
		}
		return v, false, true
	},
	"Gather": func(n *Node, in []arg) (v []int64, _, _ bool) {
		if len(in) != 2 || n.AttrInt("axis", 0) != 0 {
			return nil, false, false
		}
		for _, i := range in[1].v {
			j, err := axis(i, len(in[0].v))
			if err != nil {
				return nil, false, false
			}
			v = append(v, in[0].v[j])
		}
		return v, in[1].scalar, true
	},
	"Slice": foldSlice,
	"Add":   elementwise(func(a, b int64) (int64, bool) { return a + b, true }),
	"Sub":   elementwise(func(a, b int64) (int64, bool) { return a - b, true }),
	"Mul":   elementwise(func(a, b int64) (int64, bool) { return a * b, true }),
	"Div": elementwise(func(a, b int64) (int64, bool) {
		if b == 0 {
			return 0, false
		}
		return a / b, true
	}),
}

// foldSlice takes start..end of a vector, with step 1.
func foldSlice(n *Node, in []arg) (v []int64, _, _ bool) {
	starts, ends := n.AttrInts("starts"), n.AttrInts("ends")
	if len(in) >= 3 {
		starts, ends = in[1].v, in[2].v
	}
	if len(starts) != 1 || len(ends) != 1 || len(in) == 5 && !slices.Equal(in[4].v, []int64{1}) {
		return nil, false, false
	}
	d := int64(len(in[0].v))
	from, to := starts[0], ends[0]
	if from < 0 {
		from += d
	}
	if to < 0 {
		to += d
	}
	from, to = min(max(from, 0), d), min(max(to, 0), d)
	return in[0].v[from:max(from, to)], false, true
}

func elementwise(op func(a, b int64) (int64, bool)) func(*Node, []arg) ([]int64, bool, bool) {
	return func(_ *Node, in []arg) ([]int64, bool, bool) {
		if len(in) != 2 {
			return nil, false, false
		}
		a, b := in[0], in[1]
		n := max(len(a.v), len(b.v))
		if len(a.v) != n && len(a.v) != 1 || len(b.v) != n && len(b.v) != 1 {
			return nil, false, false
		}
		out := make([]int64, n)
		for i := range out {
			v, ok := op(a.v[min(i, len(a.v)-1)], b.v[min(i, len(b.v)-1)])
			if !ok {
				return nil, false, false
			}
			out[i] = v
		}
		return out, a.scalar && b.scalar, true
	}
}
