// Package adapt puts a model that another tool wrote behind this project's own contract:
// nodes before its input make that input of the camera's bytes, nodes behind its outputs
// make one probability a label of them. What runs on the vehicle is one graph, as ever.
package adapt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/models"
)

// ErrMismatch reports a model that is not as its contract says.
var ErrMismatch = errors.New("the model is not as its contract says")

// The names of the adapted graph's input and output.
const (
	Frame         = "perceive/frame"
	Probabilities = "perceive/probabilities"
)

// oldest is the first operator set in which the operators used here mean what they do
// today: before 7, shapes did not broadcast.
const oldest = 7

// Wrap changes a model in place and returns the contract that it then has. Its weights
// and nodes stay as they are.
func Wrap(m *onnx.Model, s *models.Sidecar) (*models.Manifest, error) {
	if v := m.Opset(); v < oldest {
		return nil, fmt.Errorf("adapt: operator set %d, want %d or newer: convert the model with the tool that made it", v, oldest)
	}
	w := wrapper{model: m, graph: m.GetGraph(), sidecar: s}
	if err := w.taken(); err != nil {
		return nil, fmt.Errorf("adapt: %w", err)
	}
	if err := w.input(); err != nil {
		return nil, fmt.Errorf("adapt: %w: %w", ErrMismatch, err)
	}
	if err := w.outputs(); err != nil {
		return nil, fmt.Errorf("adapt: %w: %w", ErrMismatch, err)
	}
	man := &models.Manifest{Schema: models.Schema, Name: s.Name, Licence: s.Licence,
		Input:   models.Input{Name: Frame, Type: "uint8", Layout: "NHWC", Color: "BGR", Width: s.Input.Width, Height: s.Input.Height, Fit: s.Input.Fit},
		Outputs: models.Outputs{Probabilities: Probabilities}}
	if s.Input.Pad != nil {
		man.Input.Pad = *s.Input.Pad
	}
	for _, l := range s.Labels {
		man.Labels = append(man.Labels, models.Label{ID: l.ID, Threshold: *l.Threshold, ThresholdRule: "as its contract says"})
	}
	return man, man.Validate()
}

// wrapper adds nodes to a graph.
type wrapper struct {
	model   *onnx.Model
	graph   *onnx.Graph
	sidecar *models.Sidecar
	before  []*onnx.Node // the prefix
	made    int
}

// taken refuses a graph in which names are taken that are about to be made.
func (w *wrapper) taken() error {
	var names []string
	for _, n := range w.graph.GetNode() {
		names = append(append(names, n.GetInput()...), n.GetOutput()...)
	}
	for _, v := range w.graph.GetInput() {
		names = append(names, v.GetName())
	}
	for _, t := range w.graph.GetInitializer() {
		names = append(names, t.GetName())
	}
	for _, name := range names {
		if strings.HasPrefix(name, ours) {
			return fmt.Errorf("the model has a value %q: it is adapted already", name)
		}
	}
	return nil
}

// ours is how the names of everything begin that is made here.
const ours = "perceive/"

// node adds a node with one result, whose name it returns.
func (w *wrapper) node(nodes *[]*onnx.Node, op string, in []string, attrs ...*onnx.Attribute) string {
	w.made++
	name := fmt.Sprintf("%s%s_%d", ours, op, w.made)
	*nodes = append(*nodes, onnx.NewNode(op, name, in, []string{name}, attrs...))
	return name
}

// constant adds a Constant node: an initializer would have to be an input, too, in the
// oldest files.
func (w *wrapper) constant(nodes *[]*onnx.Node, t *onnx.Tensor) string {
	return w.node(nodes, "Constant", nil, &onnx.Attribute{Name: proto.String("value"), T: t, Type: onnx.Attribute_TENSOR.Enum()})
}

// input puts the frame in the place of the model's input.
func (w *wrapper) input() error {
	in := w.sidecar.Input
	constant := map[string]bool{}
	for _, t := range w.graph.GetInitializer() {
		constant[t.GetName()] = true
	}
	var others []*onnx.ValueInfo
	var theirs *onnx.ValueInfo
	for _, v := range w.graph.GetInput() {
		switch {
		case v.GetName() == in.Name:
			theirs = v
		case constant[v.GetName()]:
			others = append(others, v)
		default:
			return fmt.Errorf("input %q is neither a weight nor the picture %q", v.GetName(), in.Name)
		}
	}
	if theirs == nil {
		return fmt.Errorf("it has no input %q", in.Name)
	}
	want := []int64{1, 3, int64(in.Height), int64(in.Width)}
	t := theirs.TensorType()
	if t.Elem != onnx.Tensor_FLOAT || t.Shape != nil && !fits(t.Shape, want) {
		return fmt.Errorf("input %q is %v%v, want float32%v", in.Name, t.Elem, t.Shape, want)
	}
	w.graph.Input = append([]*onnx.ValueInfo{onnx.NewValueInfo(Frame, onnx.Tensor_UINT8, 1, want[2], want[3], 3)}, others...)
	// The shape of what was the input: free sizes are known from here on.
	w.graph.ValueInfo = append(w.graph.ValueInfo, onnx.NewValueInfo(in.Name, onnx.Tensor_FLOAT, want...))
	w.prefix(in)
	w.graph.Node = append(w.before, w.graph.Node...)
	return nil
}

// fits reports whether a declared shape, -1 where it is free, can be the wanted one.
func fits(declared, want []int64) bool {
	return len(declared) == len(want) && !slices.ContainsFunc([]int{0, 1, 2, 3}, func(i int) bool {
		return declared[i] >= 0 && declared[i] != want[i]
	})
}

// prefix makes (byte·scale − mean)/std, planes in their order, of the frame. Bytes are
// moved before they grow to four times their size.
func (w *wrapper) prefix(in models.SidecarInput) {
	x := w.node(&w.before, "Transpose", []string{Frame}, onnx.Ints("perm", 0, 3, 1, 2))
	if in.Color == "RGB" {
		order := w.constant(&w.before, onnx.NewTensorInt64("", []int64{3}, []int64{2, 1, 0}))
		x = w.node(&w.before, "Gather", []string{x, order}, onnx.Int("axis", 1))
	}
	x = w.node(&w.before, "Cast", []string{x}, onnx.Int("to", int64(onnx.Tensor_FLOAT)))
	gain, offset := make([]float32, 3), make([]float32, 3)
	for i := range gain {
		gain[i], offset[i] = float32(*in.Scale/in.Std[i]), float32(-in.Mean[i]/in.Std[i])
	}
	if !slices.Equal(gain, []float32{1, 1, 1}) {
		x = w.node(&w.before, "Mul", []string{x, w.constant(&w.before, onnx.NewTensorFloat32("", []int64{1, 3, 1, 1}, gain))})
	}
	if !slices.Equal(offset, []float32{0, 0, 0}) {
		w.node(&w.before, "Add", []string{x, w.constant(&w.before, onnx.NewTensorFloat32("", []int64{1, 3, 1, 1}, offset))})
	}
	// The last node makes what their nodes read.
	w.before[len(w.before)-1].Output[0] = in.Name
}
