package ort

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// header is what a session must know of a model before it can be made. It is
// read straight from the file's bytes: the library tells it only after loading
// the model a second time, and without telling a scalar from an unknown shape.
type header struct {
	inputs, outputs []Spec
	metadata        map[string]string
}

var errNotONNX = errors.New("the bytes are not an ONNX model")

// Field numbers are those of the ONNX specification, onnx.proto.
const (
	modelGraph, modelMetadata           = 7, 14
	graphInitializer, graphIn, graphOut = 5, 11, 12
	tensorName                          = 8
	valueName, valueType                = 1, 2
	typeTensor, tensorElem, tensorShape = 1, 1, 2
	shapeDim, dimValue                  = 1, 1
	entryKey, entryValue                = 1, 2
	graphSparse, sparseValues           = 15, 1
)

// readHeader reads the graph's inputs and outputs, without copying weights.
func readHeader(model []byte) (h header, err error) {
	var graph []byte
	h.metadata = map[string]string{}
	err = fields(model, func(num protowire.Number, v []byte, _ uint64) error {
		switch num {
		case modelGraph:
			graph = v
		case modelMetadata:
			key, value, err := entry(v)
			h.metadata[key] = value
			return err
		}
		return nil
	})
	if err != nil {
		return h, fmt.Errorf("%w (%w)", errNotONNX, err)
	}
	if graph == nil {
		return h, errNotONNX
	}
	if err := h.readGraph(graph); err != nil {
		return h, err
	}
	if len(h.inputs) == 0 || len(h.outputs) == 0 {
		return h, fmt.Errorf("the model has %d inputs and %d outputs, want at least one of each",
			len(h.inputs), len(h.outputs))
	}
	return h, nil
}

func (h *header) readGraph(graph []byte) error {
	var ins []Spec
	initial := map[string]bool{}
	err := fields(graph, func(num protowire.Number, v []byte, _ uint64) error {
		switch num {
		case graphInitializer, graphSparse:
			if num == graphSparse {
				v = sub(v, sparseValues)
			}
			initial[string(sub(v, tensorName))] = true
		case graphIn, graphOut:
			s, err := readSpec(v)
			if num == graphIn {
				ins = append(ins, s)
			} else {
				h.outputs = append(h.outputs, s)
			}
			return err
		}
		return nil
	})
	// An input that has an initializer is a weight with a default value. The
	// library does not count it as an input either.
	for _, s := range ins {
		if !initial[s.Name] {
			h.inputs = append(h.inputs, s)
		}
	}
	return err
}

func readSpec(v []byte) (Spec, error) {
	s := Spec{Name: string(sub(v, valueName))}
	tensor := sub(sub(v, valueType), typeTensor)
	if tensor == nil {
		return s, fmt.Errorf("%q is not a tensor", s.Name)
	}
	err := fields(tensor, func(num protowire.Number, v []byte, n uint64) error {
		switch num {
		case tensorElem:
			s.Type = DataType(n)
		case tensorShape:
			s.Shape = []int64{}
			return fields(v, func(num protowire.Number, v []byte, _ uint64) error {
				if num == shapeDim {
					s.Shape = append(s.Shape, readDim(v))
				}
				return nil
			})
		}
		return nil
	})
	return s, err
}

// readDim is -1 for a dimension with a name or with nothing.
func readDim(v []byte) int64 {
	d := int64(-1)
	_ = fields(v, func(num protowire.Number, _ []byte, n uint64) error {
		if num == dimValue {
			d = int64(n)
		}
		return nil
	})
	return max(d, -1)
}

func entry(v []byte) (key, value string, err error) {
	err = fields(v, func(num protowire.Number, v []byte, _ uint64) error {
		switch num {
		case entryKey:
			key = string(v)
		case entryValue:
			value = string(v)
		}
		return nil
	})
	return key, value, err
}

// sub is the last value of a length-delimited field, nil when there is none.
func sub(msg []byte, want protowire.Number) (out []byte) {
	_ = fields(msg, func(num protowire.Number, v []byte, _ uint64) error {
		if num == want && v != nil {
			out = v
		}
		return nil
	})
	return out
}

// fields walks one message. v is set for length-delimited fields, n for
// varints; other wire types are skipped.
func fields(msg []byte, f func(num protowire.Number, v []byte, n uint64) error) error {
	for len(msg) > 0 {
		num, typ, size := protowire.ConsumeTag(msg)
		if size < 0 {
			return protowire.ParseError(size)
		}
		msg = msg[size:]
		var v []byte
		var n uint64
		switch typ {
		case protowire.BytesType:
			v, size = protowire.ConsumeBytes(msg)
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(msg)
		default:
			size = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err := f(num, v, n); err != nil {
			return err
		}
		msg = msg[size:]
	}
	return nil
}
