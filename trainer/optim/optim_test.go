package optim_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/export/onnx"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
	"perceive/trainer/optim"
)

// reference is AdamW written from the paper's algorithm 2, and SGD with momentum as
// Sutskever et al. write it, in float64, one number at a time.
type reference struct{ p, m, v, avg []float64 }

func (r *reference) step(o optim.Config, t int, lr float64, grad, mask, rate []float64) {
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
		if o.Name == optim.SGD {
			r.m[i] = o.Momentum*r.m[i] + g + o.Decay*mask[i]*r.p[i]
			r.p[i] -= lr * rate[i] * r.m[i]
		} else {
			r.m[i] = o.Beta1*r.m[i] + (1-o.Beta1)*g
			r.v[i] = o.Beta2*r.v[i] + (1-o.Beta2)*g*g
			mh := r.m[i] / (1 - math.Pow(o.Beta1, float64(t)))
			vh := r.v[i] / (1 - math.Pow(o.Beta2, float64(t)))
			r.p[i] -= lr * rate[i] * (mh/(math.Sqrt(vh)+o.Epsilon) + o.Decay*mask[i]*r.p[i])
		}
		r.avg[i] = keep*r.avg[i] + (1-keep)*r.p[i]
	}
}

// state is what the reference carries, by the graph's names.
func (r *reference) state() map[string][]float64 {
	return map[string][]float64{"params": r.p, "moment1": r.m, "velocity": r.m, "moment2": r.v, "average": r.avg}
}

// step is the update graph, run in float64.
type step struct {
	t     *testing.T
	o     optim.Config
	model *onnx.Model
	have  map[string]ref.Tensor
}

func newStep(t *testing.T, o optim.Config, mask, rate []float32, start []float64) *step {
	b := graph.New("update")
	state, scalars := o.Inputs(b, int64(len(mask)))
	next, norm := o.Update(b, state, scalars, b.Input("g", onnx.Tensor_FLOAT, int64(len(mask))), mask, rate)
	for i, v := range next {
		b.Output("next_"+o.StateNames()[i], v)
	}
	b.Output("norm", norm)
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	s := &step{t, o, m, map[string]ref.Tensor{}}
	for _, name := range o.StateNames() {
		v := make([]float64, len(start))
		if name == optim.Params || name == optim.Averaged {
			copy(v, start)
		}
		s.have[name] = vec(v)
	}
	return s
}

func vec(v []float64) ref.Tensor { return ref.Tensor{Shape: []int{len(v)}, Data: v} }

// run runs step n.
func (s *step) run(n int, lr float64, grad []float64) {
	s.t.Helper()
	in := map[string]ref.Tensor{"g": vec(grad)}
	for name, v := range s.have {
		in[name] = v
	}
	for j, v := range s.o.Scalars(n, lr) {
		in[s.o.ScalarNames()[j]] = vec([]float64{float64(v)})
	}
	env, err := ref.Eval(s.model, in)
	if err != nil {
		s.t.Fatal(err)
	}
	for name := range s.have {
		s.have[name] = env["next_"+name]
	}
}

func TestAgainstReference(t *testing.T) {
	const tol = 1e-6 // constants are float32 in the graph
	for name, o := range map[string]optim.Config{
		"default":  optim.Default(),
		"no clip":  {Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Decay: 0.1, Average: 0.9},
		"no decay": {Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-6, Clip: 0.5},
		"sgd":      {Name: optim.SGD, Epsilon: 1e-8, Momentum: 0.9, Decay: 0.1, Clip: 1, Average: 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			start := []float64{1, -2, 0.5}
			want := reference{[]float64{1, -2, 0.5}, make([]float64, 3), make([]float64, 3), []float64{1, -2, 0.5}}
			s := newStep(t, o, []float32{1, 0, 1}, []float32{1, 0.5, 0.25}, start)
			for n := 1; n <= 20; n++ {
				lr, x := 0.01*float64(n), float64(n)
				grad := []float64{math.Sin(x), 3 * math.Cos(x), 0.01}
				s.run(n, lr, grad)
				want.step(o, n, lr, grad, []float64{1, 0, 1}, []float64{1, 0.5, 0.25})
				for name, w := range want.state() {
					have, carried := s.have[name]
					for j := range w {
						if carried && !scalar.EqualWithinAbsOrRel(have.Data[j], w[j], tol, tol) {
							t.Fatalf("step %d: %s[%d] = %g, want %g", n, name, j, have.Data[j], w[j])
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
	good := optim.Default()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*optim.Config){
		"name":     func(o *optim.Config) { o.Name = "adam" },
		"beta1":    func(o *optim.Config) { o.Beta1 = 1 },
		"beta2":    func(o *optim.Config) { o.Beta2 = math.NaN() },
		"momentum": func(o *optim.Config) { o.Momentum = 1 },
		"average":  func(o *optim.Config) { o.Average = -0.1 },
		"epsilon":  func(o *optim.Config) { o.Epsilon = 0 },
		"decay":    func(o *optim.Config) { o.Decay = math.NaN() },
		"clip":     func(o *optim.Config) { o.Clip = -1 },
	} {
		o := good
		spoil(&o)
		if o.Validate() == nil {
			t.Errorf("%s out of range was accepted", name)
		}
	}
}

// The order of the state is the order in checkpoints.
func TestStateNames(t *testing.T) {
	for _, tc := range []struct {
		o    optim.Config
		want string
	}{
		{optim.Default(), "[params moment1 moment2 average]"},
		{optim.Config{Name: optim.SGD}, "[params velocity average]"},
	} {
		if got := fmt.Sprint(tc.o.StateNames()); got != tc.want {
			t.Errorf("state %s, want %s", got, tc.want)
		}
	}
}
