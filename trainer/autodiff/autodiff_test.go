package autodiff_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
)

func TestRefusals(t *testing.T) {
	v := func(x ...graph.Value) []graph.Value { return x }
	picture := func(b *graph.Builder, x graph.Value) graph.Value { return b.Reshape(x, 1, 1, 3, 4) }
	for _, tc := range []struct {
		name  string
		build func(b *graph.Builder, x graph.Value) graph.Value // x has 12 elements
		want  error
		says  string
	}{
		{"no rule", func(b *graph.Builder, x graph.Value) graph.Value { return b.Op("ReduceProd", v(x)) }, autodiff.ErrNoRule, `ReduceProd (node "ReduceProd"): replace it`},
		{"a reason", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("DequantizeLinear", v(b.Op("QuantizeLinear", v(x, b.Scalar(1))), b.Scalar(1)))
		}, autodiff.ErrNoRule, "train in float"},
		{"loss is not a scalar", func(_ *graph.Builder, x graph.Value) graph.Value { return x }, nil, "elements"},
		{"reflected padding", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Pad", v(x, b.Int64(1, 1)), onnx.String("mode", "reflect"))
		}, autodiff.ErrNoRule, "mode reflect"},
		{"an input whose gradient is missing", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Pad", v(x, b.Int64(1, 1), b.Reshape(b.Slice(x, 0, 0, 1, 1))))
		}, autodiff.ErrNoRule, "input 2"},
		{"average pool beyond the padding", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("AveragePool", v(picture(b, x)), onnx.Ints("kernel_shape", 2, 2), onnx.Ints("strides", 2, 2), onnx.Int("ceil_mode", 1))
		}, autodiff.ErrNoRule, "ceil_mode"},
		{"indices by column", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("MaxPool", v(picture(b, x)), onnx.Ints("kernel_shape", 2, 2), onnx.Int("storage_order", 1))
		}, autodiff.ErrNoRule, "storage_order"},
		{"output_padding of a stride", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("ConvTranspose", v(picture(b, x), b.Float32([]float32{1}, 1, 1, 1, 1)), onnx.Ints("strides", 2, 2), onnx.Ints("output_padding", 0, 2))
		}, autodiff.ErrNoRule, "output_padding"},
		{"cropping resize", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Resize", v(x, b.Float32([]float32{0, 1}, 2), b.Float32([]float32{2}, 1)), onnx.String("coordinate_transformation_mode", "tf_crop_and_resize"))
		}, autodiff.ErrNoRule, "tf_crop_and_resize"},
		{"dropout by an input", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Op("Dropout", v(x, b.Float32([]float32{0.5}), b.Input("training", onnx.Tensor_BOOL)))
		}, autodiff.ErrNoRule, "training_mode"},
		{"running statistics", func(b *graph.Builder, x graph.Value) graph.Value {
			one := b.Float32([]float32{1}, 1)
			return b.Ops("BatchNormalization", 3, v(b.Reshape(x, 12, 1), one, one, one, one), onnx.Int("training_mode", 1))[1]
		}, autodiff.ErrNoRule, "running statistics"},
		{"statistics of a layer", func(b *graph.Builder, x graph.Value) graph.Value {
			return b.Ops("LayerNormalization", 2, v(x, b.Float32(make([]float32, 12), 12)))[1]
		}, autodiff.ErrNoRule, "statistics"},
		{"another domain", func(b *graph.Builder, x graph.Value) graph.Value {
			y := b.Relu(x)
			domain := "com.acme"
			b.Nodes()[0].Domain = &domain
			return y
		}, autodiff.ErrNoRule, "com.acme"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := graph.New("refuse")
			x := b.Input("x", onnx.Tensor_FLOAT, 12)
			y := tc.build(b, x)
			if tc.want != nil {
				y = b.ReduceSum(y)
			}
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			autodiff.Gradients(b, y, []graph.Value{x})
			err := b.Err()
			if err == nil || !strings.Contains(err.Error(), tc.says) || (tc.want != nil && !errors.Is(err, tc.want)) {
				t.Errorf("error %v, want one of %v that says %q", err, tc.want, tc.says)
			}
			if err != nil && !strings.Contains(err.Error(), "autodiff") {
				t.Errorf("error %q does not say where the mistake was made", err)
			}
		})
	}
}

// A value in stop is a constant: d(x·stop(x))/dx = x, not 2x.
func TestStop(t *testing.T) {
	b := graph.New("stop")
	x := b.Input("x", onnx.Tensor_FLOAT, 1)
	held := b.Op("Identity", []graph.Value{x})
	g := autodiff.Gradients(b, b.Mul(x, held), []graph.Value{x}, held)
	b.Output("g", g[0])
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	env, err := ref.Eval(m, map[string]ref.Tensor{"x": {Shape: []int{1}, Data: []float64{3}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := env["g"].Data[0]; got != 3 {
		t.Errorf("gradient %g, want 3", got)
	}
}

// Each supported operator is in the table of TestRules, so that no rule goes
// unchecked.
func TestEveryRuleIsChecked(t *testing.T) {
	var checked []string
	for _, c := range slices.Concat(cases(), moreCases()) {
		b := graph.New("list")
		var xs []graph.Value
		for _, s := range c.shapes {
			xs = append(xs, b.Input(strings.Repeat("x", len(xs)+1), onnx.Tensor_FLOAT, s...))
		}
		c.build(b, xs)
		for _, n := range b.Nodes() {
			checked = append(checked, n.GetOpType())
		}
	}
	for _, op := range autodiff.Supported() {
		if !slices.Contains(checked, op) {
			t.Errorf("no case checks the rule of %s", op)
		}
	}
}
