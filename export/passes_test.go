package export_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/graph"
)

// random is a small network with random weights, of everything that the passes look for.
func random(t *testing.T, seed uint64) *onnx.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	b := graph.New("random")
	numbers := func(scale float64, shape ...int64) graph.Value {
		n := int64(1)
		for _, d := range shape {
			n *= d
		}
		w := make([]float32, n)
		for i := range w {
			w[i] = float32(r.NormFloat64() * scale)
		}
		return b.Float32(w, shape...)
	}
	norm := func(x graph.Value) graph.Value {
		c := b.Shape(x)[1]
		variance := make([]float32, c)
		for i := range variance {
			variance[i] = float32(0.1 + r.Float64()*4)
		}
		return b.Op("BatchNormalization", []graph.Value{x, numbers(1, c), numbers(1, c), numbers(1, c), b.Float32(variance, c)}, onnx.Float("epsilon", 1e-3))
	}
	x := b.Cast(b.Transpose(b.Input("frame", onnx.Tensor_UINT8, 1, 8, 8, 3), 0, 3, 1, 2), onnx.Tensor_FLOAT)
	x = b.Op("Cast", []graph.Value{b.Scale(x, 1./255)}, onnx.Int("to", int64(onnx.Tensor_FLOAT)))
	x = b.Relu(norm(b.Conv(x, numbers(0.3, 8, 3, 3, 3), graph.Value{}, graph.ConvSpec{Pads: [4]int64{1, 1, 1, 1}})))
	shared := b.Conv(x, numbers(0.3, 8, 1, 3, 3), numbers(1, 8), graph.ConvSpec{Pads: [4]int64{1, 1, 1, 1}, Group: 8})
	x = b.Add(norm(shared), shared) // two readers: this normalisation has to stay
	x = norm(b.Conv(x, numbers(0.3, 6, 8, 1, 1), numbers(1, 6), graph.ConvSpec{}))
	x = b.Mul(b.Add(b.Op("Dropout", []graph.Value{x}), b.Scalar(0)), b.Float32(slices.Repeat([]float32{1}, 6), 6, 1, 1))
	x = b.Op("Transpose", []graph.Value{x}, onnx.Ints("perm", 0, 1, 2, 3))
	x = b.Op("Reshape", []graph.Value{b.Concat(1, x), b.Int64(1, 6, 8, 8)})
	b.Output("maps", x)
	b.Output("presence", b.Reshape(b.ReduceMean(x, 2, 3), 1, 6))
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answer runs a model, unoptimised, on a batch of random frames.
func answer(t *testing.T, m *onnx.Model, batch int64, frames []byte) [][]float32 {
	t.Helper()
	text, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	s, err := orttest.Runtime(t).NewSession(text, ort.Options{Optimize: ort.OptimizeNone, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var tensors []*ort.Tensor
	for _, spec := range slices.Concat(s.Inputs(), s.Outputs()) {
		var free []int64
		if slices.Contains(spec.Shape, -1) {
			free = []int64{batch}
		}
		x, err := ort.NewTensorFor(spec, free...)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		tensors = append(tensors, x)
	}
	copy(tensors[0].Uint8(), frames)
	if err := s.Run(t.Context(), tensors[:1], tensors[1:]); err != nil {
		t.Fatal(err)
	}
	return [][]float32{slices.Clone(tensors[1].Float32()), slices.Clone(tensors[2].Float32())}
}

func pixels(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 3))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

// near compares with a tolerance of float32's rounding over some hundred terms.
func near(a, b []float32) bool {
	const tol = 2e-5
	for i := range a {
		if !(math.Abs(float64(a[i]-b[i])) <= tol*(1+math.Abs(float64(a[i])))) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestPassesKeepResults(t *testing.T) {
	for _, tc := range []struct {
		name string
		pass []export.Pass
		ops  string // what is left
	}{
		{"identities", []export.Pass{export.Identities, export.Prune},
			"Transpose Cast Mul Conv BatchNormalization Relu Conv BatchNormalization Add Conv BatchNormalization ReduceMean Reshape"},
		{"batch normalisation", []export.Pass{export.FoldBatchNorm, export.Identities, export.Prune},
			"Transpose Cast Mul Conv Relu Conv BatchNormalization Add Conv ReduceMean Reshape"},
		{"constants", []export.Pass{export.Fold(t.Context(), orttest.Runtime(t)), export.Identities, export.Prune},
			"Transpose Cast Mul Conv BatchNormalization Relu Conv BatchNormalization Add Conv BatchNormalization ReduceMean Reshape"},
	} {
		for seed := range uint64(4) {
			m, frame := random(t, seed), pixels(seed, 3*8*8)
			want := answer(t, m, 1, frame)
			if err := export.Apply(m, tc.pass...); err != nil {
				t.Fatal(err)
			}
			got := answer(t, m, 1, frame)
			for i := range want {
				if !near(want[i], got[i]) {
					t.Errorf("%s: network %d: output %d changed", tc.name, seed, i)
				}
			}
			var ops []string
			for _, n := range m.GetGraph().GetNode() {
				ops = append(ops, n.GetOpType())
			}
			if got := strings.Join(ops, " "); got != tc.ops {
				t.Errorf("%s: nodes\n%s, want\n%s", tc.name, got, tc.ops)
			}
		}
	}
}

// Three frames at once give what they give one by one, with the batch fixed and free.
func TestBatch(t *testing.T) {
	const size = 3 * 8 * 8
	frames := pixels(9, 3*size)
	want := make([][]float32, 2)
	for i := range 3 {
		for j, v := range answer(t, random(t, 1), 1, frames[i*size:][:size]) {
			want[j] = append(want[j], v...)
		}
	}
	for _, passes := range [][]export.Pass{{export.Batch(3)}, {export.Batch(-1)}, {export.Batch(-1), export.Batch(3)}} {
		m := random(t, 1)
		if err := export.Apply(m, passes...); err != nil {
			t.Fatal(err)
		}
		for i, got := range answer(t, m, 3, frames) {
			if !near(want[i], got) {
				t.Errorf("output %d differs", i)
			}
		}
	}
	if err := export.Apply(random(t, 1), export.Batch(0)); err == nil {
		t.Error("a batch of 0: no error")
	}
	b := graph.New("mixed")
	x := b.Input("x", onnx.Tensor_FLOAT, 1, 4)
	b.Output("y", b.ReduceMean(b.Transpose(x, 1, 0), 0)) // [1,1] by chance
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	if err := export.Apply(m, export.Batch(2)); err == nil || !strings.Contains(err.Error(), `"y"`) {
		t.Errorf("a batch that ends elsewhere: error %v", err)
	}
}
