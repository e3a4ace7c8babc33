// Package ref evaluates ONNX graphs in float64, slowly and plainly, written from
// the operator specification: what gradients, losses and lowerings are checked
// against. Matrix products are gonum's. It is used by tests alone.
package ref

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
)

// Tensor is a dense row-major array.
type Tensor struct {
	Shape []int
	Data  []float64
}

// New makes a tensor of zeros.
func New(shape ...int) Tensor { return Tensor{slices.Clone(shape), make([]float64, size(shape))} }

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Eval runs a model on named inputs and returns every value by name.
func Eval(m *onnx.Model, inputs map[string]Tensor) (map[string]Tensor, error) {
	env := map[string]Tensor{}
	for _, t := range m.GetGraph().GetInitializer() {
		v, err := fromONNX(t)
		if err != nil {
			return nil, err
		}
		env[t.GetName()] = v
	}
	for name, t := range inputs {
		env[name] = t
	}
	for _, n := range m.GetGraph().GetNode() {
		op, ok := ops[n.GetOpType()]
		if !ok {
			return nil, fmt.Errorf("ref: operator %s is not in the reference", n.GetOpType())
		}
		in := make([]Tensor, len(n.GetInput()))
		for i, name := range n.GetInput() {
			v, ok := env[name]
			if !ok && name != "" {
				return nil, fmt.Errorf("ref: node %q reads %q, which nothing made", n.GetName(), name)
			}
			in[i] = v
		}
		for i, v := range op(n, in) {
			if i < len(n.GetOutput()) {
				env[n.GetOutput()[i]] = v
			}
		}
	}
	return env, nil
}

func fromONNX(t *onnx.Tensor) (Tensor, error) {
	var out Tensor
	for _, d := range t.GetDims() {
		out.Shape = append(out.Shape, int(d))
	}
	switch onnx.Tensor_DataType(t.GetDataType()) {
	case onnx.Tensor_INT64:
		v, err := t.Int64s()
		for _, x := range v {
			out.Data = append(out.Data, float64(x))
		}
		return out, err
	case onnx.Tensor_FLOAT:
		v, err := t.Float32s()
		for _, x := range v {
			out.Data = append(out.Data, float64(x))
		}
		return out, err
	}
	if onnx.Tensor_DataType(t.GetDataType()) == onnx.Tensor_BOOL {
		for _, x := range t.GetRawData() {
			out.Data = append(out.Data, float64(x))
		}
		return out, nil
	}
	return out, fmt.Errorf("ref: constant %q has type %d", t.GetName(), t.GetDataType())
}

// strides of a row-major array.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// each calls f with every index of a shape, in row-major order.
func each(shape []int, f func(idx []int)) {
	idx := make([]int, len(shape))
	for range size(shape) {
		f(idx)
		for i := len(idx) - 1; i >= 0; i-- {
			if idx[i]++; idx[i] < shape[i] {
				break
			}
			idx[i] = 0
		}
	}
}

// at reads t at idx; an index outside reads 0.
func (t Tensor) at(idx ...int) float64 {
	o := 0
	for i, d := range t.Shape {
		if idx[i] < 0 || idx[i] >= d {
			return 0
		}
		o = o*d + idx[i]
	}
	return t.Data[o]
}

// broadcast applies f to a and b with numpy's broadcasting.
func broadcast(a, b Tensor, f func(x, y float64) float64) Tensor {
	rank := max(len(a.Shape), len(b.Shape))
	shape := make([]int, rank)
	dim := func(t Tensor, i int) int {
		if j := i - (rank - len(t.Shape)); j >= 0 {
			return t.Shape[j]
		}
		return 1
	}
	for i := range shape {
		shape[i] = max(dim(a, i), dim(b, i))
	}
	read := func(t Tensor, idx []int) float64 {
		own := make([]int, len(t.Shape))
		for j := range own {
			if own[j] = idx[j+rank-len(t.Shape)]; t.Shape[j] == 1 {
				own[j] = 0
			}
		}
		return t.at(own...)
	}
	out := New(shape...)
	i := 0
	each(shape, func(idx []int) {
		out.Data[i] = f(read(a, idx), read(b, idx))
		i++
	})
	return out
}
