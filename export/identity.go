package export

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
)

// Identities turns operators that change nothing into Identity nodes, which Prune takes
// out: Dropout outside of training, casts to the type that is there, layouts that are
// there, sums with 0 and products with 1, a Concat of one.
func Identities(m *onnx.Model) error {
	types, err := onnx.InferShapes(m)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	v := look(m.GetGraph())
	for _, n := range m.GetGraph().GetNode() {
		if x := v.unchanged(n, types); x != "" {
			op := "Identity"
			n.OpType, n.Input, n.Output, n.Attribute = &op, []string{x}, n.Output[:1], nil
		}
	}
	return nil
}

// unchanged is the input that a node gives on as it is, or nothing.
func (v view) unchanged(n *onnx.Node, types onnx.Types) string {
	in, out := n.GetInput(), n.GetOutput()
	if n.GetDomain() != "" || len(in) == 0 || len(out) == 0 || slices.ContainsFunc(out[1:], func(s string) bool { return v.reads[s] > 0 }) {
		return ""
	}
	same := func(x string) bool {
		a, b := types[x], types[out[0]]
		return a.Elem == b.Elem && a.Elem != onnx.Tensor_UNDEFINED && a.Static() && slices.Equal(a.Shape, b.Shape)
	}
	all := func(x string, want float32) bool {
		w, err := v.constants[x].Float32s()
		return err == nil && !slices.ContainsFunc(w, func(y float32) bool { return y != want })
	}
	ok := false
	switch op := n.GetOpType(); op {
	case "Dropout":
		ok = len(in) < 3 || in[2] == "" // the third input switches training on
	case "Cast":
		ok = types[in[0]].Elem == onnx.Tensor_DataType(n.AttrInt("to", 0))
	case "Transpose":
		perm := n.AttrInts("perm")
		ok = perm != nil && slices.IsSorted(perm)
	case "Reshape", "Flatten", "Expand", "Squeeze", "Unsqueeze":
		ok = same(in[0])
	case "Concat":
		ok = len(in) == 1
	case "Add", "Sub", "Mul", "Div":
		neutral := float32(0)
		if op == "Mul" || op == "Div" {
			neutral = 1
		}
		switch {
		case len(in) != 2:
		case all(in[1], neutral) && same(in[0]):
			return in[0]
		case (op == "Add" || op == "Mul") && all(in[0], neutral) && same(in[1]):
			return in[1]
		}
	}
	if !ok {
		return ""
	}
	return in[0]
}
