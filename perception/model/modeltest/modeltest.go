// Package modeltest makes a model file small enough to check by hand.
package modeltest

import (
	"bytes"
	"testing"
	"time"

	"perceive/export/onnx"
	"perceive/models"
	"perceive/trainer/graph"
)

// Width and Height of the model's input.
const (
	Width  = 16
	Height = 16
)

// Manifest is the contract of the model that File makes: "bright" is the mean of all
// bytes over 255, "red" the mean of the red ones; both are on from 0.5. Its maps have
// 2×2 cells. Three golden pictures, black, red and white, have answers worked out by
// hand.
func Manifest(t testing.TB) *models.Manifest {
	t.Helper()
	m := &models.Manifest{Schema: models.Schema, Name: "tiny", Created: time.Unix(0, 0).UTC(),
		Input:   models.Input{Name: "frame", Type: "uint8", Layout: "NHWC", Color: "BGR", Width: Width, Height: Height, Fit: models.Letterbox, Pad: 0},
		Outputs: models.Outputs{Probabilities: "probabilities", Maps: "maps"},
		Labels:  []models.Label{{ID: "bright", Threshold: 0.5}, {ID: "red", Threshold: 0.5}},
	}
	red := make([]byte, 3*Width*Height)
	for i := 2; i < len(red); i += 3 {
		red[i] = 255
	}
	white := bytes.Repeat([]byte{255}, len(red))
	for _, g := range []struct {
		name string
		pix  []byte
		want []float32
	}{{"black", make([]byte, len(red)), []float32{0, 0}}, {"red", red, []float32{1. / 3, 1}}, {"white", white, []float32{1, 1}}} {
		golden, err := models.NewGolden(g.name, Width, Height, g.pix, g.want, 1e-4)
		if err != nil {
			t.Fatal(err)
		}
		m.Golden = append(m.Golden, golden)
	}
	return m
}

// Graph is the network: frame uint8 [1,16,16,3] to probabilities [1,2] and maps
// [1,2,2,2]. The weights that mix the colours are the constant "mix" [2,3,1,1].
func Graph(t testing.TB) *onnx.Model { return graphOf(t, 1) }

func graphOf(t testing.TB, gain float32) *onnx.Model {
	t.Helper()
	b := graph.New("tiny")
	frame := b.Input("frame", onnx.Tensor_UINT8, 1, Height, Width, 3)
	x := b.Scale(b.Cast(b.Transpose(frame, 0, 3, 1, 2), onnx.Tensor_FLOAT), 1./255)
	mix := b.Initializer(onnx.NewTensorFloat32("mix", []int64{2, 3, 1, 1}, []float32{gain / 3, gain / 3, gain / 3, 0, 0, gain}))
	y := b.Conv(x, mix, graph.Value{}, graph.ConvSpec{})
	b.Output("probabilities", b.Reshape(b.ReduceMean(y, 2, 3), 1, 2))
	b.Output("maps", b.Op("AveragePool", []graph.Value{y}, onnx.Ints("kernel_shape", 8, 8), onnx.Ints("strides", 8, 8)))
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// File is the model file: Graph with its hash and Manifest, as changed by spoil, in
// its metadata. spoil may be nil.
func File(t testing.TB, spoil func(*models.Manifest)) []byte {
	t.Helper()
	return file(t, Graph(t), spoil)
}

// Loud is a model file whose answers are gain times those of File's, without golden results: where
// that is above 1 it is no probability, and the frame fails.
func Loud(t testing.TB, gain float32) []byte {
	t.Helper()
	return file(t, graphOf(t, gain), func(m *models.Manifest) { m.Golden = nil })
}

func file(t testing.TB, g *onnx.Model, spoil func(*models.Manifest)) []byte {
	t.Helper()
	bare, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	m := Manifest(t)
	if m.GraphSHA256, err = onnx.GraphSHA256(bare); err != nil {
		t.Fatal(err)
	}
	if spoil != nil {
		spoil(m)
	}
	text, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	g.SetMetadata(models.MetadataKey, string(text))
	out, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
