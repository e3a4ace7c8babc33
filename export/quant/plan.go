package quant

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
)

// plan is which operators of a graph compute with integers, and which values are
// quantised for it.
type plan struct {
	graph     *onnx.Graph
	target    Target
	types     onnx.Types
	constants map[string]*onnx.Tensor
	maker     map[string]*onnx.Node
	readers   map[string][]*onnx.Node
	output    map[string]bool
	// integer are the operators in integers. Their activation function belongs to them.
	integer map[*onnx.Node]bool
	// values are quantised, in order of the graph; given are those that the graph holds
	// in integers already.
	values []string
	given  map[string]params
}

// newPlan leaves in float: what no integer kernel exists for; the layers of float; and
// layers whose result only such operators read, because eight bits of a logit are
// eight bits of the answer, and the kernel would have to give float anyway.
func newPlan(m *onnx.Model, t Target, float map[string]bool) (*plan, error) {
	types, err := onnx.InferShapes(m)
	if err != nil {
		return nil, fmt.Errorf("quant: %w", err)
	}
	g := m.GetGraph()
	p := &plan{graph: g, target: t, types: types, constants: map[string]*onnx.Tensor{}, maker: map[string]*onnx.Node{},
		readers: map[string][]*onnx.Node{}, output: map[string]bool{}, integer: map[*onnx.Node]bool{}, given: map[string]params{}}
	for _, c := range g.GetInitializer() {
		p.constants[c.GetName()] = c
	}
	for _, out := range g.GetOutput() {
		p.output[out.GetName()] = true
	}
	for _, n := range g.GetNode() {
		for _, out := range n.GetOutput() {
			p.maker[out] = n
		}
		for _, in := range n.GetInput() {
			p.readers[in] = append(p.readers[in], n)
		}
	}
	able := map[*onnx.Node]bool{}
	for _, n := range g.GetNode() {
		able[n] = p.able(n)
		if have, ok := p.dequantized(n); ok {
			p.given[n.GetOutput()[0]] = have
		}
	}
	for n, ok := range able {
		last := !slices.ContainsFunc(p.readers[p.end(n)], func(r *onnx.Node) bool { return able[r] })
		if ok && !last && !float[n.GetOutput()[0]] {
			p.integer[n] = true
		}
	}
	p.settle()
	p.collect()
	return p, nil
}

// settle leaves operators without weights in float whose inputs all come from float: to
// quantise for their sake costs time and digits.
func (p *plan) settle() {
	made := map[string]bool{}
	for v := range p.given {
		made[v] = true
	}
	for n := range p.integer {
		made[p.end(n)] = true
	}
	for _, n := range p.graph.GetNode() { // in order, so that one pass is enough
		if p.integer[n] && n.GetOpType() != "Conv" && !slices.ContainsFunc(p.activations(n), func(v string) bool { return made[v] }) {
			delete(p.integer, n)
			delete(made, p.end(n))
		}
	}
}

// able reports whether there is an integer kernel for a node, with float values around it
// and a result that the vehicle does not read.
func (p *plan) able(n *onnx.Node) bool {
	if n.GetDomain() != "" || len(n.GetInput()) == 0 || len(n.GetOutput()) != 1 || p.output[p.end(n)] {
		return false
	}
	variable := func(s string) bool { return p.constants[s] == nil && p.types[s].Elem == onnx.Tensor_FLOAT }
	in := n.GetInput()
	switch n.GetOpType() {
	case "Conv":
		constant := func(s string) bool { return p.constants[s] != nil }
		return variable(in[0]) && constant(in[1]) && (len(in) < 3 || in[2] == "" || constant(in[2]))
	case "Add", "Concat":
		return len(in) > 1 && !slices.ContainsFunc(in, func(s string) bool { return !variable(s) })
	case "Resize":
		return n.AttrString("mode", "nearest") == "nearest" && variable(in[0])
	case "MaxPool", "GlobalAveragePool":
		return variable(in[0])
	}
	return false
}

// end is the value that leaves a node: behind the rectifier that it is fused with, if
// nothing else reads what is in front of that.
func (p *plan) end(n *onnx.Node) string {
	out := n.GetOutput()[0]
	if r := p.readers[out]; len(r) == 1 && !p.output[out] && (n.GetOpType() == "Conv" || n.GetOpType() == "Add") && p.rectifier(r[0]) {
		return r[0].GetOutput()[0]
	}
	return out
}

// rectifier reports whether a node is Relu, or Clip from zero on.
func (p *plan) rectifier(n *onnx.Node) bool {
	if n.GetOpType() == "Clip" && len(n.GetInput()) > 1 {
		low, err := p.constants[n.GetInput()[1]].Float32s()
		return err == nil && len(low) == 1 && low[0] == 0
	}
	return n.GetOpType() == "Relu"
}

// collect lists the values that integer operators read and make.
func (p *plan) collect() {
	want := map[string]bool{}
	for n := range p.integer {
		for _, in := range p.activations(n) {
			want[in] = true
		}
		want[p.end(n)] = true
	}
	for _, n := range p.graph.GetNode() {
		for _, out := range n.GetOutput() {
			if want[out] && !p.fused(out) {
				p.values = append(p.values, out)
			}
		}
	}
}

// activations are the inputs of an integer operator that are neither weights nor
// settings.
func (p *plan) activations(n *onnx.Node) []string {
	if op := n.GetOpType(); op == "Add" || op == "Concat" {
		return n.GetInput()
	}
	return n.GetInput()[:1]
}

// fused reports whether a value stays in float inside one of TensorRT's kernels: from a
// convolution straight into a sum.
func (p *plan) fused(v string) bool {
	n, r := p.maker[v], p.readers[v]
	return p.target == TensorRT && n.GetOpType() == "Conv" && len(r) == 1 && r[0].GetOpType() == "Add"
}

// source is the value whose range another one has because it only moves or selects
// numbers: kernels that do so keep the integers as they are.
func (p *plan) source(v string) string {
	for {
		n := p.maker[v]
		if !p.integer[n] || n.GetOpType() != "Resize" && n.GetOpType() != "MaxPool" {
			return v
		}
		v = n.GetInput()[0]
	}
}

// dequantized are the parameters of a value that a DequantizeLinear makes.
func (p *plan) dequantized(n *onnx.Node) (params, bool) {
	if n.GetOpType() != "DequantizeLinear" || len(n.GetInput()) != 3 {
		return params{}, false
	}
	scale, err := p.constants[n.GetInput()[1]].Float32s()
	zero := p.constants[n.GetInput()[2]]
	if err != nil || len(scale) != 1 || zero.GetDataType() != int32(onnx.Tensor_UINT8) || len(zero.GetRawData()) != 1 {
		return params{}, false
	}
	return params{scale[0], int(zero.GetRawData()[0]), onnx.Tensor_UINT8}, true
}
