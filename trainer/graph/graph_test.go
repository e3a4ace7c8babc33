package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// The first mistake sticks, names the operator and the line that made it, and
// everything after it is quiet.
func TestMistakesStick(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(b *graph.Builder, x graph.Value)
		says []string
	}{
		{"shapes do not fit", func(b *graph.Builder, x graph.Value) { b.MatMul(x, x) }, []string{"MatMul", "[2 3]"}},
		{"a value of another graph", func(b *graph.Builder, x graph.Value) { b.Relu(graph.Named("elsewhere")) }, []string{"Relu", "elsewhere"}},
		{"a name twice", func(b *graph.Builder, x graph.Value) { b.Input("x", onnx.Tensor_FLOAT, 1) }, []string{`"x"`, "taken"}},
		{"an output twice", func(b *graph.Builder, x graph.Value) { b.Output("y", x); b.Output("y", x) }, []string{`"y"`, "taken"}},
		{"an unknown operator", func(b *graph.Builder, x graph.Value) { b.Op("Frobnicate", []graph.Value{x}) }, []string{"Frobnicate"}},
		{"the caller's own complaint", func(b *graph.Builder, x graph.Value) { b.Failf("a %s mistake", "silly") }, []string{"a silly mistake"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := graph.New("g")
			x := b.Input("x", onnx.Tensor_FLOAT, 2, 3)
			tc.make(b, x)
			first := b.Err()
			if first == nil {
				t.Fatal("no error")
			}
			for _, s := range append(tc.says, "graph_test.go:") {
				if !strings.Contains(first.Error(), s) {
					t.Errorf("error %q does not say %q", first, s)
				}
			}
			b.Output("late", b.Add(b.Relu(x), x))
			if _, err := b.Model(); err != first {
				t.Errorf("Model gives %v, want the first error", err)
			}
		})
	}
}

func TestEqualConstantsAreStoredOnce(t *testing.T) {
	b := graph.New("g")
	x := b.Input("x", onnx.Tensor_FLOAT, 2)
	b.Output("y", b.Add(b.Scale(x, 3), b.Scale(x, 3)))
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.GetGraph().GetInitializer()); n != 1 {
		t.Errorf("%d constants, want 1", n)
	}
}

func TestExtend(t *testing.T) {
	b := graph.New("g")
	x := b.Input("x", onnx.Tensor_FLOAT, 1, 1, 4, 4)
	b.Relu(b.Op("MaxPool", []graph.Value{x}, onnx.Ints("kernel_shape", 2, 2)))
	pool, relu := b.Nodes()[0], b.Nodes()[1]
	where := b.Extend(pool, 1)
	if b.Extend(pool, 1) != where || len(pool.GetOutput()) != 2 || b.Elem(where) != onnx.Tensor_INT64 || !slices.Equal(b.Shape(where), []int64{1, 1, 3, 3}) {
		t.Errorf("outputs %q, the second is %v%v", pool.GetOutput(), b.Elem(where), b.Shape(where))
	}
	if b.Extend(relu, 1); b.Err() == nil || !strings.Contains(b.Err().Error(), "Relu") {
		t.Errorf("error %v, want one that Relu has no second output", b.Err())
	}
}

func TestScopesNameNodes(t *testing.T) {
	b := graph.New("g")
	x := b.Input("x", onnx.Tensor_FLOAT, 2)
	b.Scope("outer", func() {
		b.Scope("inner", func() { x = b.Relu(x) })
		x = b.Relu(x)
	})
	var names []string
	for _, n := range b.Nodes() {
		names = append(names, n.GetName())
	}
	if want := []string{"outer/inner/Relu", "outer/Relu"}; !slices.Equal(names, want) {
		t.Errorf("nodes %q, want %q", names, want)
	}
}

func ExampleBuilder() {
	b := graph.New("example")
	x := b.Input("x", onnx.Tensor_FLOAT, 4, 3)
	w := b.Float32([]float32{1, 0, 0, 1, 1, 1}, 3, 2)
	b.Output("y", b.Relu(b.MatMul(x, w)))
	m, err := b.Model()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range m.GetGraph().GetNode() {
		fmt.Println(n.GetOpType(), n.GetInput(), n.GetOutput())
	}
	// Output:
	// MatMul [x const] [MatMul]
	// Relu [MatMul] [Relu]
	// Identity [Relu] [y]
}
