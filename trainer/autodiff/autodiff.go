// Package autodiff is reverse-mode differentiation of ONNX graphs: given a scalar
// value and the values to differentiate with respect to, it adds to the same graph
// the nodes that compute the gradients, in the standard operator set.
//
// It works on ONNX nodes and not on a tape of its own, so a graph that came out
// of another tool is differentiated like one that was built here.
package autodiff

import (
	"errors"
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// ErrNoRule reports an operator that cannot be differentiated. Replace the node
// by operators that can (see Supported), or stop the gradient before it.
var ErrNoRule = errors.New("autodiff: no gradient rule")

// Gradients adds ∂loss/∂v for every v in wrt to the graph and returns them in
// order, each with the shape of its v. The loss has one element. A v that the loss
// does not depend on has a gradient of zeros. The gradient of value x is named
// "grad/x…".
//
// The values in stop count as constants: no gradient flows through them.
//
// Mistakes stick to the builder, like every other mistake of building.
func Gradients(b *graph.Builder, loss graph.Value, wrt []graph.Value, stop ...graph.Value) []graph.Value {
	if n := b.Size(loss); b.Err() == nil && n != 1 {
		b.Failf("the loss %s has %d elements, want 1", loss.Name(), n)
	}
	if b.Err() != nil {
		return make([]graph.Value, len(wrt))
	}
	return Pullback(b, []graph.Value{loss}, []graph.Value{ones(b, loss)}, wrt, stop...)
}

// Pullback is Gradients of several values at once, each with the gradient that reaches it
// from elsewhere, of its own shape: the vector–Jacobian product.
func Pullback(b *graph.Builder, of, seeds, wrt []graph.Value, stop ...graph.Value) []graph.Value {
	if b.Err() != nil {
		return make([]graph.Value, len(wrt))
	}
	t := tape{b: b, nodes: slices.Clone(b.Nodes()), grads: map[string]graph.Value{}}
	t.mark(of, wrt, stop)
	b.Scope("grad", func() {
		for i, v := range of {
			t.grads[v.Name()] = seeds[i]
		}
		for _, n := range slices.Backward(t.nodes) {
			t.back(n)
		}
	})
	out := make([]graph.Value, len(wrt))
	for i, v := range wrt {
		g, ok := t.grads[v.Name()]
		if !ok {
			g = b.Float32(make([]float32, b.Size(v)), b.Shape(v)...)
		}
		out[i] = g
	}
	return out
}

// tape is one walk over the graph.
type tape struct {
	b     *graph.Builder
	nodes []*onnx.Node
	// useful values depend on a requested input, included ones feed the loss.
	// A gradient is worth computing where both hold.
	useful, included map[string]bool
	grads            map[string]graph.Value
}

func (t *tape) mark(of, wrt, stop []graph.Value) {
	t.useful, t.included = map[string]bool{}, map[string]bool{}
	for _, v := range of {
		t.included[v.Name()] = true
	}
	for _, v := range wrt {
		t.useful[v.Name()] = true
	}
	for _, n := range t.nodes {
		if slices.ContainsFunc(n.Input, func(s string) bool { return t.useful[s] }) {
			for _, o := range n.Output {
				t.useful[o] = !slices.Contains(stop, graph.Named(o))
			}
		}
	}
	for _, n := range slices.Backward(t.nodes) {
		if slices.ContainsFunc(n.Output, func(s string) bool { return t.included[s] }) {
			for _, i := range n.Input {
				t.included[i] = true
			}
		}
	}
}

// needs reports whether the gradient of a value is worth computing.
func (t *tape) needs(name string) bool { return name != "" && t.useful[name] && t.included[name] }

// back passes the gradients of a node's outputs on to its inputs.
func (t *tape) back(n *onnx.Node) {
	if t.b.Err() != nil || !slices.ContainsFunc(n.Input, t.needs) {
		return
	}
	if !slices.ContainsFunc(n.Output, func(o string) bool { _, ok := t.grads[o]; return ok }) {
		return
	}
	s := step{Builder: t.b, node: n, tape: t}
	for _, name := range n.Input {
		s.in = append(s.in, graph.Named(name))
	}
	for _, name := range n.Output {
		s.out = append(s.out, graph.Named(name))
		s.grad = append(s.grad, t.grads[name])
	}
	entry, ok := rules[n.GetOpType()]
	switch {
	case n.GetDomain() != "":
		t.b.Failf("%w for %s of domain %q (node %q): only the standard operator set is differentiated", ErrNoRule, n.GetOpType(), n.GetDomain(), n.GetName())
		return
	case !ok:
		t.b.Failf("%w for %s (node %q): replace it by operators that have one, or stop the gradient before it", ErrNoRule, n.GetOpType(), n.GetName())
		return
	case entry.forbidden != "":
		t.b.Failf("%w for %s (node %q): %s", ErrNoRule, n.GetOpType(), n.GetName(), entry.forbidden)
		return
	case entry.rule == nil:
		return // the derivative is zero wherever it exists
	}
	for i, g := range entry.rule(s) {
		switch needed := t.needs(n.Input[i]); {
		case needed && !g.IsZero():
			t.add(n, n.Input[i], g)
		case needed && t.b.Err() == nil && t.b.Elem(s.in[i]) == onnx.Tensor_FLOAT:
			t.b.Failf("%w for input %d (%s) of %s (node %q): make it a constant, or stop the gradient before it", ErrNoRule, i, n.Input[i], n.GetOpType(), n.GetName())
		}
	}
}

// add accumulates a gradient, undoing broadcasting first.
func (t *tape) add(n *onnx.Node, name string, g graph.Value) {
	g = unbroadcast(t.b, g, t.b.Shape(graph.Named(name)))
	if t.b.Err() == nil && !slices.Equal(t.b.Shape(g), t.b.Shape(graph.Named(name))) {
		t.b.Failf("the gradient of %s through %s (node %q) has shape %v, want %v",
			name, n.GetOpType(), n.GetName(), t.b.Shape(g), t.b.Shape(graph.Named(name)))
		return
	}
	if sum, ok := t.grads[name]; ok {
		g = t.b.Add(sum, g)
	}
	t.grads[name] = g
}

// unbroadcast sums g over the axes along which a value of the given shape was
// repeated to g's shape: the transpose of broadcasting.
func unbroadcast(b *graph.Builder, g graph.Value, shape []int64) graph.Value {
	have := b.Shape(g)
	lead := len(have) - len(shape)
	if lead < 0 || slices.Equal(have, shape) {
		return g
	}
	var axes []int64
	for i, d := range have {
		if i < lead || (shape[i-lead] == 1 && d != 1) {
			axes = append(axes, int64(i))
		}
	}
	if len(axes) > 0 {
		g = b.ReduceSum(g, axes...)
	}
	return b.Reshape(g, shape...)
}

func ones(b *graph.Builder, like graph.Value) graph.Value {
	return b.Float32([]float32{1}, b.Shape(like)...)
}

// step is one node on the way back: what a rule sees.
type step struct {
	*graph.Builder
	node *onnx.Node
	tape *tape
	// in and out are the node's values; grad the gradients of the outputs, zero
	// Values where the loss does not depend on an output.
	in, out, grad []graph.Value
}

// needs reports whether the gradient of input i is wanted, for rules where it is dear.
func (s step) needs(i int) bool { return i < len(s.in) && s.tape.needs(s.in[i].Name()) }
