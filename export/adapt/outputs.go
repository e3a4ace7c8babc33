package adapt

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
	"perceive/models"
)

// outputs makes one output of theirs: a probability a label.
func (w *wrapper) outputs() error {
	types, err := onnx.InferShapes(w.model)
	if err != nil {
		return err
	}
	o := w.sidecar.Outputs
	labels := int64(len(w.sidecar.Labels))
	var answers []string
	for _, name := range o.Names {
		if !slices.ContainsFunc(w.graph.GetOutput(), func(v *onnx.ValueInfo) bool { return v.GetName() == name }) {
			return fmt.Errorf("it has no output %q (it has %s)", name, w.outputNames())
		}
		t := types[name]
		axis, err := classAxis(t, o, w.sidecar.Labels)
		if err != nil {
			return fmt.Errorf("output %q is %v%v: %w", name, t.Elem, t.Shape, err)
		}
		answers = append(answers, w.answers(name, len(t.Shape), axis))
	}
	x := answers[0]
	if len(answers) > 1 {
		x = w.node(&w.graph.Node, "Max", answers)
	}
	shape := w.constant(&w.graph.Node, onnx.NewTensorInt64("", []int64{2}, []int64{1, labels}))
	w.graph.Node = append(w.graph.Node, onnx.NewNode("Reshape", Probabilities, []string{x, shape}, []string{Probabilities}))
	w.graph.Output = []*onnx.ValueInfo{onnx.NewValueInfo(Probabilities, onnx.Tensor_FLOAT, 1, labels)}
	return nil
}

func (w *wrapper) outputNames() string {
	var names []string
	for _, v := range w.graph.GetOutput() {
		names = append(names, fmt.Sprintf("%q", v.GetName()))
	}
	return fmt.Sprint(names)
}

// classAxis holds an output's type against the contract, and counts its axis from the
// front.
func classAxis(t onnx.TensorType, o models.SidecarOutputs, labels []models.SidecarLabel) (int, error) {
	if t.Elem != onnx.Tensor_FLOAT && t.Elem != onnx.Tensor_UNDEFINED {
		return 0, fmt.Errorf("want float32")
	}
	if t.Shape == nil {
		return 0, fmt.Errorf("its shape is not known")
	}
	axis := *o.Axis
	if axis < 0 {
		axis += len(t.Shape)
	}
	if axis < 0 || axis >= len(t.Shape) {
		return 0, fmt.Errorf("it has no axis %d", *o.Axis)
	}
	size := t.Shape[axis]
	if size < 0 {
		return 0, fmt.Errorf("the length of axis %d is not known", *o.Axis)
	}
	for _, l := range labels {
		if at := int64(*o.First) + int64(*l.Class); at >= size {
			return 0, fmt.Errorf("class %d of %q would be at %d of axis %d, which has %d", *l.Class, l.ID, at, *o.Axis, size)
		}
	}
	if o.Objectness != nil && int64(*o.Objectness) >= size {
		return 0, fmt.Errorf("objectness would be at %d of axis %d, which has %d", *o.Objectness, *o.Axis, size)
	}
	for i, d := range t.Shape {
		if i == axis || o.Kind == models.Boxes && i > 0 {
			continue
		}
		if d != 1 {
			return 0, fmt.Errorf("axis %d has %d, want 1 of an answer a picture", i, d)
		}
	}
	return axis, nil
}

// answers makes a label's answers of one output: all axes but that of the classes have
// length 1.
func (w *wrapper) answers(x string, rank, axis int) string {
	o, nodes := w.sidecar.Outputs, &w.graph.Node
	if o.Activation == models.Softmax {
		x = w.softmax(x, rank, axis)
	}
	classes := make([]int64, len(w.sidecar.Labels))
	for i, l := range w.sidecar.Labels {
		classes[i] = int64(*o.First) + int64(*l.Class)
	}
	pick := func(at ...int64) string {
		index := w.constant(nodes, onnx.NewTensorInt64("", []int64{int64(len(at))}, at))
		v := w.node(nodes, "Gather", []string{x, index}, onnx.Int("axis", int64(axis)))
		if o.Activation == models.Sigmoid {
			v = w.node(nodes, "Sigmoid", []string{v})
		}
		return v
	}
	y := pick(classes...)
	if o.Objectness != nil && *o.Objectness >= 0 {
		y = w.node(nodes, "Mul", []string{y, pick(int64(*o.Objectness))})
	}
	if o.Kind == models.Picture {
		return y
	}
	var axes []int64
	for i := range rank {
		if i != axis {
			axes = append(axes, int64(i))
		}
	}
	return w.largest(y, axes)
}

// largest reduces axes to length 1. From operator set 18 on they are an input.
func (w *wrapper) largest(x string, axes []int64) string {
	nodes := &w.graph.Node
	if w.model.Opset() < 18 {
		return w.node(nodes, "ReduceMax", []string{x}, onnx.Ints("axes", axes...), onnx.Int("keepdims", 1))
	}
	list := w.constant(nodes, onnx.NewTensorInt64("", []int64{int64(len(axes))}, axes))
	return w.node(nodes, "ReduceMax", []string{x, list}, onnx.Int("keepdims", 1))
}

// softmax is over one axis. Before operator set 13 Softmax took all axes from the given
// one on together, which is the same where it is the last: the axis is moved there and
// back.
func (w *wrapper) softmax(x string, rank, axis int) string {
	nodes, last := &w.graph.Node, rank-1
	swap := make([]int64, rank)
	for i := range swap {
		swap[i] = int64(i)
	}
	swap[axis], swap[last] = swap[last], swap[axis]
	if axis != last {
		x = w.node(nodes, "Transpose", []string{x}, onnx.Ints("perm", swap...))
	}
	x = w.node(nodes, "Softmax", []string{x}, onnx.Int("axis", int64(last)))
	if axis != last {
		x = w.node(nodes, "Transpose", []string{x}, onnx.Ints("perm", swap...))
	}
	return x
}
