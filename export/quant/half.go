package quant

import (
	"fmt"
	"math"
	"slices"

	"perceive/export/onnx"
)

// maxHalf is the largest magnitude, observed or of a weight, that is trusted to fp16: a
// factor of 8 below its end, for frames that were not observed.
const maxHalf = 65504.0 / 8

// inHalf are operators that need no more than fp16's eleven bits of their inputs. Sums
// over whole maps, exponentials and logarithms do: they stay in fp32.
var inHalf = []string{"Identity", "Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Relu", "LeakyRelu", "Clip", "MaxPool", "AveragePool",
	"Concat", "Resize", "SpaceToDepth", "DepthToSpace", "Transpose", "Reshape", "Slice", "Split", "Flatten", "Squeeze", "Unsqueeze", "Pad", "HardSwish", "HardSigmoid"}

// Half is the pass that converts a frozen model to fp16. Inputs and outputs of the graph
// stay what they are. reach is the largest magnitude observed of a value; operators around
// one that leaves what fp16 holds, or was never observed, stay in fp32. float, if not
// nil, is told their names.
func Half(reach func(value string) (float64, bool), float func(node string)) func(*onnx.Model) error {
	return func(m *onnx.Model) error {
		p, err := newPlan(m, TensorRT, nil)
		if err != nil {
			return err
		}
		h := halver{plan: p, reach: reach, made: map[string]bool{}, half: map[string]bool{}}
		for _, n := range m.GetGraph().GetNode() {
			to16, err := h.node(n)
			if err != nil {
				return err
			}
			if !to16 && float != nil && h.isFloat(n.GetOutput()[0]) {
				float(n.GetName())
			}
		}
		m.Graph.Node = h.nodes
		return nil
	}
}

type halver struct {
	*plan
	reach func(string) (float64, bool)
	nodes []*onnx.Node
	half  map[string]bool // values that exist in fp16 under their own name
	made  map[string]bool // what convert has added
}

func (h *halver) isFloat(v string) bool { return h.types[v].Elem == onnx.Tensor_FLOAT }

// node adds a node with its inputs as it wants them, and reports whether it is in fp16.
func (h *halver) node(n *onnx.Node) (bool, error) {
	ok := h.fits(n)
	for i, in := range n.GetInput() {
		// Scales of a Resize are in fp32 by the operator's definition.
		if in == "" || !h.isFloat(in) || n.GetOpType() == "Resize" && i > 0 || h.half[in] == ok {
			continue
		}
		name, err := h.convert(in, ok)
		if err != nil {
			return false, err
		}
		n.Input[i] = name
	}
	h.nodes = append(h.nodes, n)
	if !ok {
		return false, nil
	}
	for _, a := range n.GetAttribute() {
		if n.GetOpType() == "Cast" && a.GetName() == "to" {
			*a.I = int64(onnx.Tensor_FLOAT16)
		}
	}
	for i, out := range n.GetOutput() {
		if h.output[out] { // what the vehicle reads stays in fp32
			n.Output[i] = out + ":fp16"
			h.rename(out)
			h.nodes = append(h.nodes, cast(out+":fp16", out, onnx.Tensor_FLOAT))
			continue
		}
		h.half[out] = true
	}
	return true, nil
}

// rename leads later readers of an output to its fp16.
func (h *halver) rename(out string) {
	h.half[out+":fp16"] = true
	h.types[out+":fp16"] = h.types[out]
	for _, r := range h.readers[out] {
		for i, in := range r.GetInput() {
			if in == out {
				r.Input[i] = out + ":fp16"
			}
		}
	}
}

// fits reports whether a node can compute in fp16.
func (h *halver) fits(n *onnx.Node) bool {
	toFloat := n.GetOpType() == "Cast" && n.AttrInt("to", 0) == int64(onnx.Tensor_FLOAT)
	if n.GetDomain() != "" || len(n.GetOutput()) == 0 || !h.isFloat(n.GetOutput()[0]) || !toFloat && !slices.Contains(inHalf, n.GetOpType()) {
		return false
	}
	for _, v := range slices.Concat(n.GetOutput(), n.GetInput()) {
		if v == "" || !h.isFloat(v) {
			continue
		}
		c := h.constants[v]
		if c == nil {
			most, seen := h.reach(v)
			if !seen || most > maxHalf {
				return false
			}
			continue
		}
		if w, err := c.Float32s(); err != nil || slices.ContainsFunc(w, func(x float32) bool { return math.Abs(float64(x)) > maxHalf }) {
			return false
		}
	}
	return true
}

// convert is a value in the other precision: a constant, or a Cast.
func (h *halver) convert(v string, toHalf bool) (string, error) {
	name, elem := v+":fp16", onnx.Tensor_FLOAT16
	if !toHalf {
		name, elem = v+":fp32", onnx.Tensor_FLOAT
	}
	if h.made[name] {
		return name, nil
	}
	h.made[name] = true
	h.half[name], h.types[name] = toHalf, h.types[v]
	c := h.constants[v]
	if c == nil {
		h.nodes = append(h.nodes, cast(v, name, elem))
		return name, nil
	}
	w, err := c.Float32s()
	if err != nil {
		return "", fmt.Errorf("quant: %w", err)
	}
	h.graph.Initializer = append(h.graph.Initializer, onnx.NewTensorFloat16(name, c.GetDims(), w))
	return name, nil
}

func cast(from, to string, elem onnx.Tensor_DataType) *onnx.Node {
	return onnx.NewNode("Cast", to, []string{from}, []string{to}, onnx.Int("to", int64(elem)))
}
