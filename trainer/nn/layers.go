package nn

import (
	"math"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// ConvConfig describes a convolution layer with a K×K kernel: an odd one is padded
// to keep the size, an even one is a stride of its own size without padding, so
// that each output sees its own block of the input.
type ConvConfig struct {
	Out, K int64
	// Bias is the initial bias.
	Bias float64
	// Gain is the initial gain on the standardised kernel; zero means √2, which
	// keeps the variance through the rectifier that usually follows.
	Gain float64
}

// Conv is a convolution with a standardised kernel:
//
//	ŵ[k] = gain[k] · (w[k] − mean(w[k])) / √(var(w[k])·fanIn + ε)
//
// (scaled weight standardisation, Brock et al. 2021, arXiv 2101.08692). It does
// for the weights what batch normalisation does for the activations, so nothing
// depends on the batch: the training graph is the deployed graph, a batch mixed
// from several sources does not leak from one picture into another, and the
// memory passes that batch normalisation costs on every activation are saved.
// Standardisation disappears when the weights are frozen.
func (m Module) Conv(name string, x graph.Value, c ConvConfig) graph.Value {
	in := m.channels(x)
	gain := c.Gain
	if gain == 0 {
		gain = math.Sqrt2
	}
	w := m.Derived(name+".kernel", []Param{
		{Name: name + ".weight", Shape: []int64{c.Out, in, c.K, c.K}, Std: he(in * c.K * c.K), Decay: true},
		{Name: name + ".gain", Shape: []int64{c.Out, 1, 1, 1}, Mean: gain},
	}, func(m Module, p []graph.Value) graph.Value { return m.Mul(m.standardise(p[0]), p[1]) })
	bias := m.Param(Param{Name: name + ".bias", Shape: []int64{c.Out}, Mean: c.Bias})
	var y graph.Value
	m.Scope(name, func() {
		y = m.Builder.Conv(x, w, bias, spec(c.K))
	})
	return y
}

// standardise gives each output channel's kernel mean 0 and norm 1.
func (m Module) standardise(w graph.Value) graph.Value {
	const eps = 1e-4
	centred := m.Sub(w, m.ReduceMean(w, 1, 2, 3))
	return m.Div(centred, m.Sqrt(m.Shift(m.ReduceSumSquare(centred, 1, 2, 3), eps)))
}

// Plain is a convolution with its kernel as it is: for a last layer, whose scale
// means something.
func (m Module) Plain(name string, x graph.Value, c ConvConfig, std float64) graph.Value {
	in := m.channels(x)
	w := m.Param(Param{Name: name + ".weight", Shape: []int64{c.Out, in, c.K, c.K}, Std: std, Decay: true})
	bias := m.Param(Param{Name: name + ".bias", Shape: []int64{c.Out}, Mean: c.Bias})
	var y graph.Value
	m.Scope(name, func() { y = m.Builder.Conv(x, w, bias, spec(c.K)) })
	return y
}

// Block is a residual bottleneck: x + α·f(x) with f a 1×1 down to mid channels,
// a K×K, and a 1×1 back up, α a learned scale that starts small (SkipInit, De and
// Smith 2020, arXiv 2002.10444), so that a deep network starts as a shallow one.
func (m Module) Block(name string, x graph.Value, mid, k int64) graph.Value {
	y := m.Relu(m.Conv(name+".reduce", x, ConvConfig{Out: mid, K: 1}))
	y = m.Relu(m.Conv(name+".spatial", y, ConvConfig{Out: mid, K: k}))
	y = m.Conv(name+".expand", y, ConvConfig{Out: m.channels(x), K: 1, Gain: 0.2})
	return m.Relu(m.Add(x, y))
}

// Upsample repeats each pixel k×k.
func (m Module) Upsample(x graph.Value, k int64) graph.Value {
	if k == 1 {
		return x
	}
	return m.Op("Resize", []graph.Value{x, {}, m.Float32([]float32{1, 1, float32(k), float32(k)}, 4)},
		onnx.String("mode", "nearest"), onnx.String("coordinate_transformation_mode", "asymmetric"), onnx.String("nearest_mode", "floor"))
}

func (m Module) channels(x graph.Value) int64 {
	if s := m.Shape(x); len(s) == 4 {
		return s[1]
	}
	m.Failf("%s has shape %v, want [N,C,H,W]", x.Name(), m.Shape(x))
	return 1
}

func spec(k int64) graph.ConvSpec {
	if k%2 == 0 {
		return graph.ConvSpec{Stride: k}
	}
	return graph.ConvSpec{Pads: [4]int64{k / 2, k / 2, k / 2, k / 2}}
}
