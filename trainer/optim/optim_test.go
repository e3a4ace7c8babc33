package optim_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/export/onnx"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
	"perceive/trainer/optim"
)

// reference is AdamW written from the paper's algorithm 2, in float64, one number
// at a time.
type reference struct{ p, m, v, avg []float64 }

func (r *reference) step(o optim.AdamW, t int, lr float64, grad, mask, rate []float64) {
	var norm float64
	for _, g := range grad {
		norm += g * g
	}
	shrink := 1.0
	if norm = math.Sqrt(norm); o.Clip > 0 && norm > o.Clip {
		shrink = o.Clip / norm
	}
	keep := math.Min(o.Average, float64(t)/float64(t+10))
	for i := range r.p {
		g := grad[i] * shrink
		r.m[i] = o.Beta1*r.m[i] + (1-o.Beta1)*g
		r.v[i] = o.Beta2*r.v[i] + (1-o.Beta2)*g*g
		mh := r.m[i] / (1 - math.Pow(o.Beta1, float64(t)))
		vh := r.v[i] / (1 - math.Pow(o.Beta2, float64(t)))
		r.p[i] -= lr * rate[i] * (mh/(math.Sqrt(vh)+o.Epsilon) + o.Decay*mask[i]*r.p[i])
		r.avg[i] = keep*r.avg[i] + (1-keep)*r.p[i]
	}
}

func TestAdamWAgainstReference(t *testing.T) {
	const tol = 1e-6 // constants are float32 in the graph
	for name, o := range map[string]optim.AdamW{
		"default":  optim.DefaultAdamW(),
		"no clip":  {Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Decay: 0.1, Average: 0.9},
		"no decay": {Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-6, Clip: 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			mask, rate := []float32{1, 0, 1}, []float32{1, 0.5, 0.25}
			b := graph.New("adamw")
			state, scalars := o.Inputs(b, 3)
			next, norm := o.Update(b, state, scalars, b.Input("g", onnx.Tensor_FLOAT, 3), mask, rate)
			for i, v := range next {
				b.Output("next_"+optim.StateNames[i], v)
			}
			b.Output("norm", norm)
			m, err := b.Model()
			if err != nil {
				t.Fatal(err)
			}
			want := reference{[]float64{1, -2, 0.5}, make([]float64, 3), make([]float64, 3), []float64{1, -2, 0.5}}
			vec := func(v []float64) ref.Tensor { return ref.Tensor{Shape: []int{len(v)}, Data: v} }
			have := [][]float64{{1, -2, 0.5}, make([]float64, 3), make([]float64, 3), {1, -2, 0.5}}
			for step := 1; step <= 20; step++ {
				grad := []float64{math.Sin(float64(step)), 3 * math.Cos(float64(step)), 0.01}
				lr := 0.01 * float64(step)
				in := map[string]ref.Tensor{"g": vec(grad)}
				for i, name := range optim.StateNames {
					in[name] = vec(have[i])
				}
				for i, v := range o.Scalars(step, lr) {
					in[optim.ScalarNames[i]] = vec([]float64{float64(v)})
				}
				env, err := ref.Eval(m, in)
				if err != nil {
					t.Fatal(err)
				}
				want.step(o, step, lr, grad, []float64{1, 0, 1}, []float64{1, 0.5, 0.25})
				for i, w := range [][]float64{want.p, want.m, want.v, want.avg} {
					have[i] = env["next_"+optim.StateNames[i]].Data
					for j := range w {
						if !scalar.EqualWithinAbsOrRel(have[i][j], w[j], tol, tol) {
							t.Fatalf("step %d: %s[%d] = %g, want %g", step, optim.StateNames[i], j, have[i][j], w[j])
						}
					}
				}
			}
		})
	}
}

func TestOneCycle(t *testing.T) {
	s := optim.OneCycle{Peak: 2, Final: 0.1, Warmup: 10, Total: 110}
	for _, tc := range []struct {
		t    int
		want float64 // by hand
	}{{1, 0.2}, {10, 2}, {60, 2 * (0.1 + 0.9*0.5)}, {110, 0.2}, {200, 0.2}} {
		if got := s.At(tc.t); !scalar.EqualWithinAbs(got, tc.want, 1e-12) {
			t.Errorf("At(%d) = %g, want %g", tc.t, got, tc.want)
		}
	}
}

func TestValidate(t *testing.T) {
	good := optim.DefaultAdamW()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*optim.AdamW){
		"beta1":   func(o *optim.AdamW) { o.Beta1 = 1 },
		"beta2":   func(o *optim.AdamW) { o.Beta2 = math.NaN() },
		"average": func(o *optim.AdamW) { o.Average = -0.1 },
		"epsilon": func(o *optim.AdamW) { o.Epsilon = 0 },
		"decay":   func(o *optim.AdamW) { o.Decay = math.NaN() },
		"clip":    func(o *optim.AdamW) { o.Clip = -1 },
	} {
		o := good
		spoil(&o)
		if o.Validate() == nil {
			t.Errorf("%s out of range was accepted", name)
		}
	}
}
