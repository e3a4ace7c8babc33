package ort

import "fmt"

// DataType is an element type with the number that ONNX gives it in TensorProto.
type DataType int32

// The element types that tensors of this package can hold.
const (
	Float32 DataType = 1
	Uint8   DataType = 2
	Int8    DataType = 3
	Uint16  DataType = 4
	Int16   DataType = 5
	Int32   DataType = 6
	Int64   DataType = 7
	Bool    DataType = 9
	// Float16 is held as raw IEEE 754 half precision bits, see Tensor.Float16.
	Float16 DataType = 10
	Float64 DataType = 11
	Uint32  DataType = 12
	Uint64  DataType = 13
)

// Size is the number of bytes of one element, 0 for a type that tensors of
// this package cannot hold (strings, complex and sub-byte numbers).
func (d DataType) Size() int {
	switch d {
	case Uint8, Int8, Bool:
		return 1
	case Uint16, Int16, Float16:
		return 2
	case Float32, Int32, Uint32:
		return 4
	case Int64, Uint64, Float64:
		return 8
	}
	return 0
}

// String is the name that ONNX documents use, in lower case.
func (d DataType) String() string {
	names := [...]string{"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64",
		"string", "bool", "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"}
	if d >= 0 && int(d) < len(names) {
		return names[d]
	}
	return fmt.Sprintf("onnx type %d", int32(d))
}
