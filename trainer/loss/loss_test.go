package loss_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
	"perceive/trainer/loss"
)

// eval runs a loss on logits z, targets y and weights w of shape, in float64, and
// returns it with its gradient by z.
func eval(t *testing.T, f func(b *graph.Builder, z, y, w graph.Value) graph.Value, shape []int64, z, y, w []float64) (float64, []float64) {
	t.Helper()
	b := graph.New("loss")
	vz, vy, vw := b.Input("z", onnx.Tensor_FLOAT, shape...), b.Input("y", onnx.Tensor_FLOAT, shape...), b.Input("w", onnx.Tensor_FLOAT, shape...)
	l := f(b, vz, vy, vw)
	b.Output("loss", l)
	b.Output("grad", autodiff.Gradients(b, l, []graph.Value{vz})[0])
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	ints := make([]int, len(shape))
	for i, d := range shape {
		ints[i] = int(d)
	}
	env, err := ref.Eval(m, map[string]ref.Tensor{"z": {Shape: ints, Data: z}, "y": {Shape: ints, Data: y}, "w": {Shape: ints, Data: w}})
	if err != nil {
		t.Fatal(err)
	}
	return env["loss"].Data[0], env["grad"].Data
}

func TestMultiTask(t *testing.T) {
	const tol = 1e-6 // 1/N is a float32 in the graph
	for _, tc := range []struct {
		name       string
		n, l       int64
		z, y, mask []float64
		want       float64 // by hand: Σ mask·(max(z,0) − z·y + log1p(exp(−|z|))) / n
	}{
		{"even odds", 1, 1, []float64{0}, []float64{1}, []float64{1}, math.Ln2},
		{"unlabelled contributes nothing", 1, 1, []float64{3}, []float64{0}, []float64{0}, 0},
		{"no overflow", 1, 1, []float64{1000}, []float64{0}, []float64{1}, 1000},
		{"sum over tasks", 1, 2, []float64{0, 0}, []float64{1, 0}, []float64{1, 1}, 2 * math.Ln2},
		{"mean over the batch", 2, 1, []float64{0, 5}, []float64{1, 1}, []float64{1, 0}, math.Ln2 / 2},
		{"a confident mistake", 1, 1, []float64{-2}, []float64{1}, []float64{1}, 2 + math.Log1p(math.Exp(-2))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := eval(t, total(loss.Config{}.MultiTask), []int64{tc.n, tc.l}, tc.z, tc.y, tc.mask)
			if !scalar.EqualWithinAbsOrRel(got, tc.want, tol, tol) {
				t.Errorf("loss %g, want %g", got, tc.want)
			}
		})
	}
}

// The gradient of a hidden label is exactly zero, and a shown one's is (σ(z)−y)/N.
func TestHiddenLabelHasNoGradient(t *testing.T) {
	z, y, mask := []float64{2, -3, 0.5, 40}, []float64{0, 1, 1, 0}, []float64{0, 1, 0, 1}
	_, grad := eval(t, total(loss.Config{}.MultiTask), []int64{2, 2}, z, y, mask)
	for i := range z {
		want := mask[i] * (1/(1+math.Exp(-z[i])) - y[i]) / 2
		if mask[i] == 0 && grad[i] != 0 {
			t.Errorf("label %d is hidden, its gradient is %g", i, grad[i])
		}
		if !scalar.EqualWithinAbs(grad[i], want, 1e-7) {
			t.Errorf("label %d: gradient %g, want %g", i, grad[i], want)
		}
	}
}

func TestFocalMap(t *testing.T) {
	// By hand for one cell: p = σ(z), bce·(y−p)²·weight.
	p := 1 / (1 + math.Exp(1.5))
	for _, tc := range []struct {
		name    string
		z, y, w float64
		want    float64
	}{
		{"object seen badly", -1.5, 1, 1, -math.Log(p) * (1 - p) * (1 - p)},
		{"empty cell", -1.5, 0, 1, -math.Log(1-p) * p * p},
		{"weight", -1.5, 0, 3, -3 * math.Log(1-p) * p * p},
		{"ignored", 9, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, grad := eval(t, total(loss.FocalMap), []int64{1, 1, 1, 1}, []float64{tc.z}, []float64{tc.y}, []float64{tc.w})
			if !scalar.EqualWithinAbs(got, tc.want, 1e-9) {
				t.Errorf("loss %g, want %g", got, tc.want)
			}
			if tc.w == 0 && grad[0] != 0 {
				t.Errorf("an ignored cell has gradient %g", grad[0])
			}
		})
	}
}
