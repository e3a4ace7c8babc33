package quant_test

import (
	"slices"
	"testing"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/export/quant"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

// halved converts a network to fp16 and lists what stays in fp32.
func halved(t *testing.T, m *onnx.Model) (float []string) {
	t.Helper()
	seen, err := quant.Observe(t.Context(), orttest.Runtime(t), m, slices.Values(noise(7, 20)))
	if err != nil {
		t.Fatal(err)
	}
	if err := export.Apply(m, quant.Half(seen.Reach, func(n string) { float = append(float, n) }), export.Prune); err != nil {
		t.Fatal(err)
	}
	return float
}

func TestHalfStaysNear(t *testing.T) {
	frames := noise(1, 10)
	for seed := range uint64(3) {
		m := network(t, seed, patches)
		want := results(t, m, ort.Options{}, frames)
		if float := halved(t, m); !slices.Equal(float, []string{"Tanh"}) {
			t.Errorf("network %d: %q stay in fp32, want Tanh", seed, float)
		}
		for _, c := range m.GetGraph().GetInitializer() {
			if n, _ := c.Len(); n > 4 && c.GetDataType() == int32(onnx.Tensor_FLOAT) {
				t.Errorf("network %d: constant %q is in fp32", seed, c.GetName())
			}
		}
		// 11 bits, and some ten layers that each round.
		if worst, mean, size := apart(want, results(t, m, ort.Options{}, frames)); !(mean < 0.002*size) || !(worst < 0.05*size) {
			t.Errorf("network %d: results of %.3g are off by %.3g, at most %.3g", seed, size, mean, worst)
		}
	}
}

// What leaves fp16's range stays in fp32, and the results are right.
func TestHalfIslands(t *testing.T) {
	m := network(t, 1, patches)
	for _, n := range m.GetGraph().GetNode() {
		if n.GetName() == "Mul" { // (x−114)/64 becomes (x−114)·3000
			for _, c := range m.GetGraph().GetInitializer() {
				if c.GetName() == n.GetInput()[1] {
					c.RawData = onnx.NewTensorFloat32("", nil, []float32{3000}).RawData
				}
			}
		}
	}
	frames := noise(1, 5)
	want := results(t, m, ort.Options{}, frames)
	float := halved(t, m)
	if !slices.Contains(float, "SpaceToDepth") || !slices.Contains(float, "Conv") {
		t.Errorf("%q stay in fp32, want the operators around large values, too", float)
	}
	if _, mean, size := apart(want, results(t, m, ort.Options{}, frames)); !(mean < 0.002*size) {
		t.Errorf("results of %.3g are off by %.3g", size, mean)
	}
}
