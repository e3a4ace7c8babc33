// Package graph builds ONNX graphs of the standard operator set in Go.
//
// There are three phases, and each has its own failures. While a graph is built,
// shapes are known and checked at every node: the first mistake sticks, names the
// operator and the caller's line, and every later call is a no-op, so that a
// network reads as straight-line code and is checked once, at Model. When a
// session is made from the model, the runtime may refuse it. When it runs, only
// data can be wrong.
//
// All shapes are static: a training graph is built for one batch size.
package graph

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
)

// Opset is the version of the standard operator set of every graph built here.
const Opset = 17

// irVersion 8 is the oldest that opset 17 goes with; older readers stay happy.
const irVersion = 8

// Value is one tensor of a graph under construction: a name. The zero Value is
// "no value", for an optional input that is left out.
type Value struct{ name string }

// Name is the value's name in the ONNX graph.
func (v Value) Name() string { return v.name }

// IsZero reports whether v is "no value".
func (v Value) IsZero() bool { return v.name == "" }

// Named refers to a value by its name in the graph.
func Named(name string) Value { return Value{name} }

// Builder collects nodes. Its methods never panic and never return an error;
// see Err.
type Builder struct {
	graph  *onnx.Graph
	types  map[string]onnx.TensorType
	consts map[string]*onnx.Tensor // initializers by name
	shared map[string]Value        // constants by content, so that each is stored once
	used   map[string]int          // how often a name was asked for
	scope  []string
	err    error
}

// New starts an empty graph.
func New(name string) *Builder {
	return &Builder{
		graph:  &onnx.Graph{Name: proto.String(name)},
		types:  map[string]onnx.TensorType{},
		consts: map[string]*onnx.Tensor{},
		shared: map[string]Value{},
		used:   map[string]int{},
	}
}

// Err is the first mistake made, or nil.
func (b *Builder) Err() error { return b.err }

// Failf records a mistake in the name of the code that uses the builder.
func (b *Builder) Failf(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("graph: %s: "+format, append([]any{caller()}, args...)...)
	}
}

// caller is the first file:line outside this package: where the mistake is.
func caller() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, "perceive/trainer/graph.(") || !more {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
	}
}

// Scope prefixes the names made inside fn, so that a graph opened in a viewer
// reads like the network's definition.
func (b *Builder) Scope(name string, fn func()) {
	b.scope = append(b.scope, name)
	fn()
	b.scope = b.scope[:len(b.scope)-1]
}

// fresh makes a name that is new in this graph.
func (b *Builder) fresh(hint string) string {
	name := strings.Join(append(b.scope[:len(b.scope):len(b.scope)], hint), "/")
	n := b.used[name]
	b.used[name]++
	if n > 0 {
		return b.fresh(fmt.Sprintf("%s_%d", hint, n))
	}
	return name
}

// Input declares a graph input under exactly this name.
func (b *Builder) Input(name string, elem onnx.Tensor_DataType, shape ...int64) Value {
	if b.used[name]++; b.used[name] > 1 {
		b.Failf("input %q: the name is taken", name)
	}
	b.graph.Input = append(b.graph.Input, onnx.NewValueInfo(name, elem, shape...))
	b.types[name] = onnx.TensorType{Elem: elem, Shape: shape}
	return Value{name}
}

// Output declares v a graph output under exactly this name.
func (b *Builder) Output(name string, v Value) {
	if b.err != nil {
		return
	}
	if b.used[name]++; b.used[name] > 1 {
		b.Failf("output %q: the name is taken", name)
		return
	}
	t := b.types[v.name]
	b.graph.Node = append(b.graph.Node, onnx.NewNode("Identity", name, []string{v.name}, []string{name}))
	b.types[name] = t
	b.graph.Output = append(b.graph.Output, onnx.NewValueInfo(name, t.Elem, t.Shape...))
}

// Inputs are the graph's inputs so far.
func (b *Builder) Inputs() []Value {
	var out []Value
	for _, in := range b.graph.GetInput() {
		out = append(out, Value{in.GetName()})
	}
	return out
}

// Shape is v's shape; nil after a mistake.
func (b *Builder) Shape(v Value) []int64 { return b.types[v.name].Shape }

// Elem is v's element type.
func (b *Builder) Elem(v Value) onnx.Tensor_DataType { return b.types[v.name].Elem }

// Const is the content of v if it is a constant of the graph, else nil.
func (b *Builder) Const(v Value) *onnx.Tensor { return b.consts[v.name] }

// Nodes are the nodes so far, in order of execution. The slice is the builder's.
func (b *Builder) Nodes() []*onnx.Node { return b.graph.Node }

// Op adds a node with one output.
func (b *Builder) Op(op string, in []Value, attrs ...*onnx.Attribute) Value {
	return b.Ops(op, 1, in, attrs...)[0]
}

// Ops adds a node with n outputs. After a mistake it returns n zero Values.
func (b *Builder) Ops(op string, n int, in []Value, attrs ...*onnx.Attribute) []Value {
	out := make([]Value, n)
	if b.err != nil {
		return out
	}
	name := b.fresh(op)
	ins, outs := make([]string, len(in)), make([]string, n)
	types := make([]onnx.TensorType, len(in))
	for i, v := range in {
		t, ok := b.types[v.name]
		if !ok && !v.IsZero() {
			b.Failf("%s: input %d %q is not a value of this graph", op, i, v.name)
			return out
		}
		ins[i], types[i] = v.name, t
	}
	for i := range outs {
		outs[i] = name
		if i > 0 {
			outs[i] = b.fresh(fmt.Sprintf("%s.%d", op, i))
		}
	}
	node := onnx.NewNode(op, name, ins, outs, attrs...)
	results, err := onnx.InferNode(node, types, func(i int) *onnx.Tensor { return b.consts[ins[i]] })
	if err == nil {
		err = static(results, n)
	}
	if err != nil {
		b.Failf("%s of %s: %w", op, b.describe(in), err)
		return out
	}
	b.graph.Node = append(b.graph.Node, node)
	for i := range out {
		b.types[outs[i]] = results[i]
		out[i] = Value{outs[i]}
	}
	return out
}

// Extend returns output i of a node of this graph, and gives the node that output
// if it was made without: what an operator can tell besides its result, such as
// where MaxPool found its maxima.
func (b *Builder) Extend(n *onnx.Node, i int) Value {
	if b.err != nil {
		return Value{}
	}
	if i < len(n.Output) && n.Output[i] != "" {
		return Value{n.Output[i]}
	}
	types := make([]onnx.TensorType, len(n.Input))
	for j, name := range n.Input {
		types[j] = b.types[name]
	}
	results, err := onnx.InferNode(n, types, func(j int) *onnx.Tensor { return b.consts[n.Input[j]] })
	if err == nil {
		err = static(results, i+1)
	}
	if err != nil {
		b.Failf("output %d of %s (node %q): %w", i, n.GetOpType(), n.GetName(), err)
		return Value{}
	}
	for len(n.Output) <= i {
		n.Output = append(n.Output, "")
	}
	n.Output[i] = b.fresh(fmt.Sprintf("%s.%d", n.GetOpType(), i))
	b.types[n.Output[i]] = results[i]
	return Value{n.Output[i]}
}

// static refuses shapes that are only known when the graph runs.
func static(types []onnx.TensorType, n int) error {
	if len(types) < n {
		return fmt.Errorf("%d outputs wanted, the operator has %d", n, len(types))
	}
	for _, t := range types[:n] {
		if t.Shape == nil {
			return errors.New("the result's rank is not known")
		}
		for _, d := range t.Shape {
			if d < 0 {
				return fmt.Errorf("the result's shape %v is not static", t.Shape)
			}
		}
	}
	return nil
}

func (b *Builder) describe(in []Value) string {
	parts := make([]string, len(in))
	for i, v := range in {
		parts[i] = "none"
		if t, ok := b.types[v.name]; ok {
			parts[i] = fmt.Sprintf("%s%v", v.name, t.Shape)
		}
	}
	return strings.Join(parts, ", ")
}

// Model is the finished graph, or the first mistake.
func (b *Builder) Model() (*onnx.Model, error) {
	if b.err != nil {
		return nil, b.err
	}
	return &onnx.Model{
		IrVersion:    proto.Int64(irVersion),
		ProducerName: proto.String("perceive"),
		OpsetImport:  []*onnx.OperatorSet{{Domain: proto.String(""), Version: proto.Int64(Opset)}},
		Graph:        b.graph,
	}, nil
}
