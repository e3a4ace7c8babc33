package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"perceive/export/onnx"
)

func observed(values ...float32) *histogram {
	h := &histogram{}
	h.add(values)
	return h
}

// Doubling keeps every count, and counts stay on their side of zero.
func TestHistogramGrows(t *testing.T) {
	h := observed(0.25, -0.25, 0.75, 3, -900)
	if h.low != -900 || h.high != 3 || h.reach != 1024 || h.n != 5 {
		t.Errorf("low %g high %g reach %g n %g", h.low, h.high, h.reach, h.n)
	}
	var below, above float64
	for i, c := range h.count {
		if i < bins/2 {
			below += c
		} else {
			above += c
		}
	}
	if below != 2 || above != 3 {
		t.Errorf("%g below zero and %g above, want 2 and 3", below, above)
	}
	if q := h.quantile(0.2); q != -900+900-896 && math.Abs(q+900) > 1 {
		t.Errorf("quantile 0.2 is %g, want about -900", q)
	}
	h.add([]float32{float32(math.NaN()), float32(math.Inf(1))})
	if h.bad != 2 || h.n != 5 {
		t.Errorf("%d bad of %g", h.bad, h.n)
	}
}

// A rectified normal distribution with one value far out: min-max follows it, the others
// do not.
func TestMethods(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	h := &histogram{}
	for range 100_000 {
		h.add([]float32{float32(max(0, r.NormFloat64()))})
	}
	h.add([]float32{100})
	for _, tc := range []struct {
		name      string
		low, high float64 // of Range.High
	}{
		{"min-max", 100, 100},
		{"percentile 99.99", 3.3, 4.3}, // the normal distribution's quantile 0.9999 is 3.72
		{"percentile 99.9", 2.9, 3.3},  // 0.999: 3.09
		{"entropy", 2, 8},
	} {
		for _, m := range Methods() {
			if m.Name != tc.name {
				continue
			}
			if got := m.Range(h); got.Low > 0 || got.Low < -0.1 || got.High < tc.low || got.High > tc.high {
				t.Errorf("%s: range %v, want its end within %g..%g", tc.name, got, tc.low, tc.high)
			}
		}
	}
}

// By hand: 255 steps of the range, and zero is one of them.
func TestParams(t *testing.T) {
	for _, tc := range []struct {
		target Target
		r      Range
		want   params
	}{
		{CPU, Range{0, 51}, params{0.2, 0, onnx.Tensor_UINT8}},
		{CPU, Range{-1, 1.55}, params{0.01, 100, onnx.Tensor_UINT8}},
		{CPU, Range{2, 25.5}, params{0.1, 0, onnx.Tensor_UINT8}},
		{CPU, Range{-25.5, -3}, params{0.1, 255, onnx.Tensor_UINT8}},
		{CPU, Range{0, 0}, params{1, 0, onnx.Tensor_UINT8}},
		{TensorRT, Range{-1, 12.7}, params{0.1, 0, onnx.Tensor_INT8}},
		{TensorRT, Range{-12.7, 1}, params{0.1, 0, onnx.Tensor_INT8}},
	} {
		if got := tc.target.params(tc.r); got.Zero != tc.want.Zero || got.Elem != tc.want.Elem || math.Abs(float64(got.Scale/tc.want.Scale-1)) > 1e-6 {
			t.Errorf("%s %v: %+v, want %+v", tc.target, tc.r, got, tc.want)
		}
	}
}
