package ort_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"

	"perceive/hw/ort"
)

// TestMain looks for leaked goroutines. A child process that TestOpen starts
// opens one library, says what happened, and ends: a process loads only one.
func TestMain(m *testing.M) {
	if lib := os.Getenv(openChild); lib != "" {
		_, err := ort.Open(ort.Config{Library: lib})
		fmt.Println(err, "| is ErrUnavailable:", errors.Is(err, ort.ErrUnavailable))
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// The models of these tests are written field by field, with the numbers of
// the ONNX specification, so that this package's tests need nothing above it.

func field(num protowire.Number, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), body)
}

func text(num protowire.Number, s string) []byte { return field(num, []byte(s)) }

func number(num protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), uint64(v))
}

// value is a ValueInfoProto; a dimension of -1 gets a name instead of a number.
func value(name string, t ort.DataType, shape ...int64) []byte {
	var dims []byte
	for i, d := range shape {
		if d < 0 {
			dims = append(dims, field(1, text(2, fmt.Sprintf("d%d", i)))...)
		} else {
			dims = append(dims, field(1, number(1, d))...)
		}
	}
	return append(text(1, name), field(2, field(1, number(1, int64(t)), field(2, dims)))...)
}

func node(op string, in []string, out string) []byte {
	var b []byte
	for _, name := range in {
		b = append(b, text(1, name)...)
	}
	return field(1, b, text(2, out), text(4, op))
}

// model is a ModelProto of IR version 8 and opset 17 with one metadata entry.
func model(graph ...[]byte) []byte {
	var m []byte
	m = append(m, number(1, 8)...)
	m = append(m, field(8, number(2, 17))...)
	m = append(m, field(7, append(graph, text(2, "g"))...)...)
	return append(m, field(14, text(1, "maker"), text(2, "test"))...)
}

// addModel is sum = a + b over float32[?,3].
func addModel() []byte {
	return model(node("Add", []string{"a", "b"}, "sum"),
		field(11, value("a", ort.Float32, -1, 3)), field(11, value("b", ort.Float32, -1, 3)),
		field(12, value("sum", ort.Float32, -1, 3)))
}

// slowModel multiplies a matrix by itself n times: n operators of about a
// millisecond or more each, so that a run can be stopped between two of them.
func slowModel(n int, size int64) []byte {
	graph := [][]byte{field(11, value("x", ort.Float32, size, size)), field(12, value("y", ort.Float32, size, size))}
	from := "x"
	for i := range n {
		to := fmt.Sprintf("h%d", i)
		if i == n-1 {
			to = "y"
		}
		graph = append(graph, node("MatMul", []string{from, "x"}, to))
		from = to
	}
	return model(graph...)
}

// identityModel copies one tensor of the given type.
func identityModel(t ort.DataType, n int64) []byte {
	return model(node("Identity", []string{"x"}, "y"), field(11, value("x", t, n)), field(12, value("y", t, n)))
}
