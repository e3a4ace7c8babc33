package ort_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

// weight is an initializer: one float32 of value 2.
func weight(name string) []byte {
	return field(5, number(1, 1), number(2, 1), text(8, name), field(9, []byte{0, 0, 0, 0x40}))
}

// Weights that are listed as inputs too, as old exporters do, are not inputs;
// a shape that the model leaves out is nil, a scalar is not.
func TestSpecs(t *testing.T) {
	undeclared := append(text(1, "y"), field(2, field(1, number(1, int64(ort.Float32))))...)
	s := orttest.Session(t, model(
		node("Mul", []string{"x", "w"}, "y"), node("ReduceSum", []string{"y"}, "total"), weight("w"),
		field(11, value("x", ort.Float32, -1, 4)), field(11, value("w", ort.Float32, 1)),
		field(12, undeclared), field(12, value("total", ort.Float32)),
	), ort.Options{})
	if d := cmp.Diff([]ort.Spec{{Name: "x", Type: ort.Float32, Shape: []int64{-1, 4}}}, s.Inputs()); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
	want := []ort.Spec{{Name: "y", Type: ort.Float32}, {Name: "total", Type: ort.Float32, Shape: []int64{}}}
	if d := cmp.Diff(want, s.Outputs()); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
}

func TestSpecString(t *testing.T) {
	for want, s := range map[string]ort.Spec{
		`"frame" uint8[? 96 160 3]`: {Name: "frame", Type: ort.Uint8, Shape: []int64{-1, 96, 160, 3}},
		`"y" float32`:               {Name: "y", Type: ort.Float32},
		`"s" int64[]`:               {Name: "s", Type: ort.Int64, Shape: []int64{}},
		`"odd" bfloat16[2]`:         {Name: "odd", Type: 16, Shape: []int64{2}},
		`"new" onnx type 77[2]`:     {Name: "new", Type: 77, Shape: []int64{2}},
	} {
		if got := s.String(); got != want {
			t.Errorf("String() = %s, want %s", got, want)
		}
	}
}
