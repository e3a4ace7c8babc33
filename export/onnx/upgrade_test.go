package onnx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
)

// model of one node on x [1,2,4,4] in an operator set.
func oneNode(version int64, n *onnx.Node, consts ...*onnx.Tensor) *onnx.Model {
	return &onnx.Model{IrVersion: proto.Int64(3), OpsetImport: []*onnx.OperatorSet{{Version: proto.Int64(version)}},
		Graph: &onnx.Graph{Name: proto.String("g"), Node: []*onnx.Node{n}, Initializer: consts,
			Input:  []*onnx.ValueInfo{onnx.NewValueInfo("x", onnx.Tensor_FLOAT, 1, 2, 4, 4)},
			Output: []*onnx.ValueInfo{onnx.NewValueInfo("y", onnx.Tensor_FLOAT)}}}
}

// Each old form, rewritten as the version tables of the operator specification say.
func TestUpgrade(t *testing.T) {
	node := func(op string, attrs ...*onnx.Attribute) *onnx.Node {
		return onnx.NewNode(op, "n", []string{"x"}, []string{"y"}, attrs...)
	}
	up := node("Upsample", onnx.String("mode", "nearest"))
	up.Input = append(up.Input, "scales")
	for _, tc := range []struct {
		name    string
		version int64
		node    *onnx.Node
		consts  []*onnx.Tensor
		op      string
		inputs  string // contents of the inputs after the first; "-" is absent
	}{
		{"squeeze", 11, node("Squeeze", onnx.Ints("axes", 0)), nil, "Squeeze", "[0]"},
		{"split", 11, node("Split", onnx.Ints("split", 1, 1), onnx.Int("axis", 1)), nil, "Split", "[1 1]"},
		{"slice without axes", 9, node("Slice", onnx.Ints("starts", 0, 1), onnx.Ints("ends", 1, 2)), nil, "Slice", "[0 1] [1 2]"},
		{"clip below", 10, node("Clip", onnx.Float("min", 0.5)), nil, "Clip", "[0.5]"},
		{"clip above", 10, node("Clip", onnx.Float("max", 6)), nil, "Clip", "- [6]"},
		{"pad", 10, node("Pad", onnx.Ints("pads", 0, 0, 1, 1, 0, 0, 1, 1), onnx.Float("value", 2)), nil, "Pad", "[0 0 1 1 0 0 1 1] [2]"},
		{"upsample", 9, up, []*onnx.Tensor{onnx.NewTensorFloat32("scales", []int64{4}, []float32{1, 1, 2, 2})}, "Resize", "- [1 1 2 2]"},
		{"dropout", 9, node("Dropout", onnx.Float("ratio", 0.5)), nil, "Identity", ""},
		{"today's form stays", 17, node("Relu"), nil, "Relu", ""},
		{"softmax of the last axis", 11, node("Softmax", onnx.Int("axis", 3)), nil, "Softmax", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := oneNode(tc.version, tc.node, tc.consts...)
			if err := onnx.Upgrade(m); err != nil {
				t.Fatal(err)
			}
			if err := onnx.Check(m); err != nil {
				t.Error(err)
			}
			n := m.GetGraph().GetNode()[0]
			var inputs []string
			for _, name := range n.GetInput()[1:] {
				inputs = append(inputs, content(t, m, name))
			}
			if got := strings.Join(inputs, " "); n.GetOpType() != tc.op || got != tc.inputs {
				t.Errorf("%s with %s, want %s with %s", n.GetOpType(), got, tc.op, tc.inputs)
			}
			if v := m.GetOpsetImport()[0].GetVersion(); v != 17 {
				t.Errorf("operator set %d", v)
			}
		})
	}
}

// Numbers that are attributes of a Constant are initializers like the others.
func TestUpgradeConstants(t *testing.T) {
	for _, a := range []*onnx.Attribute{onnx.Float("value_float", 6), {Name: proto.String("value_floats"), Type: onnx.Attribute_FLOATS.Enum(), Floats: []float32{6}}} {
		m := oneNode(12, onnx.NewNode("Clip", "n", []string{"x", "", "most"}, []string{"y"}))
		m.Graph.Node = append([]*onnx.Node{onnx.NewNode("Constant", "c", nil, []string{"most"}, a)}, m.Graph.Node...)
		if err := onnx.Upgrade(m); err != nil {
			t.Fatal(err)
		}
		if len(m.Graph.Node) != 1 || content(t, m, "most") != "[6]" {
			t.Errorf("%s: %d nodes, the constant is %s", a.GetName(), len(m.Graph.Node), content(t, m, "most"))
		}
	}
}

func content(t *testing.T, m *onnx.Model, name string) string {
	for _, c := range m.GetGraph().GetInitializer() {
		if c.GetName() != name {
			continue
		}
		if v, err := c.Int64s(); err == nil {
			return fmt.Sprint(v)
		}
		v, err := c.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(v)
	}
	return "-"
}

func TestUpgradeRefuses(t *testing.T) {
	free := oneNode(9, onnx.NewNode("Softmax", "n", []string{"x"}, []string{"y"}))
	free.Graph.Input[0] = onnx.NewValueInfo("x", onnx.Tensor_FLOAT, 1, 2, -1, -1)
	for name, m := range map[string]*onnx.Model{
		"operator set 6": oneNode(6, onnx.NewNode("Relu", "n", []string{"x"}, []string{"y"})),
		"several axes":   oneNode(9, onnx.NewNode("Softmax", "n", []string{"x"}, []string{"y"})),
		"axis 1 of 4":    free, // sizes that are not known may be more than one
		"spatial":        oneNode(8, onnx.NewNode("BatchNormalization", "n", []string{"x", "s", "b", "m", "v"}, []string{"y"}, onnx.Int("spatial", 0))),
		"1 inputs":       oneNode(9, onnx.NewNode("Upsample", "n", []string{"x"}, []string{"y"})),
	} {
		if err := onnx.Upgrade(m); !errors.Is(err, onnx.ErrUpgrade) || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one that says %q", err, name)
		}
	}
}
