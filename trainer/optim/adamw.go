// Package optim adds optimisers to a training graph. All parameters are one
// vector, so an update is a dozen nodes, whatever the network.
package optim

import (
	"fmt"
	"math"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv
// 1711.05101), gradient clipping by the norm over all parameters, and an
// exponential moving average of the parameters beside them.
type AdamW struct {
	// Beta1 and Beta2 are the decay rates of the first and second moment, in [0,1).
	Beta1 float64 `yaml:"beta1" json:"beta1"`
	Beta2 float64 `yaml:"beta2" json:"beta2"`
	// Epsilon keeps the division finite, > 0.
	Epsilon float64 `yaml:"epsilon" json:"epsilon"`
	// Decay is the weight decay, multiplied by the learning rate at each step.
	Decay float64 `yaml:"decay" json:"decay"`
	// Clip is the largest norm of the gradient; 0 means no clipping.
	Clip float64 `yaml:"clip" json:"clip"`
	// Average is the decay rate of the parameters' moving average, in [0,1).
	Average float64 `yaml:"average" json:"average"`
}

// DefaultAdamW are settings that train the networks of package nn.
func DefaultAdamW() AdamW {
	return AdamW{Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: 0.05, Clip: 2, Average: 0.998}
}

// Validate reports settings outside their ranges.
func (o AdamW) Validate() error {
	for _, c := range []struct {
		name string
		v    float64
	}{{"beta1", o.Beta1}, {"beta2", o.Beta2}, {"average", o.Average}} {
		if !(c.v >= 0 && c.v < 1) {
			return fmt.Errorf("optim: %s: %g is not within [0,1)", c.name, c.v)
		}
	}
	if !(o.Epsilon > 0) || !(o.Decay >= 0) || !(o.Clip >= 0) {
		return fmt.Errorf("optim: epsilon %g, decay %g, clip %g: want > 0, >= 0, >= 0", o.Epsilon, o.Decay, o.Clip)
	}
	return nil
}

// StateNames are the vectors that a run carries from step to step, each as long
// as the parameters: "params" first. In a training graph the input of a name is
// the value before the step and the output "next_"+name the value after it.
var StateNames = []string{"params", "moment1", "moment2", "average"}

// ScalarNames are the inputs, float32 [1], that Scalars fills for a step.
var ScalarNames = []string{"lr", "correct1", "correct2", "keep"}

// Scalars are the values of ScalarNames for step t = 1, 2, …: the learning rate,
// Adam's bias corrections 1/(1−βᵗ), and the average's decay rate, which starts
// low so that the average is not held back by the initial weights.
func (o AdamW) Scalars(t int, lr float64) [4]float32 {
	n := float64(t)
	return [4]float32{
		float32(lr),
		float32(1 / (1 - math.Pow(o.Beta1, n))),
		float32(1 / (1 - math.Pow(o.Beta2, n))),
		float32(math.Min(o.Average, n/(n+10))),
	}
}

// Inputs declares the state and scalar inputs for n parameters.
func (o AdamW) Inputs(b *graph.Builder, n int64) (state, scalars []graph.Value) {
	for _, name := range StateNames {
		state = append(state, b.Input(name, onnx.Tensor_FLOAT, n))
	}
	for _, name := range ScalarNames {
		scalars = append(scalars, b.Input(name, onnx.Tensor_FLOAT, 1))
	}
	return state, scalars
}

// Update adds one step: from state, scalars and the gradient, float32 [n], to the
// next state. decayMask is 1 where weight decay applies, rate multiplies the learning
// rate of each parameter. It also returns the norm of the gradient before
// clipping, [1].
//
//	m ← β₁m + (1−β₁)g        v ← β₂v + (1−β₂)g²
//	p ← p − lr·rate·( m·c₁ / (√(v·c₂) + ε) + decay·mask·p )
func (o AdamW) Update(b *graph.Builder, state, scalars []graph.Value, grad graph.Value, decayMask, rate []float32) (next []graph.Value, norm graph.Value) {
	b.Scope("adamw", func() {
		norm = b.Sqrt(b.ReduceSumSquare(grad, 0))
		if o.Clip > 0 {
			shrink := b.Min(b.Scalar(1), b.Div(b.Scalar(o.Clip), b.Shift(norm, 1e-12)))
			grad = b.Mul(grad, shrink)
		}
		p, m, v, avg := state[0], state[1], state[2], state[3]
		lr, c1, c2, keep := scalars[0], scalars[1], scalars[2], scalars[3]
		m = b.Add(b.Scale(m, o.Beta1), b.Scale(grad, 1-o.Beta1))
		v = b.Add(b.Scale(v, o.Beta2), b.Scale(b.Square(grad), 1-o.Beta2))
		step := b.Div(b.Mul(m, c1), b.Shift(b.Sqrt(b.Mul(v, c2)), o.Epsilon))
		if o.Decay > 0 {
			mask := b.Float32(decayMask, int64(len(decayMask)))
			step = b.Add(step, b.Mul(p, b.Scale(mask, o.Decay)))
		}
		p = b.Sub(p, b.Mul(step, b.Mul(b.Float32(rate, int64(len(rate))), lr)))
		avg = b.Add(b.Mul(avg, keep), b.Mul(p, b.Sub(b.Scalar(1), keep)))
		next = []graph.Value{p, m, v, avg}
	})
	return next, norm
}
