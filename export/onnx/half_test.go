package onnx_test

import (
	"math"
	"testing"

	"perceive/export/onnx"
)

// Values by hand, from IEEE 754: 5 bits of exponent with bias 15, 10 of fraction.
func TestFloat16(t *testing.T) {
	for x, want := range map[float32]uint16{
		0: 0, 1: 0x3c00, -2: 0xc000, 0.1: 0x2e66, 65504: 0x7bff, 65519: 0x7bff, 65520: 0x7c00, 1e9: 0x7c00, -1e9: 0xfc00,
		1.0 / (1 << 14): 0x0400, 1.0 / (1 << 24): 1, 1.0 / (1 << 25): 0, 1.5 / (1 << 24): 2, 1e-9: 0,
		2049: 0x6800, 2051: 0x6802, // half way between even numbers: the one whose fraction is even
		1 - 1.0/(1<<11): 0x3bff, 1 - 1.0/(1<<12): 0x3c00,
	} {
		if got := onnx.Float16(x); got != want {
			t.Errorf("Float16(%g) = %#04x, want %#04x", x, got, want)
		}
	}
	if got := onnx.Float16(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("Float16(NaN) = %#04x", got)
	}
	if got := onnx.Float16(float32(math.Copysign(0, -1))); got != 0x8000 {
		t.Errorf("Float16(-0) = %#04x", got)
	}
}
