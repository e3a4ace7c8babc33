package export

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
)

// Batch is the pass that sets how many inputs a model takes at once: the first dimension
// of all its inputs and outputs, -1 leaves it free. What the network does to one input
// must not depend on the others, and a Reshape must name the batch first, or it is
// refused.
func Batch(n int64) Pass {
	return func(m *onnx.Model) error {
		types, err := onnx.InferShapes(m)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		g := m.GetGraph()
		if n == 0 || n < -1 || len(g.GetInput()) == 0 || len(g.GetInput()[0].TensorType().Shape) == 0 {
			return fmt.Errorf("export: a batch of %d for inputs %v", n, g.GetInput())
		}
		old := g.GetInput()[0].TensorType().Shape[0]
		for _, in := range g.GetInput() {
			if s := in.TensorType().Shape; len(s) == 0 || s[0] != old {
				return fmt.Errorf("export: input %q has shape %v, another one a batch of %d", in.GetName(), s, old)
			}
		}
		v := look(g)
		for _, node := range g.GetNode() {
			if node.GetOpType() == "Reshape" && node.GetDomain() == "" && node.AttrInt("allowzero", 0) == 0 {
				v.followBatch(node, types, old)
			}
		}
		for _, list := range [][]*onnx.ValueInfo{g.GetInput(), g.GetOutput()} {
			for i, info := range list {
				t := info.TensorType()
				if len(t.Shape) == 0 || t.Shape[0] != old {
					return fmt.Errorf("export: %q has shape %v: its first dimension is no batch of %d", info.GetName(), t.Shape, old)
				}
				shape := slices.Clone(t.Shape)
				shape[0] = n
				list[i] = onnx.NewValueInfo(info.GetName(), t.Elem, shape...)
			}
		}
		g.ValueInfo = nil
		if types, err = onnx.InferShapes(m); err != nil {
			return fmt.Errorf("export: a batch of %d: %w", n, err)
		}
		for _, out := range g.GetOutput() {
			if got := types[out.GetName()].Shape; !slices.Equal(got, out.TensorType().Shape) {
				return fmt.Errorf("export: a batch of %d: output %q would have shape %v", n, out.GetName(), got)
			}
		}
		return nil
	}
}

// followBatch lets a Reshape that repeats its input's batch as a number take over
// whatever it is.
func (v view) followBatch(n *onnx.Node, types onnx.Types, old int64) {
	if len(n.GetInput()) != 2 {
		return
	}
	in := types[n.GetInput()[0]].Shape
	to, err := v.constants[n.GetInput()[1]].Int64s()
	if err != nil || len(in) == 0 || len(to) == 0 || in[0] != old || to[0] != old || old < 0 {
		return
	}
	to[0] = 0 // the operator's word for "as it is in the input"
	name := n.GetOutput()[0] + ":shape"
	v.graph.Initializer = append(v.graph.Initializer, onnx.NewTensorInt64(name, []int64{int64(len(to))}, to))
	n.Input[1] = name
}
