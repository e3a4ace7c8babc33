package ort

import (
	"fmt"
	"unsafe"
)

// The methods below are views of the tensor's memory, not copies: what is
// written is what the next Run reads. Asking for another type than the
// tensor's, or asking after Close, is a bug in the caller and panics.

// Float32 is the elements of a float32 tensor.
func (t *Tensor) Float32() []float32 { return view[float32](t, Float32) }

// Float64 is the elements of a float64 tensor.
func (t *Tensor) Float64() []float64 { return view[float64](t, Float64) }

// Float16 is the raw bits of a float16 tensor.
func (t *Tensor) Float16() []uint16 { return view[uint16](t, Float16) }

// Uint8 is the elements of a uint8 tensor.
func (t *Tensor) Uint8() []byte { return view[byte](t, Uint8) }

// Int8 is the elements of an int8 tensor.
func (t *Tensor) Int8() []int8 { return view[int8](t, Int8) }

// Int32 is the elements of an int32 tensor.
func (t *Tensor) Int32() []int32 { return view[int32](t, Int32) }

// Int64 is the elements of an int64 tensor.
func (t *Tensor) Int64() []int64 { return view[int64](t, Int64) }

// Bool is the elements of a bool tensor.
func (t *Tensor) Bool() []bool { return view[bool](t, Bool) }

// Bytes is the memory of a tensor of any type, in the machine's byte order.
func (t *Tensor) Bytes() []byte { return view[byte](t, t.dtype) }

func view[T any](t *Tensor, want DataType) []T {
	if t.dtype != want {
		panic(fmt.Sprintf("ort: tensor %v read as %v", t, want))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		panic(fmt.Sprintf("ort: tensor %v used after Close", t))
	}
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(t.data))), len(t.data)/int(unsafe.Sizeof(zero)))
}
