package quant

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
)

// layouts writes changes of layout with the operators that ONNX Runtime's CPU provider
// has for bytes: Reshape and Transpose. The batch is left to be what it is.
type layouts struct {
	*front
	value string
	shape []int64
	nodes []*onnx.Node
}

// channelsFirst reports whether a node turns [N,H,W,C] into [N,C,H,W].
func channelsFirst(n *onnx.Node) bool {
	return n.GetOpType() == "Transpose" && slices.Equal(n.AttrInts("perm"), []int64{0, 3, 1, 2})
}

func (l *layouts) add(op string, shape []int64, in []string, attrs ...*onnx.Attribute) {
	name := fmt.Sprintf("%s:bytes%d", l.front.value, len(l.nodes))
	l.nodes = append(l.nodes, onnx.NewNode(op, name, append([]string{l.value}, in...), []string{name}, attrs...))
	l.value, l.shape = name, shape
}

func (l *layouts) reshape(shape ...int64) {
	dims := slices.Clone(shape)
	dims[0] = 0 // as it is
	name := fmt.Sprintf("%s:shape%d", l.front.value, len(l.nodes))
	l.graph.Initializer = append(l.graph.Initializer, onnx.NewTensorInt64(name, []int64{int64(len(dims))}, dims))
	l.add("Reshape", shape, []string{name})
}

func (l *layouts) transpose(perm []int64) {
	if perm == nil { // ONNX's default: the axes in reverse
		for i := range l.shape {
			perm = append(perm, int64(len(l.shape)-1-i))
		}
	}
	shape := make([]int64, len(perm))
	for i, p := range perm {
		shape[i] = l.shape[p]
	}
	l.add("Transpose", shape, nil, onnx.Ints("perm", perm...))
}

// patches is SpaceToDepth of [N,H,W,C] behind a change to [N,C,H,W]. Within a patch's row
// the bytes lie in the order that they have in the frame already, so only rows are
// moved; the last Transpose meets the one with which ONNX Runtime turns the first
// convolution's input back, and both vanish.
func (l *layouts) patches(b int64) {
	n, h, w, c := l.shape[0], l.shape[1], l.shape[2], l.shape[3]
	l.reshape(n, h/b, b, w/b, b*c)
	l.transpose([]int64{0, 1, 3, 2, 4})
	l.reshape(n, h/b, w/b, b*b*c)
	l.transpose([]int64{0, 3, 1, 2})
}

// spaceToDepth is that of [N,C,H,W], as the ONNX specification spells it.
func (l *layouts) spaceToDepth(b int64) {
	n, c, h, w := l.shape[0], l.shape[1], l.shape[2], l.shape[3]
	l.reshape(n, c, h/b, b, w/b, b)
	l.transpose([]int64{0, 3, 5, 1, 2, 4})
	l.reshape(n, b*b*c, h/b, w/b)
}
