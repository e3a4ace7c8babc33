package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Param is one parameter tensor.
type Param struct {
	Name  string
	Shape []int64
	// Offset is where the parameter starts in the vector of all parameters.
	Offset, Size int64
	// Std is the standard deviation of the initial normal distribution around
	// Mean. Zero makes all elements Mean.
	Mean, Std float64
	// Values, if not nil, are the initial values themselves.
	Values []float32
	// Decay says whether weight decay pulls on the parameter: kernels yes, gains
	// and biases no.
	Decay bool
}

// Layout is the list of a network's parameters in the order in which they lie in
// one float32 vector. One vector means one update, one checkpoint and one
// buffer, however many layers there are.
type Layout struct {
	Params []Param
	Size   int64

	weights []weight
}

// weight is what the network computes with: a parameter as it is, or what is made of
// parameters alone, such as a standardised kernel.
type weight struct {
	name   string
	shape  []int64
	from   []string // parameters
	recipe Recipe   // nil: the parameter itself
}

// Recipe makes a weight of parameters.
type Recipe func(m Module, params []graph.Value) graph.Value

// Weights are all weights by name, made of the vector of all parameters. A training step
// makes them once, however many passes over pictures it has.
func (l *Layout) Weights(b *graph.Builder, params graph.Value) map[string]graph.Value {
	m, out := Bind(b, l, params), map[string]graph.Value{}
	for _, w := range l.weights {
		out[w.name] = m.values[w.from[0]]
		if w.recipe == nil {
			continue
		}
		from := make([]graph.Value, len(w.from))
		for j, name := range w.from {
			from[j] = m.values[name]
		}
		m.Scope(w.name, func() { out[w.name] = w.recipe(m, from) })
	}
	return out
}

// Learned are the names of the weights of which some parameter learns at these rates.
func (l *Layout) Learned(rates Rates) []string {
	var out []string
	for _, w := range l.weights {
		if slices.ContainsFunc(w.from, func(name string) bool { return rates.of(name) != 0 }) {
			out = append(out, w.name)
		}
	}
	return out
}

// Find is the parameter of a name, or an error that names it.
func (l *Layout) Find(name string) (Param, error) {
	for _, p := range l.Params {
		if p.Name == name {
			return p, nil
		}
	}
	return Param{}, fmt.Errorf("nn: no parameter %q in this network", name)
}

// Init fills a vector of length Size with initial values. The same seed gives
// the same values.
func (l *Layout) Init(dst []float32, seed uint64) {
	for i, p := range l.Params {
		if p.Values != nil {
			copy(dst[p.Offset:p.Offset+p.Size], p.Values)
			continue
		}
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		for j := range p.Size {
			dst[p.Offset+j] = float32(p.Mean + p.Std*rng.NormFloat64())
		}
	}
}

// DecayMask is 1 for elements that weight decay pulls on, else 0.
func (l *Layout) DecayMask() []float32 {
	mask := make([]float32, l.Size)
	for _, p := range l.Params {
		if p.Decay {
			for j := range p.Size {
				mask[p.Offset+j] = 1
			}
		}
	}
	return mask
}

// RateMask is the part of the learning rate that each element gets: all of it for
// kernels, half for gains, biases and the pooling. Those few numbers scale whole
// feature maps, and without batch statistics nothing else holds them back early on.
// Times the rate of the part that the parameter belongs to.
func (l *Layout) RateMask(rates Rates) []float32 {
	rate := l.DecayMask()
	for _, p := range l.Params {
		k := rates.of(p.Name)
		for j := p.Offset; j < p.Offset+p.Size; j++ {
			rate[j] = (0.5 + 0.5*rate[j]) * k
		}
	}
	return rate
}

// Rates are learning rates of parts of a network, relative to the run's: by the beginning
// of the parameters' names, of which the longest counts. 0 freezes the part.
type Rates map[string]float64

func (r Rates) of(name string) float32 {
	rate, longest := 1.0, -1
	for prefix, v := range r {
		if strings.HasPrefix(name, prefix) && len(prefix) > longest {
			rate, longest = v, len(prefix)
		}
	}
	return float32(rate)
}

// Check reports rates below 0, parts that the network does not have, and rates of which
// nothing learns.
func (r Rates) Check(l *Layout) error {
	for prefix, v := range r {
		if !(v >= 0) {
			return fmt.Errorf("nn: rate %g of %q is not 0 or more", v, prefix)
		}
		if !slices.ContainsFunc(l.Params, func(p Param) bool { return strings.HasPrefix(p.Name, prefix) }) {
			return fmt.Errorf("nn: rate of %q: no parameter's name begins so; they are %s", prefix, strings.Join(l.parts(), ", "))
		}
	}
	if len(l.weights) > 0 && len(l.Learned(r)) == 0 {
		return fmt.Errorf("nn: rates %v: every part is frozen: leave one of %s above 0", r, strings.Join(l.parts(), ", "))
	}
	return nil
}

// parts are the names up to the first dot.
func (l *Layout) parts() []string {
	var parts []string
	for _, p := range l.Params {
		part, _, _ := strings.Cut(p.Name, ".")
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

// Tensors cuts a vector of all parameters into named ONNX tensors.
func (l *Layout) Tensors(vector []float32) map[string]*onnx.Tensor {
	out := map[string]*onnx.Tensor{}
	for _, p := range l.Params {
		out[p.Name] = onnx.NewTensorFloat32(p.Name, p.Shape, vector[p.Offset:p.Offset+p.Size])
	}
	return out
}

// he is the standard deviation that keeps the scale of activations through a
// rectifier: √(2/fanIn) (He et al. 2015, arXiv 1502.01852).
func he(fanIn int64) float64 { return math.Sqrt(2 / float64(fanIn)) }
