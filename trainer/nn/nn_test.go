package nn_test

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/stat"

	"perceive/export/onnx"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
	"perceive/trainer/nn"
)

func small() nn.Config {
	return nn.Config{Width: 64, Height: 32, Labels: 3, Channels: [4]int64{8, 12, 16, 16}, Blocks: [4]int64{1, 1, 1, 1}, Neck: 8}
}

// The maps have a cell for every 8×8 pixels, and the vector of parameters is the
// sum of its parts, each in its own place.
func TestRoadShapes(t *testing.T) {
	c := small()
	m, layout := nn.Declare(graph.New("road"))
	maps, presence := c.Answers(m, m.Input("frame", onnx.Tensor_UINT8, 2, 32, 64, 3))
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	if got, want := m.Shape(maps), []int64{2, 3, 4, 8}; !equal(got, want) {
		t.Errorf("maps %v, want %v", got, want)
	}
	if got, want := m.Shape(presence), []int64{2, 3}; !equal(got, want) {
		t.Errorf("presence %v, want %v", got, want)
	}
	var end int64
	for _, p := range layout.Params {
		if p.Offset != end {
			t.Fatalf("%s starts at %d, the one before it ends at %d", p.Name, p.Offset, end)
		}
		end += p.Size
	}
	if end != layout.Size {
		t.Errorf("parameters end at %d of %d", end, layout.Size)
	}
}

func equal(a, b []int64) bool {
	for i := range a {
		if len(a) != len(b) || a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// A standardised kernel has mean 0 and norm gain in each output channel, whatever
// the weights; checked in float64 on numbers that are neither.
func TestConvStandardises(t *testing.T) {
	m, layout := nn.Declare(graph.New("conv"))
	x := m.Input("x", onnx.Tensor_FLOAT, 1, 2, 3, 3)
	m.Output("y", m.Conv("c", x, nn.ConvConfig{Out: 1, K: 3, Gain: 2, Bias: 0.5}))
	model, err := m.Model()
	if err != nil {
		t.Fatal(err)
	}
	params := make([]float32, layout.Size)
	layout.Init(params, 7)
	in := map[string]ref.Tensor{"x": ref.New(1, 2, 3, 3)}
	var w, want []float64
	for _, p := range layout.Params {
		v := ref.Tensor{Data: make([]float64, p.Size)}
		for _, d := range p.Shape {
			v.Shape = append(v.Shape, int(d))
		}
		for i := range v.Data {
			v.Data[i] = float64(params[p.Offset+int64(i)]) + 0.3 // away from mean 0
		}
		in[p.Name] = v
		if strings.HasSuffix(p.Name, "weight") {
			w = v.Data
		}
	}
	// By hand: the output at the centre is Σ gain·(w−mean)/√(Σ(w−mean)²+ε)·x + bias.
	mean, norm := stat.Mean(w, nil), 1e-4
	for _, v := range w {
		norm += (v - mean) * (v - mean)
	}
	sum := 0.5 + 0.3
	for i := range in["x"].Data {
		in["x"].Data[i] = math.Sin(float64(i))
		sum += (2 + 0.3) * (w[i] - mean) / math.Sqrt(norm) * in["x"].Data[i]
	}
	want = append(want, sum)
	env, err := ref.Eval(model, in)
	if err != nil {
		t.Fatal(err)
	}
	if got := env["y"].Data[4]; !scalar.EqualWithinAbs(got, want[0], 1e-6) {
		t.Errorf("centre of the output %g, want %g", got, want[0])
	}
}

// Presence is the log-sum-exp over the cells, scaled and shifted: one strong cell
// decides, and it is not averaged away.
func TestPresencePoolsOneStrongCell(t *testing.T) {
	m, _ := nn.Declare(graph.New("presence"))
	c := nn.Config{Labels: 1}
	m.Output("p", c.Presence(m, m.Input("maps", onnx.Tensor_FLOAT, 1, 1, 2, 2)))
	model, err := m.Model()
	if err != nil {
		t.Fatal(err)
	}
	env, err := ref.Eval(model, map[string]ref.Tensor{
		"maps":           {Shape: []int{1, 1, 2, 2}, Data: []float64{-20, 6, -20, -20}},
		"presence.scale": {Shape: []int{1}, Data: []float64{2}},
		"presence.shift": {Shape: []int{1}, Data: []float64{-3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := env["p"].Data[0]; !scalar.EqualWithinAbs(got, 9, 1e-9) { // 2·log(e⁶ + 3e⁻²⁰) − 3 by hand
		t.Errorf("presence %g, want 9", got)
	}
}

func TestSameSeedSameWeights(t *testing.T) {
	m, layout := nn.Declare(graph.New("init"))
	small().Answers(m, m.Input("frame", onnx.Tensor_UINT8, 1, 32, 64, 3))
	a, b, c := make([]float32, layout.Size), make([]float32, layout.Size), make([]float32, layout.Size)
	layout.Init(a, 1)
	layout.Init(b, 1)
	layout.Init(c, 2)
	same := true
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("element %d differs under one seed: %g, %g", i, a[i], b[i])
		}
		same = same && a[i] == c[i]
	}
	if same {
		t.Error("two seeds give the same weights")
	}
}

func TestValidate(t *testing.T) {
	for name, spoil := range map[string]func(*nn.Config){
		"multiples of 32": func(c *nn.Config) { c.Width = 100 },
		"labels":          func(c *nn.Config) { c.Labels = 0 },
		"channels":        func(c *nn.Config) { c.Channels[2] = 0 },
		"neck":            func(c *nn.Config) { c.Neck = 1 },
	} {
		c := small()
		spoil(&c)
		m, _ := nn.Declare(graph.New("bad"))
		c.Answers(m, m.Input("frame", onnx.Tensor_UINT8, 1, 32, 64, 3))
		if err := m.Err(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not say %q", err, name)
		}
	}
}
