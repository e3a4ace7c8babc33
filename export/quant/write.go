package quant

import (
	"fmt"
	"math"

	"perceive/export/onnx"
)

// writer puts a plan into its graph.
type writer struct {
	*plan
	params map[string]params
	nodes  []*onnx.Node
}

func (w *writer) write() error {
	quantised := map[string]bool{}
	for _, v := range w.values {
		quantised[v] = true
	}
	exact := map[string]bool{} // values that leave an integer operator
	for n := range w.integer {
		exact[w.end(n)] = true
	}
	for _, n := range w.graph.GetNode() {
		integer := w.integer[n]
		if integer && w.carries(n) {
			w.carry(n)
			continue
		}
		for i, in := range n.GetInput() {
			// What an integer operator made exists in integers alone; of what a float one made,
			// float readers keep the original.
			if _, given := w.given[in]; quantised[in] && !given && (integer || exact[in]) {
				n.Input[i] = in + ":dq"
			}
		}
		if integer && n.GetOpType() == "Conv" {
			if err := w.conv(n); err != nil {
				return err
			}
		}
		w.nodes = append(w.nodes, n)
		for _, out := range n.GetOutput() {
			if _, given := w.given[out]; quantised[out] && !given {
				w.qdq(out)
			}
		}
	}
	w.graph.Node = w.nodes
	return nil
}

// qdq adds the pair behind a value.
func (w *writer) qdq(v string) {
	w.nodes = append(w.nodes, onnx.NewNode("QuantizeLinear", v+":q", []string{v, v + ":scale", v + ":zero"}, []string{v + ":q"}))
	w.dq(v)
}

// dq makes real numbers of a value's integers again.
func (w *writer) dq(v string) {
	p := w.params[v]
	w.graph.Initializer = append(w.graph.Initializer,
		onnx.NewTensorFloat32(v+":scale", nil, []float32{p.Scale}),
		onnx.NewTensorRaw(v+":zero", p.Elem, nil, []byte{byte(p.Zero)}))
	w.nodes = append(w.nodes, onnx.NewNode("DequantizeLinear", v+":dq", []string{v + ":q", v + ":scale", v + ":zero"}, []string{v + ":dq"}))
}

// conv makes integers of a convolution's weights and, for the CPU, of its bias.
func (w *writer) conv(n *onnx.Node) error {
	out := n.GetOutput()[0]
	kernel := w.constants[n.GetInput()[1]]
	weights, err := kernel.Float32s()
	if err != nil {
		return fmt.Errorf("quant: layer %q: %w", out, err)
	}
	var bias []float32
	if len(n.GetInput()) > 2 && n.GetInput()[2] != "" {
		if bias, err = w.constants[n.GetInput()[2]].Float32s(); err != nil {
			return fmt.Errorf("quant: layer %q: %w", out, err)
		}
	}
	in, ok := w.params[trim(n.GetInput()[0])]
	if !ok {
		return fmt.Errorf("quant: layer %q: %w for its input", out, ErrRange)
	}
	channels := int(kernel.GetDims()[0])
	scales := make([]float32, channels)
	q := make([]byte, len(weights))
	each := len(weights) / channels
	for k := range scales {
		row := weights[k*each:][:each]
		scales[k] = weightScale(row, w.target.weights())
		if bias != nil && w.target == CPU {
			// A bias must fit 32 bits at the scale of the products.
			scales[k] = max(scales[k], float32(math.Abs(float64(bias[k]))/float64(in.Scale)/(1<<30)))
		}
		for i, x := range row {
			q[k*each+i] = byte(int8(clip(math.RoundToEven(float64(x)/float64(scales[k])), w.target.weights())))
		}
	}
	w.constant(out+":weight", onnx.NewTensorRaw("", onnx.Tensor_INT8, kernel.GetDims(), q), scales)
	n.Input[1] = out + ":weight:dq"
	if bias == nil || w.target != CPU {
		return nil
	}
	products := make([]float32, channels)
	ints := make([]int32, channels)
	for k := range ints {
		products[k] = in.Scale * scales[k]
		ints[k] = int32(math.RoundToEven(float64(bias[k]) / float64(products[k])))
	}
	w.constant(out+":bias", onnx.NewTensorInt32("", []int64{int64(channels)}, ints), products)
	n.Input[2] = out + ":bias:dq"
	return nil
}

// constant adds a constant of integers with a scale for each entry of its first axis.
func (w *writer) constant(name string, t *onnx.Tensor, scales []float32) {
	t.Name = &name
	size := 1
	if t.GetDataType() == int32(onnx.Tensor_INT32) {
		size = 4
	}
	n := int64(len(scales))
	w.graph.Initializer = append(w.graph.Initializer, t, onnx.NewTensorFloat32(name+":scale", []int64{n}, scales),
		onnx.NewTensorRaw(name+":zero", onnx.Tensor_DataType(t.GetDataType()), []int64{n}, make([]byte, size*len(scales))))
	w.nodes = append(w.nodes, onnx.NewNode("DequantizeLinear", name+":dq", []string{name, name + ":scale", name + ":zero"},
		[]string{name + ":dq"}, onnx.Int("axis", 0)))
}

// weightScale spends −limit to limit on a channel's weights.
func weightScale(row []float32, limit float64) float32 {
	var most float64
	for _, x := range row {
		most = max(most, math.Abs(float64(x)))
	}
	return positive(most / limit)
}

func clip(x, limit float64) float64 { return min(max(x, -limit), limit) }

// trim is the value behind a name that qdq gave.
func trim(name string) string {
	if n := len(name) - len(":dq"); n > 0 && name[n:] == ":dq" {
		return name[:n]
	}
	return name
}
