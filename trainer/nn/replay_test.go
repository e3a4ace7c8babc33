package nn_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/nn"
)

// loadNodes is the backbone of a file of an operator set, with a picture of side×side as
// its input (-1: any), six features a convolution at 1/8 that is named "conv", and the cut "y".
func loadNodes(t *testing.T, set, side int64, nodes []*onnx.Node, consts ...*onnx.Tensor) *nn.Trunk {
	t.Helper()
	kernel := make([]float32, 6*3*8*8)
	for i := range kernel {
		kernel[i] = float32(math.Sin(float64(7*i))) / 255
	}
	conv := onnx.NewNode("Conv", "conv", []string{"x", "kernel"}, []string{"conv"}, onnx.Ints("strides", 8, 8))
	text, err := onnx.Marshal(&onnx.Model{IrVersion: proto.Int64(8), OpsetImport: []*onnx.OperatorSet{{Version: proto.Int64(set)}},
		Graph: &onnx.Graph{Name: proto.String("g"), Node: append([]*onnx.Node{conv}, nodes...),
			Initializer: append(consts, onnx.NewTensorFloat32("kernel", []int64{6, 3, 8, 8}, kernel)),
			Input:       []*onnx.ValueInfo{onnx.NewValueInfo("x", onnx.Tensor_FLOAT, 1, 3, side, side)},
			Output:      []*onnx.ValueInfo{onnx.NewValueInfo("y", onnx.Tensor_FLOAT)}}})
	if err != nil {
		t.Fatal(err)
	}
	b := nn.Backbone{File: filepath.Join(t.TempDir(), "nodes.onnx"), Cut: []string{"y"}}
	if err := os.WriteFile(b.File, text, 0o600); err != nil {
		t.Fatal(err)
	}
	trunk, err := nn.LoadBackbone(b)
	if err != nil {
		t.Fatal(err)
	}
	return trunk
}

// features are those of the pictures, [n,64,64,3], and their gradient by the parameters.
func features(t *testing.T, trunk *nn.Trunk, n int64, frames []byte) (y, g []float32) {
	t.Helper()
	m, layout := nn.Declare(graph.New("layout"))
	trunk.Features(m, m.Input("frame", onnx.Tensor_UINT8, n, 64, 64, 3))
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	b := graph.New("features")
	vector := b.Input("params", onnx.Tensor_FLOAT, layout.Size)
	out := trunk.Features(nn.Bind(b, layout, vector), b.Input("frame", onnx.Tensor_UINT8, n, 64, 64, 3))[0]
	grad := autodiff.Gradients(b, b.Reshape(b.ReduceSumSquare(out, 0, 1, 2, 3), 1), []graph.Value{vector})[0]
	size := b.Size(out)
	b.Output("y", b.Reshape(out, size))
	b.Output("gradient", grad)
	model, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	text, err := onnx.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	s := orttest.Session(t, text, ort.Options{Threads: 1})
	in := []*ort.Tensor{orttest.Tensor(t, ort.Float32, layout.Size), orttest.Tensor(t, ort.Uint8, n, 64, 64, 3)}
	layout.Init(in[0].Float32(), 1)
	copy(in[1].Uint8(), frames)
	res := []*ort.Tensor{orttest.Tensor(t, ort.Float32, size), orttest.Tensor(t, ort.Float32, layout.Size)}
	if err := s.Run(t.Context(), in, res); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(res[0].Float32()), slices.Clone(res[1].Float32())
}

func frames(n int) []byte {
	out := make([]byte, n*64*64*3)
	for i := range out {
		out[i] = byte(i * i >> 5)
	}
	return out
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !scalar.EqualWithinAbsOrRel(float64(got[i]), float64(want[i]), 1e-4, 1e-4) {
			t.Fatalf("%s: element %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

// A channel shuffle that was written for one picture does the same to each of a batch, at
// twice the size, too: where the batch is four, as the pixels, it is not taken for them.
func TestShuffleOfABatch(t *testing.T) {
	trunk := loadNodes(t, 17, 32, []*onnx.Node{
		onnx.NewNode("Reshape", "groups", []string{"conv", "five"}, []string{"groups"}),
		onnx.NewNode("Transpose", "swapped", []string{"groups"}, []string{"swapped"}, onnx.Ints("perm", 0, 2, 1, 3, 4)),
		onnx.NewNode("Reshape", "y", []string{"swapped", "four"}, []string{"y"}),
	}, onnx.NewTensorInt64("five", []int64{5}, []int64{1, 2, 3, 4, 4}), onnx.NewTensorInt64("four", []int64{4}, []int64{1, 6, 4, 4}))
	pictures := frames(4)
	for _, n := range []int64{2, 4} {
		got, _ := features(t, trunk, n, pictures[:n*64*64*3])
		var want []float32
		for i := range n {
			one, _ := features(t, trunk, 1, pictures[i*64*64*3:][:64*64*3])
			want = append(want, one...)
		}
		near(t, "the batch", got, want)
	}
}

// What newer sets and files of free sizes write differently gives the same features and
// gradients.
func TestFormsOfBackbones(t *testing.T) {
	node := onnx.NewNode
	mean := func(in []string, a ...*onnx.Attribute) []*onnx.Node {
		return []*onnx.Node{node("ReduceMean", "m", in, []string{"m"}, a...), node("Mul", "y", []string{"conv", "m"}, []string{"y"})}
	}
	split := func(a ...*onnx.Attribute) []*onnx.Node {
		return []*onnx.Node{node("Split", "s", []string{"conv"}, []string{"s0", "s1"}, append(a, onnx.Int("axis", 1))...),
			node("Mul", "y", []string{"s0", "s1"}, []string{"y"})}
	}
	clip := func(kept ...string) []*onnx.Node {
		return []*onnx.Node{node("Dropout", "d", []string{"conv"}, append([]string{"d"}, kept...)), node("Clip", "y", []string{"d", "", "most"}, []string{"y"})}
	}
	up := func(sizes string, a ...*onnx.Node) []*onnx.Node {
		in := []string{"p", "", sizes}
		if sizes != "scales" {
			in = []string{"p", "", "", sizes}
		}
		p := node("MaxPool", "p", []string{"conv"}, []string{"p"}, onnx.Ints("kernel_shape", 2, 2), onnx.Ints("strides", 2, 2))
		return slices.Concat([]*onnx.Node{p}, a, []*onnx.Node{node("Resize", "r", in, []string{"r"}, onnx.String("mode", "nearest"),
			onnx.String("coordinate_transformation_mode", "asymmetric"), onnx.String("nearest_mode", "floor")), node("Add", "y", []string{"conv", "r"}, []string{"y"})})
	}
	ints := func(name string, v ...int64) *onnx.Tensor {
		return onnx.NewTensorInt64(name, []int64{int64(len(v))}, v)
	}
	consts := func() []*onnx.Tensor {
		return []*onnx.Tensor{ints("axes", 2, 3), ints("zero", 0), ints("two", 2), ints("four", 4),
			onnx.NewTensorFloat32("most", nil, []float32{0.5}), onnx.NewTensorFloat32("scales", []int64{4}, []float32{1, 1, 2, 2})}
	}
	for _, tc := range []struct {
		name      string
		set, side int64
		nodes     []*onnx.Node
		as        []*onnx.Node // of set 17 and 32×32
	}{
		{"axes", 18, 32, mean([]string{"conv", "axes"}), mean([]string{"conv"}, onnx.Ints("axes", 2, 3))},
		{"number of parts", 18, 32, split(onnx.Int("num_outputs", 2)), split()},
		{"an output without a name", 17, 32, clip(""), clip()},
		{"computed sizes", 17, -1, up("sizes", node("Shape", "sp", []string{"p"}, []string{"sp"}), node("Slice", "head", []string{"sp", "zero", "two"}, []string{"head"}),
			node("Shape", "sc", []string{"conv"}, []string{"sc"}), node("Slice", "tail", []string{"sc", "two", "four"}, []string{"tail"}),
			node("Concat", "sizes", []string{"head", "tail"}, []string{"sizes"}, onnx.Int("axis", 0))), up("scales")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			y, g := features(t, loadNodes(t, tc.set, tc.side, tc.nodes, consts()...), 2, frames(2))
			wantY, wantG := features(t, loadNodes(t, 17, 32, tc.as, consts()...), 2, frames(2))
			near(t, "features", y, wantY)
			near(t, "gradient", g, wantG)
		})
	}
}
