package autodiff_test

import (
	"testing"

	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
)

// Where a function has a kink there is no derivative, and the rule chooses. What it
// chooses is promised here: the reference and ONNX Runtime agree on it.
func TestKinks(t *testing.T) {
	constant := func(b *graph.Builder, v ...float32) graph.Value { return b.Float32(v, int64(len(v))) }
	type op = func(b *graph.Builder, x graph.Value) graph.Value
	node := func(name string, attrs ...*onnx.Attribute) op {
		return func(b *graph.Builder, x graph.Value) graph.Value { return b.Op(name, []graph.Value{x}, attrs...) }
	}
	pool := func(name string) op {
		return func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op(name, []graph.Value{b.Reshape(x, 1, 1, 1, 4)}, onnx.Ints("kernel_shape", 1, 2), onnx.Ints("strides", 1, 2))
		}
	}
	for _, tc := range []struct {
		name    string
		f       op
		x, want []float64 // of Σ f(x)
	}{
		{"Relu at 0", node("Relu"), []float64{-1, 0, 1e-30, 1}, []float64{0, 0, 7.378697629483821e-11, 1}}, // 2⁶⁶·1e-30
		{"LeakyRelu at 0", node("LeakyRelu", onnx.Float("alpha", 0.25)), []float64{-1, 0, 1}, []float64{0.25, 0.25, 1}},
		{"Elu at 0", node("Elu", onnx.Float("alpha", 0.25)), []float64{0, 1}, []float64{0.25, 1}},
		{"Abs at 0", node("Abs"), []float64{-1, 0, 1}, []float64{-1, 0, 1}},
		{"HardSwish at its ends", node("HardSwish"), []float64{-4, -3, 0, 3, 4}, []float64{0, 0, 0.5, 1, 1}},
		{"HardSigmoid at its ends", node("HardSigmoid", onnx.Float("alpha", 0.25), onnx.Float("beta", 0.5)), []float64{-2, 0, 2, 9}, []float64{0, 0.25, 0, 0}},
		{"Clip at its bounds", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Clip", []graph.Value{x, b.Float32([]float32{-1}), b.Float32([]float32{2})})
		}, []float64{-1, -0.9999999, 1.9999999, 2, 5}, []float64{0, 1, 1, 0, 0}},
		{"Max, equal", func(b *graph.Builder, x graph.Value) graph.Value { return b.Max(x, constant(b, 1, 2, 3)) }, []float64{0, 2, 4}, []float64{0, 0.5, 1}},
		{"Min, equal", func(b *graph.Builder, x graph.Value) graph.Value { return b.Min(x, constant(b, 1, 2, 3)) }, []float64{0, 2, 4}, []float64{1, 0.5, 0}},
		{"ReduceMax, two equal", node("ReduceMax", onnx.Int("keepdims", 0)), []float64{3, 1, 3}, []float64{0.5, 0, 0.5}},
		{"ReduceMin, all equal", node("ReduceMin", onnx.Int("keepdims", 0)), []float64{2, 2, 2, 2}, []float64{0.25, 0.25, 0.25, 0.25}},
		{"MaxPool, the first of equal ones", pool("MaxPool"), []float64{2, 2, 1, 3}, []float64{1, 0, 0, 1}},
		{"ReduceL2 of zeros", node("ReduceL2", onnx.Int("keepdims", 0)), []float64{0, 0}, []float64{0, 0}},
		{"ReduceL1 with a zero", node("ReduceL1", onnx.Int("keepdims", 0)), []float64{0, -2}, []float64{0, -1}},
		{"Pow 0 of 0", func(b *graph.Builder, x graph.Value) graph.Value { return b.Op("Pow", []graph.Value{x, b.Scalar(0)}) }, []float64{0, 2}, []float64{0, 0}},
		{"the exponent of 0", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Pow", []graph.Value{constant(b, 0, 1), x})
		}, []float64{2, 2}, []float64{0, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := graph.New("kink")
			x := b.Input("x", onnx.Tensor_FLOAT, int64(len(tc.x)))
			loss := b.Reshape(b.ReduceSum(tc.f(b, x)), 1)
			b.Output("g", autodiff.Gradients(b, loss, []graph.Value{x})[0])
			m, err := b.Model()
			if err != nil {
				t.Fatal(err)
			}
			inputs := map[string]ref.Tensor{"x": {Shape: []int{len(tc.x)}, Data: tc.x}}
			env, err := ref.Eval(m, inputs)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "in the reference", env["g"].Data, tc.want, tolFD)
			compare(t, "in ONNX Runtime", runORT(t, m, inputs)["g"], tc.want, tolGrad)
		})
	}
}

// Dropout in training is random, so ONNX Runtime's own mask is what its result and
// gradient are held to.
func TestDropout(t *testing.T) {
	const n, ratio = 200, 0.25
	b := graph.New("dropout")
	x := b.Input("x", onnx.Tensor_FLOAT, n)
	y := b.Op("Dropout", []graph.Value{x, b.Float32([]float32{ratio}), truth(b, true)})
	g := autodiff.Gradients(b, b.Reshape(b.ReduceSum(b.Square(y)), 1), []graph.Value{x})
	kept := b.Cast(b.Extend(b.Nodes()[0], 1), onnx.Tensor_FLOAT)
	b.Output("y", y)
	b.Output("g", g[0])
	b.Output("kept", kept)
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	in := ref.New(n)
	for i := range in.Data {
		in.Data[i] = 1 + float64(i)/n
	}
	got := runORT(t, m, map[string]ref.Tensor{"x": in})
	dropped, y2, dx := 0, make([]float64, n), make([]float64, n)
	for i, k := range got["kept"] {
		y2[i] = in.Data[i] * k / (1 - ratio)
		dx[i] = 2 * y2[i] * k / (1 - ratio)
		if k == 0 {
			dropped++
		}
	}
	if dropped == 0 || dropped == n {
		t.Errorf("%d of %d dropped, want about %g", dropped, n, ratio*n)
	}
	compare(t, "result", got["y"], y2, tolForward)
	compare(t, "gradient", got["g"], dx, tolGrad)
}
