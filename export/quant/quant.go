// Package quant makes networks of 8-bit integers out of float ones.
//
// The result is static QDQ: each quantised value passes through a QuantizeLinear and a
// DequantizeLinear, weights and biases are integers behind a DequantizeLinear, and the
// operators stay what they were. A runtime that can fuses the three into integer
// kernels; one that cannot still computes the right thing. Weights are symmetric with a
// scale for each output channel, biases 32-bit at the scale of the products.
//
// The ranges of activations are observed on calibration frames; see Observe and Method.
package quant

import (
	"errors"
	"fmt"
	"math"

	"perceive/export/onnx"
)

// ErrRange reports a value that has to be quantised and was never observed.
var ErrRange = errors.New("no range was observed")

// Target is the runtime whose kernels are meant.
type Target string

// ONNX Runtime's CPU kernels are fastest on activations of uint8 with a zero point, and
// fuse a sum only if both its sides are quantised. TensorRT takes int8 without zero
// point alone, biases in float, and fuses a convolution with the sum that follows
// it.
const (
	CPU      Target = "cpu"
	TensorRT Target = "tensorrt"
)

// Config says how a model is quantised.
type Config struct {
	Target Target
	// Ranges of activations by name.
	Ranges map[string]Range
	// Float are the layers, by the name of the convolution's result, that stay in float.
	Float map[string]bool
}

// Range is an interval that values lie in, or are clipped to.
type Range struct{ Low, High float64 }

// params are how real numbers become integers: x = Scale·(q − Zero).
type params struct {
	Scale float32
	Zero  int
	Elem  onnx.Tensor_DataType
}

// params are those that spend all integers of the target's type on a range and hold
// zero exactly, because padding is zero.
func (t Target) params(r Range) params {
	low, high := min(r.Low, 0), max(r.High, 0)
	if t == TensorRT {
		return params{positive(max(-low, high) / 127), 0, onnx.Tensor_INT8}
	}
	scale := positive((high - low) / 255)
	return params{scale, int(math.Round(-low / float64(scale))), onnx.Tensor_UINT8}
}

// weights is the largest integer of a weight. The kernels that x86 has without VNNI add two products
// in 16 bits (vpmaddubsw): 2·255·64 fits, 2·255·127 does not and would be cut off at 32767. So a
// file for the CPU spends 7 bits and gives the same results on every CPU.
func (t Target) weights() float64 {
	if t == TensorRT {
		return 127
	}
	return 64
}

// positive is a scale that can be divided by, whatever a constant value would give.
func positive(scale float64) float32 {
	if s := float32(scale); s > math.SmallestNonzeroFloat32*(1<<24) {
		return s
	}
	return 1
}

// Int8 is the pass that quantises a frozen model.
func Int8(cfg Config) func(*onnx.Model) error {
	return func(m *onnx.Model) error {
		p, err := newPlan(m, cfg.Target, cfg.Float)
		if err != nil {
			return err
		}
		ranges := map[string]params{}
		for _, v := range p.values {
			from := p.source(v)
			if have, ok := p.given[from]; ok {
				ranges[v] = have
				continue
			}
			r, ok := cfg.Ranges[from]
			if !ok {
				return fmt.Errorf("quant: value %q: %w", from, ErrRange)
			}
			ranges[v] = cfg.Target.params(r)
		}
		w := writer{plan: p, params: ranges}
		return w.write()
	}
}

// Layers are the layers that Int8 would quantise, by the names of their results.
func Layers(m *onnx.Model, t Target) ([]string, error) {
	p, err := newPlan(m, t, nil)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range m.GetGraph().GetNode() {
		if n.GetOpType() == "Conv" && p.integer[n] {
			out = append(out, n.GetOutput()[0])
		}
	}
	return out, nil
}
