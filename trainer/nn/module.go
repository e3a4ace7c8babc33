// Package nn holds the layers and the networks.
//
// A network is one function that adds nodes to a graph. It is called once for
// training and once for the vehicle, and asks for its parameters by name; where a
// parameter comes from is the caller's business: a slice of one long vector
// while training, a weight of the file when deployed.
package nn

import (
	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Module is a graph under construction with access to parameters.
type Module struct {
	*graph.Builder
	// layout collects (first call of the network) or tells (later calls) where
	// each parameter and weight lies.
	layout *Layout
	// values are the parameters cut from their vector, weights what was made of them
	// elsewhere. With neither, each parameter is a graph input of its own name.
	values, weights map[string]graph.Value
}

// Declare is a Module whose parameters become graph inputs, collected in a new
// Layout as the network asks for them.
func Declare(b *graph.Builder) (Module, *Layout) {
	l := &Layout{}
	return Module{Builder: b, layout: l}, l
}

// Bind is a Module whose parameters are cut from vector, float32 [layout.Size].
func Bind(b *graph.Builder, l *Layout, vector graph.Value) Module {
	m := Module{Builder: b, layout: l, values: map[string]graph.Value{}}
	sizes := make([]int64, len(l.Params))
	for i, p := range l.Params {
		sizes[i] = p.Size
	}
	b.Scope("params", func() {
		for i, part := range b.Split(vector, 0, sizes...) {
			m.values[l.Params[i].Name] = b.Reshape(part, l.Params[i].Shape...)
		}
	})
	return m
}

// DeclareWeights is a Module whose weights, as Layout.Weights makes them, are graph inputs
// of their own names, which are also returned.
func DeclareWeights(b *graph.Builder, l *Layout) (Module, map[string]graph.Value) {
	m := Module{Builder: b, layout: l, weights: map[string]graph.Value{}}
	for _, w := range l.weights {
		m.weights[w.name] = b.Input(w.name, onnx.Tensor_FLOAT, w.shape...)
	}
	return m, m.weights
}

// Param is the parameter of p's name, p.Shape and initial values.
func (m Module) Param(p Param) graph.Value {
	if m.weights != nil {
		return m.find(m.weights, p.Name)
	}
	v := m.param(p)
	m.collect(weight{name: p.Name, shape: p.Shape, from: []string{p.Name}})
	return v
}

// Derived is what a recipe makes of parameters. It is worked out once a training step, not
// once a pass, and disappears when the weights are frozen.
func (m Module) Derived(name string, from []Param, recipe Recipe) graph.Value {
	if m.weights != nil {
		return m.find(m.weights, name)
	}
	w := weight{name: name, recipe: recipe}
	params := make([]graph.Value, len(from))
	for i, p := range from {
		params[i] = m.param(p)
		w.from = append(w.from, p.Name)
	}
	var v graph.Value
	m.Scope(name, func() { v = recipe(m, params) })
	w.shape = m.Shape(v)
	m.collect(w)
	return v
}

// collect lists a weight while the layout is made.
func (m Module) collect(w weight) {
	if m.values != nil || m.Err() != nil {
		return
	}
	m.layout.weights = append(m.layout.weights, w)
}

func (m Module) param(p Param) graph.Value {
	if m.values != nil {
		return m.find(m.values, p.Name)
	}
	p.Size, p.Offset = product(p.Shape), m.layout.Size
	m.layout.Params = append(m.layout.Params, p)
	m.layout.Size += p.Size
	return m.Input(p.Name, onnx.Tensor_FLOAT, p.Shape...)
}

func (m Module) find(in map[string]graph.Value, name string) graph.Value {
	v, ok := in[name]
	if !ok {
		m.Failf("%q is not in the layout", name)
	}
	return v
}

func product(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}
