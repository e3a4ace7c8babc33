package adapt_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"perceive/export/adapt"
	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
)

const (
	w, h = 3, 2
	text = `schema: 1
name: theirs
input: {name: x, type: float32, layout: NCHW, color: RGB, width: 3, height: 2, fit: stretch, scale: 0.5, mean: [1, 2, 3], std: [1, 2, 4]}
outputs: {kind: picture, names: [y], axis: -1, first: 0, activation: none}
labels:
  - {id: a, class: 1, threshold: 0.5}
  - {id: b, class: 0, threshold: 0.5}
`
)

func sidecar(t *testing.T, replace ...string) *models.Sidecar {
	t.Helper()
	s, err := models.ParseSidecar("theirs.yaml", []byte(strings.NewReplacer(replace...).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// theirs is a model of one node from x [batch,3,2,3] to y.
func theirs(opset int64, batch int64, out []int64, nodes ...*onnx.Node) *onnx.Model {
	return &onnx.Model{IrVersion: proto.Int64(min(8, opset-3)), OpsetImport: []*onnx.OperatorSet{{Version: &opset}},
		Graph: &onnx.Graph{Name: proto.String("theirs"), Node: nodes,
			Input:  []*onnx.ValueInfo{onnx.NewValueInfo("x", onnx.Tensor_FLOAT, batch, 3, h, w)},
			Output: []*onnx.ValueInfo{onnx.NewValueInfo("y", onnx.Tensor_FLOAT, out...)}}}
}

func node(op, in string, attrs ...*onnx.Attribute) *onnx.Node {
	return onnx.NewNode(op, op, strings.Fields(in), []string{"y"}, attrs...)
}

// run gives the adapted model a frame whose byte i is 10·i.
func run(t *testing.T, m *onnx.Model, labels int64) []float32 {
	t.Helper()
	if err := onnx.Check(m); err != nil {
		t.Fatal(err)
	}
	file, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	s, err := orttest.Runtime(t).NewSession(file, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err1 := ort.NewTensor(ort.Uint8, 1, h, w, 3)
	out, err2 := ort.NewTensor(ort.Float32, 1, labels)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	for i := range in.Uint8() {
		in.Uint8()[i] = byte(10 * i)
	}
	if err := s.Run(t.Context(), []*ort.Tensor{in}, []*ort.Tensor{out}); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(out.Float32())
}

func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) < 1e-5 })
}

func sigmoid(z float64) float32 { return float32(1 / (1 + math.Exp(-z))) }

// The planes that their network sees are worked out by hand: byte i is 10·i, pixel p has
// blue 30p, green 30p+10, red 30p+20; the mean over the six pixels is 75, 85, 95.
func TestWrap(t *testing.T) {
	const blue, green, red = 75, 85, 95
	gap := func() *onnx.Node { return onnx.NewNode("GlobalAveragePool", "gap", []string{"x"}, []string{"y"}) } // [1,3,1,1]
	rgb := []float32{(red*0.5 - 1) / 1, (green*0.5 - 2) / 2, (blue*0.5 - 3) / 4}
	bgr := []float32{(blue*0.5 - 1) / 1, (green*0.5 - 2) / 2, (red*0.5 - 3) / 4}
	soft := func(v []float32, i int) float32 {
		var sum float64
		for _, x := range v {
			sum += math.Exp(float64(x))
		}
		return float32(math.Exp(float64(v[i])) / sum)
	}
	for _, tc := range []struct {
		name    string
		replace []string
		want    []float32
	}{
		{"red first", []string{"axis: -1", "axis: 1"}, []float32{rgb[1], rgb[0]}},
		{"blue first", []string{"axis: -1", "axis: 1", "RGB", "BGR"}, []float32{bgr[1], bgr[0]}},
		{"classes do not begin at 0", []string{"axis: -1", "axis: 1", "first: 0", "first: 1"}, []float32{rgb[2], rgb[1]}},
		{"bytes as they are", []string{"axis: -1", "axis: 1", "scale: 0.5", "scale: 1", "[1, 2, 3]", "[0, 0, 0]", "[1, 2, 4]", "[1, 1, 1]"}, []float32{green, red}},
		{"sigmoid", []string{"axis: -1", "axis: 1", "activation: none", "activation: sigmoid", "scale: 0.5", "scale: 0.05"}, []float32{sigmoid((green*0.05 - 2) / 2), sigmoid(red*0.05 - 1)}},
		{"softmax, not over the last axis", []string{"axis: -1", "axis: 1", "activation: none", "activation: softmax", "scale: 0.5", "scale: 0.05"},
			[]float32{soft([]float32{red*0.05 - 1, (green*0.05 - 2) / 2, (blue*0.05 - 3) / 4}, 1), soft([]float32{red*0.05 - 1, (green*0.05 - 2) / 2, (blue*0.05 - 3) / 4}, 0)}},
	} {
		for _, opset := range []int64{7, 9, 11, 13, 17} {
			t.Run(fmt.Sprintf("%s, operator set %d", tc.name, opset), func(t *testing.T) {
				m := theirs(opset, 1, []int64{1, 3, 1, 1}, gap())
				man, err := adapt.Wrap(m, sidecar(t, tc.replace...))
				if err != nil {
					t.Fatal(err)
				}
				if got := run(t, m, 2); !near(got, tc.want) {
					t.Errorf("%v, want %v", got, tc.want)
				}
				if ids := man.LabelIDs(); !slices.Equal(ids, []string{"a", "b"}) || man.Input.Fit != models.Stretch || man.Outputs.Probabilities != adapt.Probabilities {
					t.Errorf("contract %+v", man)
				}
			})
		}
	}
}

// A detector: each of the 6 pixels is an anchor, its planes are objectness and two classes.
// The answer is the largest product over all anchors; with two outputs, of both.
func TestWrapDetector(t *testing.T) {
	byHand := []string{"kind: picture", "kind: boxes, objectness: 0", "axis: -1", "axis: 1", "first: 0", "first: 1", "scale: 0.5", "scale: 0.01",
		"[1, 2, 3]", "[0, 0, 0]", "[1, 2, 4]", "[1, 1, 1]"}
	// The last pixel is the brightest: blue 150, green 160, red 170.
	want := []float32{1.7 * 1.5, 1.7 * 1.6}
	for _, opset := range []int64{9, 11, 13, 17, 18, 20} {
		t.Run(fmt.Sprint(opset), func(t *testing.T) {
			m := theirs(opset, -1, []int64{1, 3, h, w}, node("Identity", "x"))
			if _, err := adapt.Wrap(m, sidecar(t, byHand...)); err != nil {
				t.Fatal(err)
			}
			if got := run(t, m, 2); !near(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
	t.Run("two outputs, no objectness", func(t *testing.T) {
		m := theirs(11, 1, []int64{1, 3, h, w}, node("Identity", "x"), onnx.NewNode("Neg", "n", []string{"x"}, []string{"z"}))
		m.Graph.Output = append(m.Graph.Output, onnx.NewValueInfo("z", onnx.Tensor_FLOAT, 1, 3, h, w))
		s := sidecar(t, "kind: picture", "kind: boxes, objectness: none", "axis: -1", "axis: 1", "names: [y]", "names: [y, z]", "scale: 0.5", "scale: 0.01",
			"[1, 2, 3]", "[2, 0, 0]", "[1, 2, 4]", "[1, 1, 1]")
		if _, err := adapt.Wrap(m, s); err != nil {
			t.Fatal(err)
		}
		// Red is 0.2−2 to 1.7−2, so that its negative is the larger one: 1.8.
		if got := run(t, m, 2); !near(got, []float32{1.6, 1.8}) {
			t.Errorf("%v", got)
		}
	})
}

// In the oldest files a weight is an input with a default.
func TestWrapOfAFileWhoseWeightsAreInputs(t *testing.T) {
	m := theirs(8, 1, []int64{1, 3, h, w}, node("Mul", "x k"), onnx.NewNode("GlobalAveragePool", "gap", []string{"y"}, []string{"p"}))
	m.IrVersion = proto.Int64(3)
	m.Graph.Initializer = append(m.Graph.Initializer, onnx.NewTensorFloat32("k", []int64{1}, []float32{2}))
	m.Graph.Input = append(m.Graph.Input, onnx.NewValueInfo("k", onnx.Tensor_FLOAT, 1))
	m.Graph.Output = []*onnx.ValueInfo{onnx.NewValueInfo("p", onnx.Tensor_FLOAT, 1, 3, 1, 1)}
	if _, err := adapt.Wrap(m, sidecar(t, "axis: -1", "axis: 1", "names: [y]", "names: [p]")); err != nil {
		t.Fatal(err)
	}
	if got := run(t, m, 2); !near(got, []float32{2 * (85*0.5 - 2) / 2, 2 * (95*0.5 - 1)}) {
		t.Errorf("%v", got)
	}
}

func TestWrapRefuses(t *testing.T) {
	pool := func() *onnx.Model {
		return theirs(11, 1, []int64{1, 3, 1, 1}, node("GlobalAveragePool", "x"))
	}
	for _, tc := range []struct {
		name    string
		spoil   func(m *onnx.Model)
		replace []string
		says    string
	}{
		{"another input", nil, []string{"name: x", "name: image"}, `input "x" is neither a weight nor the picture "image"`},
		{"another size", nil, []string{"width: 3", "width: 4"}, "want float32[1 3 2 4]"},
		{"another type", func(m *onnx.Model) { m.Graph.Input[0] = onnx.NewValueInfo("x", onnx.Tensor_UINT8, 1, 3, h, w) }, nil, "is UINT8"},
		{"two pictures", func(m *onnx.Model) {
			m.Graph.Input = append(m.Graph.Input, onnx.NewValueInfo("x2", onnx.Tensor_FLOAT, 1))
		}, nil, `"x2" is neither`},
		{"another output", nil, []string{"names: [y]", "names: [scores]"}, `no output "scores" (it has ["y"])`},
		{"no such axis", nil, []string{"axis: -1", "axis: 4"}, "no axis 4"},
		{"not so many classes", nil, []string{"axis: -1", "axis: 1", "class: 1", "class: 3"}, `class 3 of "a" would be at 3 of axis 1, which has 3`},
		{"objectness beyond", nil, []string{"axis: -1", "axis: 1", "kind: picture", "kind: boxes, objectness: 9"}, "objectness would be at 9"},
		{"many answers a picture", func(m *onnx.Model) { m.Graph.Node[0] = node("Identity", "x") }, []string{"axis: -1", "axis: 1"}, "axis 2 has 2, want 1"},
		{"integers", func(m *onnx.Model) {
			m.Graph.Node[0] = node("Cast", "x", onnx.Int("to", int64(onnx.Tensor_INT64)))
		}, []string{"axis: -1", "axis: 1"}, "want float32"},
		{"an operator set of 2016", func(m *onnx.Model) { m.OpsetImport[0].Version = proto.Int64(6) }, nil, "operator set 6"},
		{"names that are taken", func(m *onnx.Model) { m.Graph.Node[0].Output[0] = adapt.Probabilities }, nil, "adapted already"},
		{"an unknown shape", func(m *onnx.Model) {
			m.Graph.Node[0] = node("NoSuchOperator", "x")
			m.Graph.Output[0].Type.TensorType.Shape = nil
		}, nil, "shape is not known"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := pool()
			if tc.spoil != nil {
				tc.spoil(m)
			}
			if _, err := adapt.Wrap(m, sidecar(t, tc.replace...)); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v does not say %q", err, tc.says)
			}
		})
	}
}

// Whatever the model's bytes, adapting ends without a panic, and what it makes is well formed.
func FuzzWrap(f *testing.F) {
	for _, m := range []*onnx.Model{
		theirs(11, 1, []int64{1, 3, 1, 1}, node("GlobalAveragePool", "x")),
		theirs(18, -1, []int64{1, 3, h, w}, node("Identity", "x")),
	} {
		file, err := onnx.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := onnx.Parse(file)
		if err != nil || onnx.Check(m) != nil {
			return
		}
		s, err := models.ParseSidecar("f.yaml", []byte(strings.NewReplacer("axis: -1", "axis: 1", "kind: picture", "kind: boxes, objectness: 0").Replace(text)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := adapt.Wrap(m, s); err == nil {
			if err := onnx.Check(m); err != nil {
				t.Error(err)
			}
		}
	})
}
