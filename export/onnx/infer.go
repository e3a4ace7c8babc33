package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// ErrNoRule reports an operator whose result shapes this package does not know.
var ErrNoRule = errors.New("no shape rule")

// TensorType is what is known of a value: its element type, UNDEFINED if unknown, and
// its shape. A nil Shape is of unknown rank, -1 a dimension that is not known; a
// scalar has an empty Shape that is not nil.
type TensorType struct {
	Elem  Tensor_DataType
	Shape []int64
}

// Static reports whether all dimensions are known.
func (t TensorType) Static() bool {
	return t.Shape != nil && !slices.Contains(t.Shape, -1)
}

// InferNode gives the types of a node's outputs from those of its inputs (the zero
// TensorType for an input that is left out) and from the inputs that are constants:
// constant returns nil for one that is not.
//
// The error is ErrNoRule for an operator that is not known, else it says how
// the inputs do not fit together.
func InferNode(n *Node, in []TensorType, constant func(i int) *Tensor) ([]TensorType, error) {
	r, ok := rules[n.GetOpType()]
	if !ok || domain(n.GetDomain()) != "" {
		return nil, fmt.Errorf("onnx: %w for operator %q of domain %q", ErrNoRule, n.GetOpType(), n.GetDomain())
	}
	if len(in) < r.min {
		return nil, fmt.Errorf("onnx: %s has %d inputs, want at least %d", n.GetOpType(), len(in), r.min)
	}
	out, err := r.infer(site{n, in, constant})
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", n.GetOpType(), err)
	}
	for _, t := range out {
		if err := t.plausible(); err != nil {
			return nil, fmt.Errorf("onnx: %s: %w", n.GetOpType(), err)
		}
	}
	return out, nil
}

// plausible refuses results that no runtime could hold.
func (t TensorType) plausible() error {
	size := int64(1)
	for _, d := range t.Shape {
		if d < -1 {
			return fmt.Errorf("the result would have shape %v", t.Shape)
		}
		if d > 0 {
			if size > maxElements/d {
				return fmt.Errorf("the result would have shape %v, too large", t.Shape)
			}
			size *= d
		}
	}
	return nil
}

const maxElements = 1 << 40

// Types are the types of all values of a graph, by name.
type Types map[string]TensorType

// InferShapes works out the types of all values of a model's graph: declared inputs
// and constants forward through the nodes, with the arithmetic that networks do on
// shapes. What cannot be known stays unknown, or is as the file declares it. The
// error names the first node whose inputs do not fit together.
func InferShapes(m *Model) (Types, error) {
	g := m.GetGraph()
	types, constants := Types{}, map[string]*Tensor{}
	for _, v := range g.GetInput() {
		types[v.GetName()] = v.TensorType()
	}
	for _, t := range g.GetInitializer() {
		types[t.GetName()], constants[t.GetName()] = t.Type(), t
	}
	declared := Types{}
	for _, v := range slices.Concat(g.GetValueInfo(), g.GetOutput()) {
		declared[v.GetName()] = v.TensorType()
	}
	for i, n := range g.GetNode() {
		in := make([]TensorType, len(n.GetInput()))
		for j, name := range n.GetInput() {
			in[j] = types[name]
		}
		constant := func(j int) *Tensor {
			if j >= len(n.Input) {
				return nil
			}
			return constants[n.Input[j]]
		}
		out, err := InferNode(n, in, constant)
		if err != nil && !errors.Is(err, ErrNoRule) {
			return types, fmt.Errorf("%s: %w", describe(n, i), err)
		}
		for j, name := range n.GetOutput() {
			t := TensorType{}
			if j < len(out) {
				t = out[j]
			}
			types[name] = t.or(declared[name])
		}
		if t := Fold(n, in, constant); t != nil && len(n.Output) > 0 {
			constants[n.Output[0]] = t
		}
	}
	return types, nil
}

// or fills what is unknown of t from a declaration.
func (t TensorType) or(d TensorType) TensorType {
	if t.Elem == Tensor_UNDEFINED {
		t.Elem = d.Elem
	}
	if t.Shape == nil {
		t.Shape = d.Shape
	} else if len(t.Shape) == len(d.Shape) {
		t.Shape = slices.Clone(t.Shape)
		for i, v := range d.Shape {
			if t.Shape[i] < 0 {
				t.Shape[i] = v
			}
		}
	}
	return t
}

// site is one node as a rule sees it.
type site struct {
	*Node
	in       []TensorType
	constant func(i int) *Tensor
}

// shape is input i's, nil if unknown or absent.
func (s site) shape(i int) []int64 {
	if i >= len(s.in) {
		return nil
	}
	return s.in[i].Shape
}

func (s site) elem() Tensor_DataType {
	if len(s.in) == 0 {
		return Tensor_UNDEFINED
	}
	return s.in[0].Elem
}

// like is one result of input 0's element type.
func (s site) like(shape []int64) []TensorType { return []TensorType{{s.elem(), shape}} }

// list is a list of integers that is an attribute in old operator sets and an input
// in new ones. ok is false when it is an input that is not constant.
func (s site) list(attr string, input int) (v []int64, given, ok bool) {
	if a := s.Attr(attr); a != nil {
		return a.GetInts(), true, true
	}
	if input < 0 || input >= len(s.Input) || s.Input[input] == "" {
		return nil, false, true
	}
	t := s.constant(input)
	if t == nil {
		return nil, true, false
	}
	if Tensor_DataType(t.GetDataType()) == Tensor_INT32 {
		w, err := t.Int32s()
		for _, x := range w {
			v = append(v, int64(x))
		}
		return v, true, err == nil
	}
	v, err := t.Int64s()
	return v, true, err == nil
}

// axis makes an axis count from the front.
func axis(a int64, rank int) (int, error) {
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, fmt.Errorf("axis %d of a tensor with %d dimensions", a, rank)
	}
	return int(a), nil
}

// product of dimensions, -1 if one is unknown.
func product(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		if d < 0 {
			return -1
		}
		if d > 0 && n > maxElements/d {
			return maxElements
		}
		n *= d
	}
	return n
}

// unknown is a shape of that rank of which nothing is known.
func unknown(rank int) []int64 {
	s := make([]int64, rank)
	for i := range s {
		s[i] = -1
	}
	return s
}

// broadcast is NumPy's rule, which ONNX takes over: shapes are aligned at the end,
// and each pair of dimensions is equal or holds a 1.
func broadcast(shapes ...[]int64) ([]int64, error) {
	out := []int64{}
	for _, s := range shapes {
		if s == nil {
			return nil, nil
		}
		if len(s) > len(out) {
			out = append(slices.Repeat([]int64{1}, len(s)-len(out)), out...)
		}
		for i, d := range s {
			o := &out[len(out)-len(s)+i]
			switch {
			case *o == 1 || *o == d:
				*o = d
			case d == 1:
			case *o < 0:
				*o = d // an unknown one must turn out equal, or 1
			case d < 0:
			default:
				return nil, fmt.Errorf("shapes %v do not broadcast", shapes)
			}
		}
	}
	return out, nil
}
