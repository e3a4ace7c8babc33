package export_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception/model"
	"perceive/trainer/graph"
)

const size = 8

// net is y = sigmoid(mean(frame/255)·|scale|·2 + shift), with scale and shift graph
// inputs of their own: |scale|·2 depends on constants alone once they are frozen.
func net(t *testing.T) *onnx.Model {
	t.Helper()
	b := graph.New("net")
	frame := b.Input("frame", onnx.Tensor_UINT8, 1, size, size, 3)
	scale, shift := b.Input("scale", onnx.Tensor_FLOAT, 2), b.Input("shift", onnx.Tensor_FLOAT, 2)
	x := b.Scale(b.ReduceMean(b.Cast(frame, onnx.Tensor_FLOAT), 1, 2, 3), 1./255)
	gain := b.Scale(b.Op("Abs", []graph.Value{scale}), 2)
	y := b.Add(b.Mul(b.Reshape(x, 1, 1), gain), shift)
	b.Output("probabilities", b.Sigmoid(y))
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func weights() map[string]*onnx.Tensor {
	return map[string]*onnx.Tensor{
		"scale": onnx.NewTensorFloat32("scale", []int64{2}, []float32{-3, 1}),
		"shift": onnx.NewTensorFloat32("shift", []int64{2}, []float32{-1, 0.5}),
	}
}

// by hand: what net computes for a frame of one grey.
func byHand(grey byte) []float32 {
	sigmoid := func(z float64) float32 { return float32(1 / (1 + math.Exp(-z))) }
	x := float64(grey) / 255
	return []float32{sigmoid(6*x - 1), sigmoid(2*x + 0.5)}
}

func frame(grey byte) export.Frame {
	pix := make([]byte, 3*size*size)
	for i := range pix {
		pix[i] = grey
	}
	return export.Frame{Name: "grey", Pix: pix}
}

func request(t *testing.T) export.Request {
	return export.Request{Graph: net(t), Weights: weights(),
		Manifest: models.Manifest{Schema: models.Schema, Name: "net",
			Input:   models.Input{Name: "frame", Type: "uint8", Layout: "NHWC", Color: "BGR", Width: size, Height: size, Fit: models.Letterbox},
			Outputs: models.Outputs{Probabilities: "probabilities"},
			Labels:  []models.Label{{ID: "a", Threshold: 0.5}, {ID: "b", Threshold: 0.5}}},
		Golden: []export.Frame{frame(99)}, Parity: []export.Frame{frame(0), frame(128), frame(255)},
		Reference: func(_ context.Context, pix []byte) ([]float32, error) { return byHand(pix[0]), nil },
	}
}

func TestBuild(t *testing.T) {
	rt := orttest.Runtime(t)
	file, parity, err := export.Build(t.Context(), rt, request(t))
	if err != nil {
		t.Fatal(err)
	}
	if parity.Frames != 3 || parity.Max > 1e-6 {
		t.Errorf("parity %+v", parity)
	}
	m, err := onnx.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	g := m.GetGraph()
	if len(g.GetInput()) != 1 || g.GetInput()[0].GetName() != "frame" {
		t.Errorf("inputs %v, want the frame alone", g.GetInput())
	}
	for _, n := range g.GetNode() {
		if op := n.GetOpType(); op == "Abs" || op == "Identity" {
			t.Errorf("a %s is left over", op)
		}
	}
	loaded, err := model.Load(t.Context(), rt, file, nil, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if got := loaded.Manifest().Golden[0].Probabilities[0]; math.Abs(float64(got-byHand(99)[0])) > 1e-6 {
		t.Errorf("golden %g, want %g", got, byHand(99)[0])
	}
}

func TestBuildRefuses(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(r *export.Request)
		want  error
		says  string
	}{
		{"another result", func(r *export.Request) {
			r.Reference = func(context.Context, []byte) ([]float32, error) { return []float32{0.5, 0.5}, nil }
		}, export.ErrParity, "grey"},
		{"not a number", func(r *export.Request) {
			r.Reference = func(context.Context, []byte) ([]float32, error) {
				return []float32{float32(math.NaN()), 0.5}, nil
			}
		}, export.ErrParity, "grey"},
		{"another number of labels", func(r *export.Request) {
			r.Reference = func(context.Context, []byte) ([]float32, error) { return []float32{0.5}, nil }
		}, export.ErrParity, "1 in training"},
		{"nothing to compare on", func(r *export.Request) { r.Parity = nil }, nil, "unproved"},
		{"a weight too many", func(r *export.Request) {
			r.Weights["gain"] = onnx.NewTensorFloat32("gain", []int64{1}, []float32{1})
		}, nil, `"gain"`},
		{"a weight of another shape", func(r *export.Request) {
			r.Weights["scale"] = onnx.NewTensorFloat32("scale", []int64{3}, []float32{1, 2, 3})
		}, nil, "[3]"},
		{"a weight missing", func(r *export.Request) { delete(r.Weights, "shift") }, ort.ErrMismatch, "shift"},
		{"a label too many", func(r *export.Request) {
			r.Manifest.Labels = append(r.Manifest.Labels, models.Label{ID: "c"})
		}, ort.ErrMismatch, "float32[1 3]"},
		{"a frame of another size", func(r *export.Request) { r.Parity[1].Pix = r.Parity[1].Pix[:9] }, nil, "9 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := request(t)
			tc.spoil(&r)
			_, _, err := export.Build(t.Context(), orttest.Runtime(t), r)
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %v that says %q", err, tc.want, tc.says)
			}
		})
	}
}

// Identities go, also in front of an output that others read too, and what nobody needs
// goes with them.
func TestPrune(t *testing.T) {
	b := graph.New("g")
	x := b.Input("x", onnx.Tensor_FLOAT, 2)
	y := b.Relu(x)
	b.Output("y", y)
	b.Output("again", y) // one value, two outputs: one Identity has to stay
	b.Output("z", b.Neg(b.Op("Identity", []graph.Value{y})))
	b.Output("same", x) // an input that is an output, too
	b.Exp(x)
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	if err := export.Apply(m, export.Prune); err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, n := range m.GetGraph().GetNode() {
		ops = append(ops, n.GetOpType())
	}
	if got := strings.Join(ops, " "); got != "Relu Identity Neg Identity" {
		t.Errorf("nodes %q, want Relu and Neg, and an Identity for each output that nothing else makes", got)
	}
}
