package quant

import (
	"slices"

	"perceive/export/onnx"
)

// carries reports whether a node moves integers as they are, without a kernel that knows
// of scales: on the CPU, a nearest-neighbour Resize of pictures by factors.
func (w *writer) carries(n *onnx.Node) bool {
	if w.target != CPU || n.GetOpType() != "Resize" || len(n.GetInput()) != 3 || w.float(n.GetInput()[0]) {
		return false
	}
	from, to := w.types[n.GetInput()[0]], w.types[n.GetOutput()[0]]
	return from.Static() && to.Static() && len(from.Shape) == 4 && slices.Equal(from.Shape[:2], to.Shape[:2])
}

// float reports whether a value has no integers.
func (w *writer) float(v string) bool {
	_, ok := w.params[v]
	_, given := w.given[v]
	return !ok || given
}

// carry puts a Resize between the integers of its input and those of its result.
//
// ONNX Runtime keeps integers channels-last, where its Resize takes a general path that is
// five times as slow as the one for pictures. As [N·C,1,h,w] the channels cannot be
// moved, and the fast path is taken.
func (w *writer) carry(n *onnx.Node) {
	in, out := n.GetInput()[0], n.GetOutput()[0]
	from, to := w.types[in].Shape, w.types[out].Shape
	w.graph.Initializer = append(w.graph.Initializer,
		onnx.NewTensorInt64(out+":planes", []int64{4}, []int64{-1, 1, from[2], from[3]}),
		onnx.NewTensorInt64(out+":picture", []int64{4}, []int64{-1, to[1], to[2], to[3]}))
	n.Input[0], n.Output[0] = out+":in", out+":out"
	w.nodes = append(w.nodes,
		onnx.NewNode("Reshape", out+":in", []string{in + ":q", out + ":planes"}, []string{out + ":in"}),
		n,
		onnx.NewNode("Reshape", out+":q", []string{out + ":out", out + ":picture"}, []string{out + ":q"}))
	w.dq(out)
}
