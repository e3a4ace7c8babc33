// Package optim adds optimisers to a training graph. All parameters are one
// vector, so an update is a dozen nodes, whatever the network.
package optim

import (
	"fmt"
	"math"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Config is an optimiser with gradient clipping by the norm over all parameters, and an
// exponential moving average of the parameters beside them.
type Config struct {
	// Name is AdamW (or "") or SGD.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Beta1 and Beta2 are AdamW's decay rates of the first and second moment, in [0,1).
	Beta1 float64 `yaml:"beta1" json:"beta1"`
	Beta2 float64 `yaml:"beta2" json:"beta2"`
	// Epsilon keeps AdamW's division finite, > 0.
	Epsilon float64 `yaml:"epsilon" json:"epsilon"`
	// Momentum of SGD, in [0,1).
	Momentum float64 `yaml:"momentum,omitempty" json:"momentum,omitempty"`
	// Decay is the weight decay, multiplied by the learning rate at each step.
	Decay float64 `yaml:"decay" json:"decay"`
	// Clip is the largest norm of the gradient; 0 means no clipping.
	Clip float64 `yaml:"clip" json:"clip"`
	// Average is the decay rate of the parameters' moving average, in [0,1).
	Average float64 `yaml:"average" json:"average"`
}

// The optimisers by name.
const (
	// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101).
	AdamW = "adamw"
	// SGD is stochastic gradient descent with momentum (Polyak 1964, in the form of Sutskever
	// et al. 2013 without Nesterov's look ahead).
	SGD = "sgd"
)

// Default are settings that train the networks of package nn.
func Default() Config {
	return Config{Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: 0.05, Clip: 2, Average: 0.998}
}

// Validate reports settings outside their ranges.
func (o Config) Validate() error {
	if o.Name != "" && o.Name != AdamW && o.Name != SGD {
		return fmt.Errorf("optim: name: %q is neither %q nor %q", o.Name, AdamW, SGD)
	}
	for _, c := range []struct {
		name string
		v    float64
	}{{"beta1", o.Beta1}, {"beta2", o.Beta2}, {"momentum", o.Momentum}, {"average", o.Average}} {
		if !(c.v >= 0 && c.v < 1) {
			return fmt.Errorf("optim: %s: %g is not within [0,1)", c.name, c.v)
		}
	}
	if !(o.Epsilon > 0) || !(o.Decay >= 0) || !(o.Clip >= 0) {
		return fmt.Errorf("optim: epsilon %g, decay %g, clip %g: want > 0, >= 0, >= 0", o.Epsilon, o.Decay, o.Clip)
	}
	return nil
}

// Params is the name of the first state vector, Averaged that of the last.
const (
	Params   = "params"
	Averaged = "average"
)

// StateNames are the vectors that a run carries from step to step, each as long
// as the parameters: Params first, Averaged last. In a training graph the input of a name
// is the value before the step and the output "next_"+name the value after it.
func (o Config) StateNames() []string {
	names := []string{Params}
	if o.Name == SGD {
		names = append(names, "velocity")
	} else {
		names = append(names, "moment1", "moment2")
	}
	return append(names, Averaged)
}

// ScalarNames are the inputs, float32 [1], that Scalars fills for a step.
func (o Config) ScalarNames() []string {
	names := []string{"lr", "keep"}
	if o.Name != SGD {
		names = append(names, "correct1", "correct2")
	}
	return names
}

// Scalars are the values of ScalarNames for step t = 1, 2, …: the learning rate; the
// average's decay rate, which starts low so that the average is not held back by the
// initial weights; Adam's bias corrections 1/(1−βᵗ).
func (o Config) Scalars(t int, lr float64) []float32 {
	n := float64(t)
	v := []float32{float32(lr), float32(math.Min(o.Average, n/(n+10)))}
	if o.Name != SGD {
		v = append(v, float32(1/(1-math.Pow(o.Beta1, n))), float32(1/(1-math.Pow(o.Beta2, n))))
	}
	return v
}

// Inputs declares the state and scalar inputs for n parameters.
func (o Config) Inputs(b *graph.Builder, n int64) (state, scalars []graph.Value) {
	for _, name := range o.StateNames() {
		state = append(state, b.Input(name, onnx.Tensor_FLOAT, n))
	}
	for _, name := range o.ScalarNames() {
		scalars = append(scalars, b.Input(name, onnx.Tensor_FLOAT, 1))
	}
	return state, scalars
}

// Update adds one step: from state, scalars and the gradient, float32 [n], to the
// next state. decayMask is 1 where weight decay applies, rate multiplies the learning
// rate of each parameter. It also returns the norm of the gradient before
// clipping, [1].
func (o Config) Update(b *graph.Builder, state, scalars []graph.Value, grad graph.Value, decayMask, rate []float32) (next []graph.Value, norm graph.Value) {
	b.Scope("optim", func() {
		s, v := o.named(state, scalars)
		norm = b.Sqrt(b.ReduceSumSquare(grad, 0))
		shrink := b.Scalar(1)
		if o.Clip > 0 {
			shrink = b.Min(shrink, b.Div(b.Scalar(o.Clip), b.Shift(norm, 1e-12)))
		}
		rule := o.adamw
		if o.Name == SGD {
			rule = o.sgd
		}
		moved := rule(b, s, v, update{grad: grad, shrink: shrink, decay: scaled(decayMask, o.Decay), rate: rate})
		// A parameter that stays keeps its average to the last bit.
		moved[Averaged] = b.Add(s[Averaged], b.Mul(b.Sub(moved[Params], s[Averaged]), b.Sub(b.Scalar(1), v["keep"])))
		for _, name := range o.StateNames() {
			next = append(next, moved[name])
		}
	})
	return next, norm
}

// named are the inputs of Update by name.
func (o Config) named(state, scalars []graph.Value) (s, v map[string]graph.Value) {
	s, v = map[string]graph.Value{}, map[string]graph.Value{}
	for i, name := range o.StateNames() {
		s[name] = state[i]
	}
	for i, name := range o.ScalarNames() {
		v[name] = scalars[i]
	}
	return s, v
}

// update is what a rule works with. Whatever is one number is multiplied out before it
// meets a vector: each pass over those counts.
type update struct {
	grad, shrink graph.Value // the gradient is grad·shrink
	decay, rate  []float32   // of each parameter
}

// decayed is step + decay·p.
func (u update) decayed(b *graph.Builder, p, step graph.Value) graph.Value {
	if u.decay == nil {
		return step
	}
	return b.Add(step, b.Mul(p, b.Float32(u.decay, int64(len(u.decay)))))
}

// move is p − lr·rate·step.
func (u update) move(b *graph.Builder, p, lr, step graph.Value) graph.Value {
	return b.Sub(p, b.Mul(b.Mul(step, b.Float32(u.rate, int64(len(u.rate)))), lr))
}

// scaled is mask·k, nil for k = 0.
func scaled(mask []float32, k float64) []float32 {
	if k == 0 {
		return nil
	}
	out := make([]float32, len(mask))
	for i := range out {
		out[i] = mask[i] * float32(k)
	}
	return out
}

// adamw:
//
//	m ← β₁m + (1−β₁)g        v ← β₂v + (1−β₂)g²
//	p ← p − lr·rate·( m·c₁ / (√(v·c₂) + ε) + decay·mask·p )
func (o Config) adamw(b *graph.Builder, s, in map[string]graph.Value, u update) map[string]graph.Value {
	m := b.Add(b.Scale(s["moment1"], o.Beta1), b.Mul(u.grad, b.Scale(u.shrink, 1-o.Beta1)))
	v := b.Add(b.Scale(s["moment2"], o.Beta2), b.Mul(b.Square(u.grad), b.Scale(b.Square(u.shrink), 1-o.Beta2)))
	// m·c₁ / (√(v·c₂) + ε) = m / (√v·√c₂/c₁ + ε/c₁)
	c1, c2 := in["correct1"], in["correct2"]
	root := b.Mul(b.Sqrt(v), b.Div(b.Sqrt(c2), c1))
	step := b.Div(m, b.Add(root, b.Div(b.Scalar(o.Epsilon), c1)))
	step = u.decayed(b, s[Params], step)
	return map[string]graph.Value{Params: u.move(b, s[Params], in["lr"], step), "moment1": m, "moment2": v}
}

// sgd:
//
//	v ← µv + g + decay·mask·p        p ← p − lr·rate·v
func (o Config) sgd(b *graph.Builder, s, in map[string]graph.Value, u update) map[string]graph.Value {
	v := b.Add(b.Scale(s["velocity"], o.Momentum), u.decayed(b, s[Params], b.Mul(u.grad, u.shrink)))
	return map[string]graph.Value{Params: u.move(b, s[Params], in["lr"], v), "velocity": v}
}
