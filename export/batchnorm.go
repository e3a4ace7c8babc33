package export

import (
	"fmt"
	"math"
	"slices"

	"perceive/export/onnx"
)

// FoldBatchNorm puts a batch normalisation into the convolution before it, where both have
// constant parameters and nothing else reads what is between them:
//
//	γ·(w∗x + b − μ)/√(σ²+ε) + β = (w·k)∗x + (b−μ)·k + β,  k = γ/√(σ²+ε)
func FoldBatchNorm(m *onnx.Model) error {
	g := m.GetGraph()
	v := look(g)
	var kept []*onnx.Node
	for _, n := range g.GetNode() {
		conv := v.convBefore(n)
		if conv == nil {
			kept = append(kept, n)
			continue
		}
		if err := v.foldInto(conv, n); err != nil {
			return fmt.Errorf("export: folding batch normalisation %q: %w", n.GetName(), err)
		}
	}
	g.Node = kept
	return nil
}

// view is a graph's values by name.
type view struct {
	graph     *onnx.Graph
	constants map[string]*onnx.Tensor
	maker     map[string]*onnx.Node
	reads     map[string]int // including as an output of the graph
}

func look(g *onnx.Graph) view {
	v := view{g, map[string]*onnx.Tensor{}, map[string]*onnx.Node{}, map[string]int{}}
	for _, c := range g.GetInitializer() {
		v.constants[c.GetName()] = c
	}
	for _, n := range g.GetNode() {
		for _, out := range n.GetOutput() {
			v.maker[out] = n
		}
		for _, in := range n.GetInput() {
			v.reads[in]++
		}
	}
	for _, out := range g.GetOutput() {
		v.reads[out.GetName()]++
	}
	return v
}

// convBefore is the convolution that a batch normalisation can become part of, or nil.
func (v view) convBefore(n *onnx.Node) *onnx.Node {
	if n.GetOpType() != "BatchNormalization" || n.GetDomain() != "" || n.AttrInt("training_mode", 0) != 0 || len(n.GetInput()) != 5 || len(n.GetOutput()) != 1 {
		return nil
	}
	conv := v.maker[n.GetInput()[0]]
	if conv.GetOpType() != "Conv" || conv.GetDomain() != "" || v.reads[n.GetInput()[0]] != 1 {
		return nil
	}
	for _, in := range slices.Concat(n.GetInput()[1:], conv.GetInput()[1:]) {
		if in != "" && v.constants[in].GetDataType() != int32(onnx.Tensor_FLOAT) {
			return nil
		}
	}
	return conv
}

func (v view) foldInto(conv, bn *onnx.Node) error {
	var p [4][]float32 // γ, β, μ, σ²
	for i := range p {
		var err error
		if p[i], err = v.constants[bn.GetInput()[1+i]].Float32s(); err != nil {
			return err
		}
	}
	kernel := v.constants[conv.GetInput()[1]]
	w, err := kernel.Float32s()
	if err != nil {
		return err
	}
	channels := len(p[0])
	bias := make([]float32, channels)
	if len(conv.GetInput()) > 2 && conv.GetInput()[2] != "" {
		if bias, err = v.constants[conv.GetInput()[2]].Float32s(); err != nil {
			return err
		}
	}
	if len(kernel.GetDims()) == 0 || kernel.GetDims()[0] != int64(channels) || len(bias) != channels {
		return fmt.Errorf("%d channels, the convolution has a kernel %v", channels, kernel.GetDims())
	}
	epsilon := float64(bn.AttrFloat("epsilon", 1e-5))
	each := len(w) / channels
	for c := range channels {
		k := float64(p[0][c]) / math.Sqrt(float64(p[3][c])+epsilon)
		for i := range each {
			w[c*each+i] = float32(float64(w[c*each+i]) * k)
		}
		bias[c] = float32((float64(bias[c])-float64(p[2][c]))*k + float64(p[1][c]))
	}
	out := bn.GetOutput()[0]
	v.graph.Initializer = append(v.graph.Initializer, onnx.NewTensorFloat32(out+":kernel", kernel.GetDims(), w),
		onnx.NewTensorFloat32(out+":bias", []int64{int64(channels)}, bias))
	conv.Input = []string{conv.GetInput()[0], out + ":kernel", out + ":bias"}
	conv.Output[0] = out
	return nil
}
