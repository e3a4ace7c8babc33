package nn

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// replay adds the file's nodes to another graph, for another batch and picture size.
type replay struct {
	*Trunk
	m      Module
	values map[string]graph.Value
	folded map[string]bool // values that were worked out for the batch and size here
}

func (r *replay) constant(c *onnx.Tensor) graph.Value {
	if r.weights[c.GetName()] {
		init, err := c.Float32s()
		if err != nil {
			r.m.Failf("%w: %q: %w", ErrBackbone, c.GetName(), err)
			return graph.Value{}
		}
		return r.m.Param(Param{Name: backbonePrefix + c.GetName(), Shape: c.GetDims(), Values: init, Decay: len(c.GetDims()) > 1})
	}
	c = proto.CloneOf(c)
	c.Name = proto.String(backbonePrefix + c.GetName())
	return r.m.Initializer(c)
}

func (r *replay) node(n *onnx.Node) {
	if r.m.Err() != nil {
		return
	}
	if n.GetDomain() != "" && n.GetDomain() != "ai.onnx" {
		r.m.Failf("%w: %s (node %q) is of domain %q: only the standard operators", ErrBackbone, n.GetOpType(), n.GetName(), n.GetDomain())
		return
	}
	in := make([]graph.Value, len(n.GetInput()))
	for i, name := range n.GetInput() {
		in[i] = r.values[name]
	}
	if r.fold(n, in) {
		return
	}
	attrs := n.GetAttribute()
	switch op := n.GetOpType(); {
	case op == "Reshape":
		in = r.reshape(n, in)
	case op == "Resize":
		in = r.resize(n, in)
	case op == "Split":
		attrs = without(attrs, "num_outputs") // of set 18: what set 17 does by itself
	case strings.HasPrefix(op, "Reduce") && op != "ReduceSum" && len(in) > 1:
		in, attrs = r.reduce(in, attrs)
	}
	var out []graph.Value
	r.m.Scope("backbone", func() { out = r.m.Ops(n.GetOpType(), len(n.GetOutput()), in, attrs...) })
	for i, name := range n.GetOutput() {
		if name != "" { // else it would stand for every input that is left out
			r.values[name] = out[i]
		}
	}
}

// fold works out what a file of free sizes computes with shapes.
func (r *replay) fold(n *onnx.Node, in []graph.Value) bool {
	types := make([]onnx.TensorType, len(in))
	for i, v := range in {
		types[i] = onnx.TensorType{Elem: r.m.Elem(v), Shape: r.m.Shape(v)}
	}
	c := onnx.Fold(n, types, func(i int) *onnx.Tensor { return r.m.Const(in[i]) })
	if c == nil {
		return false
	}
	name := n.GetOutput()[0]
	c = proto.CloneOf(c)
	c.Name = proto.String(backbonePrefix + name)
	r.values[name], r.folded[name] = r.m.Initializer(c), true
	return true
}

// reduce takes the axes of set 18, an input, back to set 17's attribute.
func (r *replay) reduce(in []graph.Value, attrs []*onnx.Attribute) ([]graph.Value, []*onnx.Attribute) {
	if in[1].IsZero() {
		return in[:1], attrs
	}
	c := r.m.Const(in[1])
	if c == nil {
		return in, attrs // the runtime says what does not fit
	}
	axes, err := c.Int64s()
	if err != nil {
		r.m.Failf("%w: axes: %w", ErrBackbone, err)
	}
	return in[:1], append(without(attrs, "noop_with_empty_axes"), onnx.Ints("axes", axes...))
}

func without(attrs []*onnx.Attribute, name string) []*onnx.Attribute {
	return slices.DeleteFunc(slices.Clone(attrs), func(a *onnx.Attribute) bool { return a.GetName() == name })
}

// reshape replaces the batch and the picture size in a constant shape by what they are
// here. (Channel shuffles are written so, for one picture of one size.)
func (r *replay) reshape(n *onnx.Node, in []graph.Value) []graph.Value {
	old, to, now := r.types[n.GetInput()[0]].Shape, r.types[n.GetOutput()[0]].Shape, r.m.Shape(in[0])
	if r.m.Const(in[1]) == nil || r.folded[n.GetInput()[1]] || len(old) != len(now) || slices.Contains(old, -1) || slices.Contains(to, -1) {
		return in
	}
	return []graph.Value{in[0], r.m.Int64(r.reshaped(old, now, to)...)}
}

// reshaped is the shape that has the place of to, now that old has become now. Axes of
// both are paired off in groups of equal size; within one that is cut into several, rows
// and columns are told by how the picture's have changed. A larger batch goes first.
func (r *replay) reshaped(old, now, to []int64) []int64 {
	out := slices.Clone(to)
	for i, j := 0, 0; i < len(old) && j < len(to); {
		a, b := i+1, j+1
		for product(old[i:a]) != product(to[j:b]) || (a < len(old) && b < len(to) && old[a] != to[b] && old[a-1] == 1) {
			switch {
			case product(old[i:a]) <= product(to[j:b]) && a < len(old):
				a++
			case b < len(to):
				b++
			default:
				return out // the runtime says what does not fit
			}
		}
		batch := int64(1)
		if first, is := r.types[r.input].Shape[0], r.m.Shape(r.values[r.input])[0]; i == 0 && first == 1 && old[0] == 1 && now[0] == is {
			batch = is
		}
		r.scale(out[j:b], product(old[i:a]), product(now[i:a])/batch)
		out[j] *= batch
		i, j = a, b
	}
	return out
}

// scale changes sizes whose product was before so that it is after.
func (r *replay) scale(sizes []int64, before, after int64) {
	if n := len(sizes); n > 1 {
		was, is := r.types[r.input].Shape, r.m.Shape(r.values[r.input])
		rows, columns := sizes[n-2]*is[2]/was[2], sizes[n-1]*is[3]/was[3]
		if rest := before / (sizes[n-2] * sizes[n-1]); before != after && rest*rows*columns == after {
			sizes[n-2], sizes[n-1] = rows, columns
			return
		}
	}
	sizes[0] = sizes[0] * after / before
}

// resize asks for factors where the file asks for the sizes of its own input.
func (r *replay) resize(n *onnx.Node, in []graph.Value) []graph.Value {
	if len(in) < 4 || in[3].IsZero() {
		return in
	}
	from, to := r.types[n.GetInput()[0]], r.types[n.GetOutput()[0]]
	if len(from.Shape) != 4 || len(to.Shape) != 4 || !from.Static() || !to.Static() {
		return in
	}
	scales := make([]float32, 4)
	for i := range scales {
		scales[i] = float32(to.Shape[i]) / float32(from.Shape[i])
	}
	return []graph.Value{in[0], {}, r.m.Float32(scales, 4)}
}
