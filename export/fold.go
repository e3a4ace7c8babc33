package export

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/hw/ort"
)

// Fold works out everything that depends on constants alone and stores the results as
// constants. ONNX Runtime computes them, unoptimised, so that folding gives what
// running would have given.
func Fold(ctx context.Context, rt *ort.Runtime) Pass {
	return func(m *onnx.Model) error {
		sub, results, err := constantPart(m)
		if err != nil || len(results) == 0 {
			return err
		}
		tensors, err := evaluate(ctx, rt, sub, results)
		if err != nil {
			return fmt.Errorf("export: folding constants: %w", err)
		}
		g := m.GetGraph()
		folded := map[string]bool{}
		for _, t := range tensors {
			folded[t.GetName()] = true
		}
		// What made the results goes; Prune takes what only they needed.
		g.Node = slices.DeleteFunc(g.GetNode(), func(n *onnx.Node) bool {
			return len(n.GetOutput()) == 1 && folded[n.GetOutput()[0]]
		})
		g.Initializer = append(g.Initializer, tensors...)
		return nil
	}
}

// constantPart is the graph of all nodes that see only constants. Its outputs are
// those of their results that other nodes, or the model's outputs, read.
func constantPart(m *onnx.Model) (*onnx.Model, []string, error) {
	g := m.GetGraph()
	types, err := onnx.InferShapes(m)
	if err != nil {
		return nil, nil, fmt.Errorf("export: %w", err)
	}
	constant := map[string]bool{"": true}
	for _, t := range g.GetInitializer() {
		constant[t.GetName()] = true
	}
	var nodes []*onnx.Node
	made, read := map[string]bool{}, map[string]bool{}
	for _, n := range g.GetNode() {
		single := len(n.GetOutput()) == 1 && types[n.GetOutput()[0]].Static()
		if single && !slices.ContainsFunc(n.GetInput(), func(s string) bool { return !constant[s] }) {
			nodes = append(nodes, n)
			constant[n.GetOutput()[0]], made[n.GetOutput()[0]] = true, true
			continue
		}
		for _, in := range n.GetInput() {
			read[in] = true
		}
	}
	for _, out := range g.GetOutput() {
		read[out.GetName()] = true
	}
	sub := &onnx.Model{IrVersion: m.IrVersion, OpsetImport: m.OpsetImport, Graph: &onnx.Graph{
		Name: proto.String("constants"), Node: nodes, Initializer: g.GetInitializer(),
		// A session wants an input; nothing reads this one.
		Input: []*onnx.ValueInfo{onnx.NewValueInfo(unread, onnx.Tensor_FLOAT, 1)},
	}}
	var results []string
	for _, n := range nodes {
		name := n.GetOutput()[0]
		if made[name] && read[name] {
			results = append(results, name)
			t := types[name]
			sub.Graph.Output = append(sub.Graph.Output, onnx.NewValueInfo(name, t.Elem, t.Shape...))
		}
	}
	return sub, results, nil
}

const unread = "perceive/unread"

// evaluate runs a graph of constants.
func evaluate(ctx context.Context, rt *ort.Runtime, sub *onnx.Model, names []string) ([]*onnx.Tensor, error) {
	text, err := onnx.Marshal(sub)
	if err != nil {
		return nil, err
	}
	s, err := rt.NewSession(text, ort.Options{Optimize: ort.OptimizeNone, Threads: 1})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	in, err := ort.NewTensor(ort.Float32, 1)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var out []*ort.Tensor
	for i, spec := range s.Outputs() {
		shape := spec.Shape
		if len(shape) == 0 {
			return nil, fmt.Errorf("constant %q is a scalar: write it as [1]", names[i])
		}
		t, err := ort.NewTensor(spec.Type, shape...)
		if err != nil {
			return nil, err
		}
		defer t.Close()
		out = append(out, t)
	}
	if err := s.Run(ctx, []*ort.Tensor{in}, out); err != nil {
		return nil, err
	}
	var tensors []*onnx.Tensor
	for i, t := range out {
		raw := append([]byte(nil), t.Bytes()...)
		tensors = append(tensors, onnx.NewTensorRaw(names[i], onnx.Tensor_DataType(t.Type()), t.Shape(), raw))
	}
	return tensors, nil
}
