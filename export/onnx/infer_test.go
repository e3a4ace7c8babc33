package onnx_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"perceive/export/onnx"
)

// The expected shapes were worked out by hand from the operator specification, and
// those of Conv, pooling, Slice and Reshape compared with onnx.shape_inference of
// python3-onnx 1.12.
func TestInferNode(t *testing.T) {
	ints := func(v ...int64) any { return v }
	type c struct {
		op   string
		in   []any // []int64 a shape, string "const:" is given by consts
		attr []*onnx.Attribute
		want [][]int64 // nil: an error
		n    int       // outputs, 0 means 1
	}
	type k []int64 // a constant vector
	var none any
	for _, tc := range []c{
		{op: "Relu", in: []any{ints(2, 3)}, want: [][]int64{{2, 3}}},
		{op: "Add", in: []any{ints(2, 1, 4), ints(3, 1)}, want: [][]int64{{2, 3, 4}}},
		{op: "Add", in: []any{ints(-1, 4), ints(1)}, want: [][]int64{{-1, 4}}},
		{op: "Add", in: []any{ints(2), ints(3)}},
		{op: "MatMul", in: []any{ints(5, 2, 3), ints(3, 4)}, want: [][]int64{{5, 2, 4}}},
		{op: "MatMul", in: []any{ints(3), ints(3, 4)}, want: [][]int64{{4}}},
		{op: "MatMul", in: []any{ints(2, 3), ints(2, 3)}},
		{op: "Gemm", in: []any{ints(3, 2), ints(4, 3)}, attr: []*onnx.Attribute{onnx.Int("transA", 1), onnx.Int("transB", 1)}, want: [][]int64{{2, 4}}},
		{op: "Conv", in: []any{ints(1, 3, 9, 7), ints(8, 3, 3, 3)}, attr: []*onnx.Attribute{onnx.Ints("strides", 2, 2), onnx.Ints("pads", 1, 1, 1, 1)}, want: [][]int64{{1, 8, 5, 4}}},
		{op: "Conv", in: []any{ints(1, 4, 8, 8), ints(8, 1, 3, 3)}, attr: []*onnx.Attribute{onnx.Int("group", 4), onnx.Ints("dilations", 2, 2)}, want: [][]int64{{1, 8, 4, 4}}},
		{op: "Conv", in: []any{ints(1, 3, 9, 9), ints(8, 3, 3, 3)}, attr: []*onnx.Attribute{onnx.String("auto_pad", "SAME_UPPER"), onnx.Ints("strides", 2, 2)}, want: [][]int64{{1, 8, 5, 5}}},
		{op: "Conv", in: []any{ints(1, 3, 9, 9), ints(8, 4, 3, 3)}},
		{op: "Conv", in: []any{ints(1, 3, 2, 2), ints(8, 3, 3, 3)}},
		{op: "ConvTranspose", in: []any{ints(1, 3, 5, 4), ints(3, 6, 3, 3)}, attr: []*onnx.Attribute{onnx.Ints("strides", 2, 2), onnx.Ints("pads", 1, 1, 1, 1), onnx.Ints("output_padding", 1, 0)}, want: [][]int64{{1, 6, 10, 7}}},
		{op: "MaxPool", in: []any{ints(1, 2, 7, 7)}, attr: []*onnx.Attribute{onnx.Ints("kernel_shape", 3, 3), onnx.Ints("strides", 2, 2)}, want: [][]int64{{1, 2, 3, 3}}},
		{op: "MaxPool", in: []any{ints(1, 2, 8, 8)}, attr: []*onnx.Attribute{onnx.Ints("kernel_shape", 3, 3), onnx.Ints("strides", 2, 2), onnx.Int("ceil_mode", 1)}, want: [][]int64{{1, 2, 4, 4}}},
		{op: "GlobalAveragePool", in: []any{ints(1, 2, 8, 8)}, want: [][]int64{{1, 2, 1, 1}}},
		{op: "SpaceToDepth", in: []any{ints(1, 3, 8, 4)}, attr: []*onnx.Attribute{onnx.Int("blocksize", 4)}, want: [][]int64{{1, 48, 2, 1}}},
		{op: "SpaceToDepth", in: []any{ints(1, 3, 7, 4)}, attr: []*onnx.Attribute{onnx.Int("blocksize", 4)}},
		{op: "DepthToSpace", in: []any{ints(1, 48, 2, 1)}, attr: []*onnx.Attribute{onnx.Int("blocksize", 4)}, want: [][]int64{{1, 3, 8, 4}}},
		{op: "Reshape", in: []any{ints(2, 3, 4), k{0, -1}}, want: [][]int64{{2, 12}}},
		{op: "Reshape", in: []any{ints(2, 3, 4), k{5, -1}}},
		{op: "Reshape", in: []any{ints(2, 3, 4), k{2, 3}}},
		{op: "Flatten", in: []any{ints(2, 3, 4)}, want: [][]int64{{2, 12}}},
		{op: "Squeeze", in: []any{ints(1, 3, 1), k{-1}}, want: [][]int64{{1, 3}}},
		{op: "Squeeze", in: []any{ints(1, 3, 1)}, want: [][]int64{{3}}},
		{op: "Squeeze", in: []any{ints(1, 3), k{1}}},
		{op: "Unsqueeze", in: []any{ints(3), k{0, 2}}, want: [][]int64{{1, 3, 1}}},
		{op: "Unsqueeze", in: []any{ints(3)}, attr: []*onnx.Attribute{onnx.Ints("axes", 1)}, want: [][]int64{{3, 1}}},
		{op: "Transpose", in: []any{ints(2, 3, 4)}, attr: []*onnx.Attribute{onnx.Ints("perm", 2, 0, 1)}, want: [][]int64{{4, 2, 3}}},
		{op: "Transpose", in: []any{ints(2, 3)}, want: [][]int64{{3, 2}}},
		{op: "Transpose", in: []any{ints(2, 3)}, attr: []*onnx.Attribute{onnx.Ints("perm", 0, 0)}},
		{op: "Concat", in: []any{ints(2, 3), ints(2, 5)}, attr: []*onnx.Attribute{onnx.Int("axis", -1)}, want: [][]int64{{2, 8}}},
		{op: "Concat", in: []any{ints(2, 3), ints(3, 5)}, attr: []*onnx.Attribute{onnx.Int("axis", 1)}},
		{op: "Split", in: []any{ints(6, 2), k{1, 5}}, n: 2, want: [][]int64{{1, 2}, {5, 2}}},
		{op: "Split", in: []any{ints(6, 2)}, n: 3, want: [][]int64{{2, 2}, {2, 2}, {2, 2}}},
		{op: "Split", in: []any{ints(6, 2), k{1, 4}}, n: 2},
		{op: "Slice", in: []any{ints(10, 4), k{1}, k{-1}, k{0}, k{2}}, want: [][]int64{{4, 4}}},
		{op: "Slice", in: []any{ints(10), k{-1}, k{-11}, k{0}, k{-1}}, want: [][]int64{{10}}},
		{op: "Slice", in: []any{ints(10), k{8}, k{2}, k{0}, k{-3}}, want: [][]int64{{2}}},
		{op: "Slice", in: []any{ints(10), k{5}, k{2}, k{0}, k{1}}, want: [][]int64{{0}}},
		{op: "Slice", in: []any{ints(10), k{0}, k{1 << 62}}, want: [][]int64{{10}}},
		{op: "Pad", in: []any{ints(2, 3), k{0, 1, 0, 2}}, want: [][]int64{{2, 6}}},
		{op: "Pad", in: []any{ints(2, 3), k{0, 1}}},
		{op: "Expand", in: []any{ints(3, 1), k{2, 1, 4}}, want: [][]int64{{2, 3, 4}}},
		{op: "Tile", in: []any{ints(3, 1), k{2, 4}}, want: [][]int64{{6, 4}}},
		{op: "Gather", in: []any{ints(5, 6), ints(2, 3)}, attr: []*onnx.Attribute{onnx.Int("axis", 1)}, want: [][]int64{{5, 2, 3}}},
		{op: "Shape", in: []any{ints(5, 6)}, want: [][]int64{{2}}},
		{op: "ReduceSum", in: []any{ints(2, 3, 4), k{-1, 0}}, attr: []*onnx.Attribute{onnx.Int("keepdims", 0)}, want: [][]int64{{3}}},
		{op: "ReduceMean", in: []any{ints(2, 3, 4)}, attr: []*onnx.Attribute{onnx.Ints("axes", 1)}, want: [][]int64{{2, 1, 4}}},
		{op: "ReduceSum", in: []any{ints(2, 3), k{2}}},
		{op: "ArgMax", in: []any{ints(2, 3)}, attr: []*onnx.Attribute{onnx.Int("axis", 1), onnx.Int("keepdims", 0)}, want: [][]int64{{2}}},
		{op: "BatchNormalization", in: []any{ints(2, 3, 4), ints(3), ints(3), ints(3), ints(3)}, want: [][]int64{{2, 3, 4}}},
		{op: "BatchNormalization", in: []any{ints(2, 3, 4), ints(3), ints(3), ints(3), ints(3)}, n: 3, attr: []*onnx.Attribute{onnx.Int("training_mode", 1)}, want: [][]int64{{2, 3, 4}, {3}, {3}}},
		{op: "LayerNormalization", in: []any{ints(2, 3, 4), ints(3, 4)}, n: 3, attr: []*onnx.Attribute{onnx.Int("axis", 1)}, want: [][]int64{{2, 3, 4}, {2, 1, 1}, {2, 1, 1}}},
		{op: "LayerNormalization", in: []any{ints(2, 3), ints(3)}, attr: []*onnx.Attribute{onnx.Int("axis", 2)}},
		{op: "Xor", in: []any{ints(2, 3), ints(3)}, want: [][]int64{{2, 3}}},
		{op: "Resize", in: []any{ints(1, 2, 3, 5), none, none, k{1, 2, 6, 10}}, want: [][]int64{{1, 2, 6, 10}}},
		{op: "Relu"},
		{op: "Frobnicate", in: []any{ints(1)}},
	} {
		t.Run(tc.op, func(t *testing.T) {
			types, names, consts := []onnx.TensorType{}, []string{}, map[int]*onnx.Tensor{}
			for i, in := range tc.in {
				names = append(names, strings.Repeat("i", i+1))
				switch v := in.(type) {
				case []int64:
					types = append(types, onnx.TensorType{Elem: onnx.Tensor_FLOAT, Shape: v})
				case k:
					consts[i] = onnx.NewTensorInt64("", []int64{int64(len(v))}, v)
					types = append(types, consts[i].Type())
				default:
					names[i] = ""
					types = append(types, onnx.TensorType{})
				}
			}
			outs := make([]string, max(1, tc.n))
			for i := range outs {
				outs[i] = strings.Repeat("o", i+1)
			}
			got, err := onnx.InferNode(onnx.NewNode(tc.op, "n", names, outs, tc.attr...), types, func(i int) *onnx.Tensor { return consts[i] })
			if tc.want == nil {
				if err == nil || !strings.Contains(err.Error(), tc.op) {
					t.Fatalf("%v gives %v, error %v; want an error that names the operator", tc.in, got, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v: %v", tc.in, err)
			}
			for i, want := range tc.want {
				if !slices.Equal(got[i].Shape, want) {
					t.Errorf("%v: output %d has shape %v, want %v", tc.in, i, got[i].Shape, want)
				}
			}
		})
	}
}

func TestUnknownOperator(t *testing.T) {
	n := onnx.NewNode("Relu", "n", []string{"x"}, []string{"y"})
	d := "com.acme"
	n.Domain = &d
	if _, err := onnx.InferNode(n, []onnx.TensorType{{}}, nil); !errors.Is(err, onnx.ErrNoRule) {
		t.Errorf("error %v, want ErrNoRule", err)
	}
}

// A network that computes its own shape, as exporters write it:
// Reshape(x, Concat(Gather(Shape(x), 0), -1)).
func TestShapeArithmetic(t *testing.T) {
	m := model(
		onnx.NewNode("Shape", "", []string{"x"}, []string{"s"}),
		onnx.NewNode("Gather", "", []string{"s", "zero"}, []string{"n"}),
		onnx.NewNode("Unsqueeze", "", []string{"n", "first"}, []string{"n1"}),
		onnx.NewNode("Concat", "", []string{"n1", "rest"}, []string{"to"}, onnx.Int("axis", 0)),
		onnx.NewNode("Reshape", "", []string{"x", "to"}, []string{"y"}),
	)
	m.Graph.Initializer = []*onnx.Tensor{
		onnx.NewTensorInt64("zero", nil, []int64{0}), onnx.NewTensorInt64("first", []int64{1}, []int64{0}),
		onnx.NewTensorInt64("rest", []int64{1}, []int64{-1}),
	}
	types, err := onnx.InferShapes(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := types["y"].Shape; !slices.Equal(got, []int64{1, 192}) {
		t.Errorf("shape %v, want [1 192]", got)
	}
}
