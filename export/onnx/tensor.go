package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// NewTensorFloat32 is a constant of float32, row-major. No dims means a scalar.
func NewTensorFloat32(name string, dims []int64, data []float32) *Tensor {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return NewTensorRaw(name, Tensor_FLOAT, dims, raw)
}

// NewTensorInt64 is a constant of int64.
func NewTensorInt64(name string, dims []int64, data []int64) *Tensor {
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return NewTensorRaw(name, Tensor_INT64, dims, raw)
}

// NewTensorInt32 is a constant of int32.
func NewTensorInt32(name string, dims []int64, data []int32) *Tensor {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	return NewTensorRaw(name, Tensor_INT32, dims, raw)
}

// NewTensorRaw is a constant whose elements are given in little-endian bytes.
func NewTensorRaw(name string, elem Tensor_DataType, dims []int64, raw []byte) *Tensor {
	e := int32(elem)
	return &Tensor{Name: &name, Dims: slices.Clone(dims), DataType: &e, RawData: raw}
}

// elemSize is the bytes of one element in raw_data, 0 for types that have none.
func elemSize(t Tensor_DataType) int64 {
	switch t {
	case Tensor_UINT8, Tensor_INT8, Tensor_BOOL:
		return 1
	case Tensor_UINT16, Tensor_INT16, Tensor_FLOAT16, Tensor_BFLOAT16:
		return 2
	case Tensor_FLOAT, Tensor_INT32, Tensor_UINT32:
		return 4
	case Tensor_INT64, Tensor_UINT64, Tensor_DOUBLE, Tensor_COMPLEX64:
		return 8
	case Tensor_COMPLEX128:
		return 16
	}
	return 0
}

// Len is the number of elements that the dimensions give.
func (x *Tensor) Len() (int64, error) {
	n := int64(1)
	for _, d := range x.GetDims() {
		if d < 0 || (d > 0 && n > math.MaxInt32/d) {
			return 0, fmt.Errorf("onnx: tensor %q: impossible shape %v", x.GetName(), x.GetDims())
		}
		n *= d
	}
	return n, nil
}

// Type is the tensor's type, a shape of no dimensions for a scalar.
func (x *Tensor) Type() TensorType {
	return TensorType{Tensor_DataType(x.GetDataType()), append([]int64{}, x.GetDims()...)}
}

// Float32s is a copy of the elements of a FLOAT tensor.
func (x *Tensor) Float32s() ([]float32, error) {
	return elements(x, Tensor_FLOAT, x.GetFloatData(), func(b []byte) float32 {
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	})
}

// Int64s is a copy of the elements of an INT64 tensor.
func (x *Tensor) Int64s() ([]int64, error) {
	return elements(x, Tensor_INT64, x.GetInt64Data(), func(b []byte) int64 {
		return int64(binary.LittleEndian.Uint64(b))
	})
}

// Int32s is a copy of the elements of an INT32 tensor.
func (x *Tensor) Int32s() ([]int32, error) {
	return elements(x, Tensor_INT32, x.GetInt32Data(), func(b []byte) int32 {
		return int32(binary.LittleEndian.Uint32(b))
	})
}

// elements reads from raw_data where there is any, else from the typed list.
func elements[T any](x *Tensor, want Tensor_DataType, list []T, decode func([]byte) T) ([]T, error) {
	if x == nil || Tensor_DataType(x.GetDataType()) != want {
		return nil, fmt.Errorf("onnx: tensor %q holds %v, want %v", x.GetName(), Tensor_DataType(x.GetDataType()), want)
	}
	n, err := x.Len()
	if err != nil {
		return nil, err
	}
	size := elemSize(want)
	switch raw := x.GetRawData(); {
	case raw != nil && int64(len(raw)) == n*size:
		out := make([]T, n)
		for i := range out {
			out[i] = decode(raw[int64(i)*size:])
		}
		return out, nil
	case raw == nil && int64(len(list)) == n:
		return slices.Clone(list), nil
	}
	return nil, fmt.Errorf("onnx: tensor %q: its data is not the %d elements of shape %v", x.GetName(), n, x.GetDims())
}
