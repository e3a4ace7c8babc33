package autodiff

import (
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Rules of operators that repeat elements or rearrange them in blocks.

// gatherRule adds each gradient to the element that was read, with
// ScatterElements: it works along any axis, where ScatterND would want the axis
// moved to the front and back.
func gatherRule(s step) []graph.Value {
	in := s.Shape(s.in[0])
	axis := s.axis(s.node.AttrInt("axis", 0), len(in))
	pre, n, post := product(in[:axis]), s.Size(s.in[1]), product(in[axis+1:])
	index := s.Op("Expand", []graph.Value{s.Reshape(s.in[1], 1, n, 1), s.Int64(pre, n, post)})
	dx := s.Op("ScatterElements", []graph.Value{s.zeros(pre, in[axis], post), index, s.Reshape(s.grad[0], pre, n, post)},
		onnx.Int("axis", 1), onnx.String("reduction", "add"))
	return []graph.Value{s.Reshape(dx, in...), {}}
}

// tileRule adds up the copies.
func tileRule(s step) []graph.Value {
	times, ok := s.ints(1)
	if !ok {
		return s.refuse("its repeats are not constant")
	}
	var split, copies []int64
	for i, d := range s.Shape(s.in[0]) {
		copies = append(copies, int64(len(split)))
		split = append(split, times[i], d)
	}
	g := s.ReduceSum(s.Reshape(s.grad[0], split...), copies...)
	return []graph.Value{s.Reshape(g, s.Shape(s.in[0])...), {}}
}

// spaceToDepthRule: DepthToSpace in its default order is the inverse.
func spaceToDepthRule(s step, _, dy graph.Value) graph.Value {
	return s.Op("DepthToSpace", []graph.Value{dy}, onnx.Int("blocksize", s.node.AttrInt("blocksize", 1)))
}

// depthToSpaceRule: SpaceToDepth inverts the default order; the other one, CRD,
// has the channel before the place in the block and is written out.
func depthToSpaceRule(s step, _, dy graph.Value) graph.Value {
	b := s.node.AttrInt("blocksize", 1)
	if s.node.AttrString("mode", "DCR") == "DCR" {
		return s.Op("SpaceToDepth", []graph.Value{dy}, onnx.Int("blocksize", b))
	}
	in := s.Shape(s.in[0])
	split := s.Reshape(dy, in[0], in[1]/(b*b), in[2], b, in[3], b)
	return s.Reshape(s.Transpose(split, 0, 1, 3, 5, 2, 4), slices.Clone(in)...)
}
