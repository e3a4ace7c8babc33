package graph

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
)

// Copy adds nodes of another graph, in their order. values says what stands here for a
// value there, and grows by what the nodes make. The other graph's constants come along.
func (b *Builder) Copy(from *Builder, nodes []*onnx.Node, values map[string]Value) {
	for _, n := range nodes {
		in := make([]Value, len(n.GetInput()))
		for i, name := range n.GetInput() {
			v, ok := values[name]
			if c := from.consts[name]; !ok && c != nil {
				v = b.constantOf(c)
				values[name] = v
			}
			in[i] = v
		}
		path := strings.Split(n.GetName(), "/")
		scope := b.scope
		b.scope = path[:len(path)-1]
		out := b.Ops(n.GetOpType(), len(n.GetOutput()), in, n.GetAttribute()...)
		b.scope = scope
		for i, name := range n.GetOutput() {
			if name != "" { // else it would stand for every input that is left out
				values[name] = out[i]
			}
		}
	}
}

// constantOf adds a constant of another graph under a name that is free here.
func (b *Builder) constantOf(c *onnx.Tensor) Value {
	c = proto.CloneOf(c)
	scope := b.scope
	b.scope = nil
	c.Name = proto.String(b.fresh(c.GetName()))
	b.scope = scope
	return b.Initializer(c)
}
