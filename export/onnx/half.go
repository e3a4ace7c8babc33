package onnx

import (
	"encoding/binary"
	"math"
)

// NewTensorFloat16 is a constant of float16, rounded from float32.
func NewTensorFloat16(name string, dims []int64, data []float32) *Tensor {
	raw := make([]byte, 0, 2*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint16(raw, Float16(v))
	}
	return NewTensorRaw(name, Tensor_FLOAT16, dims, raw)
}

// Float16 is the nearest IEEE 754 half precision number, ties to even.
func Float16(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	switch a := math.Abs(float64(x)); {
	case math.IsNaN(a):
		return sign | 0x7e00
	case a >= 65520: // half way between the largest number and the one after it
		return sign | 0x7c00
	case a < 1.0/(1<<14): // subnormal: a multiple of 2^-24; 1024 of them are the first normal number
		return sign | uint16(math.RoundToEven(a*(1<<24)))
	}
	b &= 0x7fffffff
	b += 0xfff + b>>13&1 // round the 13 bits that go; a carry moves into the exponent
	return sign | uint16((b>>13)-(127-15)<<10)
}
