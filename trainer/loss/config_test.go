package loss_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/floats/scalar"

	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
	"perceive/trainer/loss"
)

type lossFunc func(b *graph.Builder, z, y, w graph.Value) graph.Value

// total sums the labels' losses.
func total(f lossFunc) lossFunc {
	return func(b *graph.Builder, z, y, w graph.Value) graph.Value { return loss.Sum(b, f(b, z, y, w)) }
}

func sigma(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// Each kind on one element, by hand from the paper's formula, and its gradient against
// central differences of that formula.
func TestKinds(t *testing.T) {
	pow := math.Pow
	for _, tc := range []struct {
		name string
		c    loss.Config
		want func(p, y float64) float64
	}{
		{"bce", loss.Config{}, func(p, y float64) float64 { return -y*math.Log(p) - (1-y)*math.Log(1-p) }},
		{"positive weight", loss.Config{PositiveWeight: loss.Fixed, PositiveWeights: []float64{3}},
			func(p, y float64) float64 { return -3*y*math.Log(p) - (1-y)*math.Log(1-p) }},
		{"focal", loss.Config{Kind: loss.Focal},
			func(p, y float64) float64 { return -y*pow(1-p, 2)*math.Log(p) - (1-y)*p*p*math.Log(1-p) }},
		{"focal 1.5", loss.Config{Kind: loss.Focal, FocusNegative: 1.5},
			func(p, y float64) float64 { return -y*pow(1-p, 1.5)*math.Log(p) - (1-y)*pow(p, 1.5)*math.Log(1-p) }},
		{"asymmetric", loss.Config{Kind: loss.Asymmetric},
			func(p, y float64) float64 { return -y*math.Log(p) - (1-y)*pow(p, 4)*math.Log(1-p) }},
		{"asymmetric with margin", loss.Config{Kind: loss.Asymmetric, FocusPositive: 1, FocusNegative: 3, Margin: 0.05},
			func(p, y float64) float64 {
				q := math.Max(p-0.05, 0)
				return -y*(1-p)*math.Log(p) - (1-y)*pow(q, 3)*math.Log(1-q)
			}},
		{"asymmetric, weighed", loss.Config{Kind: loss.Asymmetric, PositiveWeight: loss.Fixed, PositiveWeights: []float64{2}},
			func(p, y float64) float64 { return -2*y*math.Log(p) - (1-y)*pow(p, 4)*math.Log(1-p) }},
	} {
		for _, y := range []float64{0, 1} {
			for _, z := range []float64{-4, -0.7, 0.4, 3} {
				got, grad := eval(t, total(tc.c.MultiTask), []int64{1, 1}, []float64{z}, []float64{y}, []float64{1})
				f := func(z float64) float64 { return tc.want(sigma(z), y) }
				if want := f(z); !scalar.EqualWithinAbsOrRel(got, want, 1e-6, 1e-6) {
					t.Errorf("%s: y %g, z %g: loss %g, want %g", tc.name, y, z, got, want)
				}
				slope := fd.Derivative(f, z, &fd.Settings{Formula: fd.Central})
				if !scalar.EqualWithinAbsOrRel(grad[0], slope, 1e-6, 1e-5) {
					t.Errorf("%s: y %g, z %g: gradient %g, want %g", tc.name, y, z, grad[0], slope)
				}
			}
		}
	}
}

// A logit of ±200 has a finite loss and gradient, in float32 too.
func TestKindsDoNotOverflow(t *testing.T) {
	for _, kind := range []string{loss.BCE, loss.Focal, loss.Asymmetric} {
		for _, margin := range []float64{0, 0.1} {
			for _, z := range []float64{-200, 200} {
				got, grad := eval(t, total(loss.Config{Kind: kind, Margin: margin}.MultiTask), []int64{1, 2}, []float64{z, z}, []float64{0, 1}, []float64{1, 1})
				if math.IsNaN(got+grad[0]+grad[1]) || math.IsInf(got+grad[0]+grad[1], 0) {
					t.Errorf("%s, margin %g, z %g: loss %g, gradient %v", kind, margin, z, got, grad)
				}
			}
		}
	}
}

// Unknown labels (mask −1) are taken for negatives where the network gives them little.
func TestSelective(t *testing.T) {
	c := loss.Config{Missing: loss.Selective, Likely: 0.4}
	z, y, mask := []float64{-2, 1, 1, -1}, []float64{0, 0, 1, 0}, []float64{-1, -1, 1, 0}
	selective := func(b *graph.Builder, z, y, mask graph.Value) graph.Value {
		return c.MultiTask(b, z, y, c.Known(b, z, mask))
	}
	got, grad := eval(t, total(selective), []int64{1, 4}, z, y, mask)
	// σ(−2) = 0.12 counts, σ(1) = 0.73 does not, the third is known, the fourth left out.
	want := math.Log1p(math.Exp(-2)) + math.Log1p(math.Exp(-1))
	if !scalar.EqualWithinAbs(got, want, 1e-6) {
		t.Errorf("loss %g, want %g", got, want)
	}
	for i, w := range []float64{sigma(-2), 0, sigma(1) - 1, 0} {
		if !scalar.EqualWithinAbs(grad[i], w, 1e-6) {
			t.Errorf("gradient %d is %g, want %g", i, grad[i], w)
		}
	}
}

// Tasks are weighed as the formulas say; by hand for losses 2 and 3.
func TestWeigh(t *testing.T) {
	for _, tc := range []struct {
		c    loss.Config
		want float64
		ds   []float64 // by s
	}{
		{loss.Config{}, 5, []float64{0, 0}},
		{loss.Config{Tasks: loss.Fixed, TaskWeights: []float64{1, 0.5}}, 3.5, []float64{0, 0}},
		// e⁻¹·2 + ½·1·1 and e^½·3 + ½·(−½)·½, label 1 known in half of the pictures.
		{loss.Config{Tasks: loss.Uncertainty}, math.Exp(-1)*2 + 0.5 + math.Exp(0.5)*3 - 0.125, []float64{-math.Exp(-1)*2 + 0.5, -math.Exp(0.5)*3 + 0.25}},
	} {
		b := graph.New("weigh")
		l, s, mask := b.Input("l", onnx.Tensor_FLOAT, 2), b.Input("s", onnx.Tensor_FLOAT, 2), b.Input("mask", onnx.Tensor_FLOAT, 2, 2)
		sum := tc.c.Weigh(b, l, s, mask)
		b.Output("sum", sum)
		b.Output("ds", autodiff.Gradients(b, sum, []graph.Value{s})[0])
		m, err := b.Model()
		if err != nil {
			t.Fatal(err)
		}
		env, err := ref.Eval(m, map[string]ref.Tensor{"l": {Shape: []int{2}, Data: []float64{2, 3}}, "s": {Shape: []int{2}, Data: []float64{1, -0.5}},
			"mask": {Shape: []int{2, 2}, Data: []float64{1, 1, 1, -1}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := env["sum"].Data[0]; !scalar.EqualWithinAbs(got, tc.want, 1e-6) {
			t.Errorf("%q: total %g, want %g", tc.c.Tasks, got, tc.want)
		}
		for i, want := range tc.ds {
			if got := env["ds"].Data[i]; !scalar.EqualWithinAbs(got, want, 1e-6) {
				t.Errorf("%q: gradient of s[%d] %g, want %g", tc.c.Tasks, i, got, want)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	for _, tc := range []struct {
		c    loss.Config
		says string // "" is valid
	}{
		{loss.Config{Map: 1}, ""},
		{loss.Config{Presence: 1, Tasks: loss.Fixed, TaskWeights: []float64{1, 2}}, ""},
		{loss.Config{}, "not both 0"},
		{loss.Config{Map: math.NaN()}, "map"},
		{loss.Config{Map: 1, Kind: "hinge"}, "kind"},
		{loss.Config{Map: 1, Missing: "guess"}, "missing"},
		{loss.Config{Map: 1, Tasks: "random"}, "tasks"},
		{loss.Config{Map: 1, FocusPositive: -1}, "focus_positive"},
		{loss.Config{Map: 1, Margin: 0.9}, "margin"},
		{loss.Config{Map: 1, Likely: 2}, "likely"},
		{loss.Config{Map: 1, PositiveWeight: loss.Fixed, PositiveWeights: []float64{1}}, "1 numbers for 2 labels"},
		{loss.Config{Map: 1, Tasks: loss.Fixed, TaskWeights: []float64{1, 0}}, "not above 0"},
		{loss.Config{Map: 1, TaskWeights: []float64{1, 1}}, "not asked for"},
	} {
		err := tc.c.Validate(2)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: error %v, want one that says %q", tc.c, err, tc.says)
		}
	}
}

func TestResolve(t *testing.T) {
	c := loss.Config{PositiveWeight: loss.Balanced}.Resolve([]int{10, 100, 1, 0}, []int{30, 50, 1000, 9})
	if got, want := fmt.Sprint(c.PositiveWeights), "[3 0.5 8 1]"; got != want || c.PositiveWeight != loss.Fixed {
		t.Errorf("weights %s %q, want %s", got, c.PositiveWeight, want)
	}
	if c := (loss.Config{}).Resolve([]int{1}, []int{2}); c.PositiveWeights != nil {
		t.Errorf("weights %v where none were asked for", c.PositiveWeights)
	}
}
