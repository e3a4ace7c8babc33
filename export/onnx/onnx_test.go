package onnx_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/internal/realdata"
)

// model wraps nodes in a graph with input x float32[1 3 8 8].
func model(nodes ...*onnx.Node) *onnx.Model {
	last := nodes[len(nodes)-1]
	return &onnx.Model{
		IrVersion:   proto.Int64(8),
		OpsetImport: []*onnx.OperatorSet{{Version: proto.Int64(17)}},
		Graph: &onnx.Graph{
			Name:   proto.String("g"),
			Input:  []*onnx.ValueInfo{onnx.NewValueInfo("x", onnx.Tensor_FLOAT, 1, 3, 8, 8)},
			Node:   nodes,
			Output: []*onnx.ValueInfo{onnx.NewValueInfo(last.GetOutput()[0], onnx.Tensor_FLOAT)},
		},
	}
}

func relu(in, out string) *onnx.Node {
	return onnx.NewNode("Relu", "relu_"+out, []string{in}, []string{out})
}

// others lists models that were written by other tools, where the data set of this
// project lies beside the checkout.
func others(t *testing.T) []string {
	return realdata.Glob(t, "onnx/*/*.onnx")
}

func TestRoundTripKeepsWhatIsUnknown(t *testing.T) {
	text, err := onnx.Marshal(model(relu("x", "y")))
	if err != nil {
		t.Fatal(err)
	}
	// A field that the schema does not know: number 200, a string.
	text = protowire.AppendTag(text, 200, protowire.BytesType)
	text = protowire.AppendString(text, "from another tool")
	m, err := onnx.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(again, []byte("from another tool")) {
		t.Error("an unknown field is lost")
	}
}

func TestRoundTripOfOtherTools(t *testing.T) {
	for _, path := range others(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			m, err := onnx.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := onnx.Check(m); err != nil {
				t.Error(err)
			}
			text, err := onnx.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			back, err := onnx.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(m, back) {
				t.Error("the model is another one after writing and reading")
			}
			types, err := onnx.InferShapes(m)
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range m.GetGraph().GetOutput() {
				want, got := out.TensorType(), types[out.GetName()]
				for i, d := range want.Shape {
					if d > 0 && i < len(got.Shape) && got.Shape[i] > 0 && got.Shape[i] != d {
						t.Errorf("output %s: inferred %v, declared %v", out.GetName(), got.Shape, want.Shape)
					}
				}
			}
			inputs := true
			for _, v := range m.GetGraph().GetInput() {
				inputs = inputs && v.TensorType().Static()
			}
			for _, n := range m.GetGraph().GetNode() {
				if !inputs {
					break // a free batch stays free
				}
				if !types[n.GetOutput()[0]].Static() {
					t.Errorf("%s %q: shape %v is not worked out", n.GetOpType(), n.GetName(), types[n.GetOutput()[0]].Shape)
					break
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	good, _ := onnx.Marshal(model(relu("x", "y")))
	for name, text := range map[string][]byte{
		"empty":     {},
		"text":      []byte("this is a text file and no model\n"),
		"png":       []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
		"cut short": good[:len(good)/2],
		"no graph":  {8, 8},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := onnx.Parse(text); !errors.Is(err, onnx.ErrNotONNX) {
				t.Errorf("error %v, want ErrNotONNX", err)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	if err := onnx.Save(path, model(relu("x", "y"))); err != nil {
		t.Fatal(err)
	}
	if _, err := onnx.Load(path); err != nil {
		t.Error(err)
	}
	os.WriteFile(filepath.Join(dir, "bad.onnx"), []byte("no"), 0o644)
	for name, bad := range map[string]string{"missing": "none.onnx", "folder": ".", "not a model": "bad.onnx"} {
		if _, err := onnx.Load(filepath.Join(dir, bad)); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, bad)) {
			t.Errorf("%s: error %v does not name the file", name, err)
		}
	}
	if err := onnx.Save(filepath.Join(dir, "no", "m.onnx"), model(relu("x", "y"))); err == nil || !strings.Contains(err.Error(), "no/m.onnx") {
		t.Errorf("saved into a folder that is not there: %v", err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 2 {
		t.Errorf("files left: %v", left)
	}
}

func TestMetadata(t *testing.T) {
	m := model(relu("x", "y"))
	bare, _ := onnx.Marshal(m)
	m.SetMetadata("a", "1")
	m.SetMetadata("b", "2")
	m.SetMetadata("a", "3")
	if got, want := m.Metadata(), map[string]string{"a": "3", "b": "2"}; !maps.Equal(got, want) {
		t.Errorf("metadata %v, want %v", got, want)
	}
	text, _ := onnx.Marshal(m)
	h1, err1 := onnx.GraphSHA256(bare)
	h2, err2 := onnx.GraphSHA256(text)
	if err1 != nil || err2 != nil || h1 != h2 {
		t.Errorf("the hash changes with the metadata: %s %v, %s %v", h1, err1, h2, err2)
	}
	m.Graph.Node[0].OpType = proto.String("Abs")
	text, _ = onnx.Marshal(m)
	if h3, _ := onnx.GraphSHA256(text); h3 == h1 {
		t.Error("the hash does not change with the graph")
	}
	if _, err := onnx.GraphSHA256([]byte("text")); !errors.Is(err, onnx.ErrNotONNX) {
		t.Errorf("hash of no model: %v", err)
	}
}

func TestTensors(t *testing.T) {
	f := onnx.NewTensorFloat32("f", []int64{2, 2}, []float32{1, -2, 3, 0.5})
	if v, err := f.Float32s(); err != nil || !slices.Equal(v, []float32{1, -2, 3, 0.5}) {
		t.Errorf("%v %v", v, err)
	}
	i := onnx.NewTensorInt64("i", nil, []int64{-7})
	if v, err := i.Int64s(); err != nil || !slices.Equal(v, []int64{-7}) {
		t.Errorf("%v %v", v, err)
	}
	typed := &onnx.Tensor{DataType: proto.Int32(int32(onnx.Tensor_FLOAT)), Dims: []int64{2}, FloatData: []float32{4, 5}}
	if v, err := typed.Float32s(); err != nil || !slices.Equal(v, []float32{4, 5}) {
		t.Errorf("%v %v", v, err)
	}
	short := onnx.NewTensorFloat32("short", []int64{3}, []float32{1})
	for name, err := range map[string]error{
		"another type":  second(f.Int64s()),
		"too few":       second(short.Float32s()),
		"negative size": second(onnx.NewTensorFloat32("n", []int64{-1}, nil).Float32s()),
		"overflow":      second(onnx.NewTensorFloat32("n", []int64{1 << 40, 1 << 40}, nil).Float32s()),
		"nil":           second((*onnx.Tensor)(nil).Float32s()),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(m *onnx.Model)
		says  string
	}{
		{"good", func(*onnx.Model) {}, ""},
		{"no operator set", func(m *onnx.Model) { m.OpsetImport = nil }, "no operator set"},
		{"no graph", func(m *onnx.Model) { m.Graph = nil }, "no graph"},
		{"unknown domain", func(m *onnx.Model) { m.Graph.Node[0].Domain = proto.String("com.acme") }, "com.acme"},
		{"input from nowhere", func(m *onnx.Model) { m.Graph.Node[0].Input[0] = "z" }, `"z" is not made before it`},
		{"wrong order", func(m *onnx.Model) { slices.Reverse(m.Graph.Node) }, `"y" is not made before it`},
		{"made twice", func(m *onnx.Model) { m.Graph.Node[1].Output[0] = "y" }, `"y" exists already`},
		{"output from nowhere", func(m *onnx.Model) { m.Graph.Output[0].Name = proto.String("q") }, `"q": no node`},
		{"no operator", func(m *onnx.Model) { m.Graph.Node[0].OpType = nil }, "no operator"},
		{"input twice", func(m *onnx.Model) { m.Graph.Input = append(m.Graph.Input, m.Graph.Input[0]) }, `input "x"`},
		{"constant too short", func(m *onnx.Model) {
			m.Graph.Initializer = append(m.Graph.Initializer, onnx.NewTensorFloat32("c", []int64{4}, []float32{1}))
		}, `"c": 4 bytes`},
		{"constant elsewhere", func(m *onnx.Model) {
			c := onnx.NewTensorFloat32("c", []int64{1}, nil)
			c.DataLocation = onnx.Tensor_EXTERNAL.Enum()
			m.Graph.Initializer = append(m.Graph.Initializer, c)
		}, "another file"},
		{"constant twice", func(m *onnx.Model) {
			c := onnx.NewTensorFloat32("c", []int64{1}, []float32{1})
			m.Graph.Initializer = append(m.Graph.Initializer, c, c)
		}, `"c" is there twice`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := model(relu("x", "y"), relu("y", "z2"))
			tc.spoil(m)
			err := onnx.Check(m)
			if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want one that says %q", err, tc.says)
			}
		})
	}
}

// Whatever the bytes, reading, checking and inferring end without a panic, and what
// can be read can be written and read again.
func FuzzParse(f *testing.F) {
	good, _ := onnx.Marshal(model(relu("x", "y"), onnx.NewNode("Conv", "c", []string{"y", "x"}, []string{"z"}, onnx.Ints("pads", 1, 1, 1, 1))))
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte{8, 8, 58, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := onnx.Parse(text)
		if err != nil {
			return
		}
		onnx.Check(m)
		onnx.InferShapes(m)
		again, err := onnx.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := onnx.Parse(again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
