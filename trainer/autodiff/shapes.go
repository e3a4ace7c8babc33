package autodiff

import (
	"slices"

	"perceive/trainer/graph"
)

// Rules of operators that only move numbers: the gradient is moved back.

// reshapeRule serves everything that lays out anew without moving: the further
// inputs (shapes, axes) have no gradient.
func reshapeRule(s step) []graph.Value {
	out := make([]graph.Value, len(s.in))
	out[0] = s.Reshape(s.grad[0], s.Shape(s.in[0])...)
	return out
}

func transposeRule(s step) []graph.Value {
	rank := len(s.Shape(s.in[0]))
	perm := s.node.AttrInts("perm")
	if perm == nil { // the default reverses the axes
		perm = iota64(rank)
		slices.Reverse(perm)
	}
	inverse := make([]int64, rank)
	for to, from := range perm {
		inverse[from] = int64(to)
	}
	return []graph.Value{s.Transpose(s.grad[0], inverse...)}
}

func concatRule(s step) []graph.Value {
	axis := s.axis(s.node.AttrInt("axis", 0), len(s.Shape(s.out[0])))
	out := make([]graph.Value, len(s.in))
	var from int64
	for i, x := range s.in {
		to := from + s.Shape(x)[axis]
		out[i] = s.ifNeeded(i, func() graph.Value { return s.Slice(s.grad[0], int64(axis), from, to, 1) })
		from = to
	}
	return out
}

func splitRule(s step) []graph.Value {
	axis := s.axis(s.node.AttrInt("axis", 0), len(s.Shape(s.in[0])))
	parts := make([]graph.Value, len(s.out))
	for i := range parts {
		if parts[i] = s.grad[i]; parts[i].IsZero() {
			parts[i] = s.zeros(s.Shape(s.out[i])...)
		}
	}
	out := make([]graph.Value, len(s.in))
	out[0] = s.Concat(int64(axis), parts...)
	return out
}

// sliceRule puts the gradient back where the slice was cut, zeros elsewhere.
// With a step it is spread out first: every element followed by step−1 zeros.
func sliceRule(s step) []graph.Value {
	shape := s.Shape(s.in[0])
	axes, steps := iota64(len(shape)), []int64(nil)
	starts, ok := s.ints(1)
	if given, ok := s.ints(3); ok {
		axes = given
	}
	if given, ok := s.ints(4); ok {
		steps = given
	}
	out := make([]graph.Value, len(s.in))
	if !ok {
		return s.refuse("its bounds are not constant")
	}
	g := s.grad[0]
	before, after := make([]int64, len(shape)), make([]int64, len(shape))
	for i := range starts {
		axis, step := s.axis(axes[i], len(shape)), int64(1)
		if steps != nil {
			step = steps[i]
		}
		from, n := bound(starts[i], shape[axis], step), s.Shape(s.out[0])[axis]
		if step < 0 {
			g = s.Slice(g, int64(axis), -1, -n-1, -1)
			from, step = from+(n-1)*step, -step
		}
		g = s.dilate(g, axis, step)
		before[axis] = from
		after[axis] = shape[axis] - from - s.Shape(g)[axis]
	}
	out[0] = s.Pad(g, before, after)
	return out
}

// bound is a Slice's start as an index: negative counts from the end, and what
// lies outside is clamped, as the specification says.
func bound(i, size, step int64) int64 {
	if i < 0 {
		i += size
	}
	if step < 0 {
		return max(-1, min(i, size-1))
	}
	return max(0, min(i, size))
}

// dilate puts step−1 zeros between the elements along an axis.
func (s step) dilate(g graph.Value, axis int, step int64) graph.Value {
	if step == 1 {
		return g
	}
	shape := s.Shape(g)
	wide := slices.Insert(slices.Clone(shape), axis+1, 1)
	before, after := make([]int64, len(wide)), make([]int64, len(wide))
	after[axis+1] = step - 1
	g = s.Pad(s.Reshape(g, wide...), before, after)
	flat := slices.Clone(shape)
	flat[axis] *= step
	g = s.Reshape(g, flat...)
	return s.Slice(g, int64(axis), 0, flat[axis]-step+1, 1)
}

// padRule cuts the padding off again, and puts zeros where a negative padding had
// cut.
func padRule(s step) []graph.Value {
	out := make([]graph.Value, len(s.in))
	pads, ok := s.ints(1)
	switch mode := s.node.AttrString("mode", "constant"); {
	case mode != "constant":
		return s.refuse("mode " + mode + " repeats pixels of the border; pad with a constant, or pad the pictures beforehand")
	case !ok:
		return s.refuse("its pads are not constant")
	}
	g, n := s.grad[0], len(pads)/2
	before, after := make([]int64, n), make([]int64, n)
	for i, size := range s.Shape(s.out[0]) {
		from, to := max(0, pads[i]), size-max(0, pads[i+n])
		if to-from != size {
			g = s.Slice(g, int64(i), from, to, 1)
		}
		before[i], after[i] = max(0, -pads[i]), max(0, -pads[i+n])
	}
	out[0] = s.Pad(g, before, after)
	return out
}

func (s step) axis(axis int64, rank int) int {
	if axis < 0 {
		axis += int64(rank)
	}
	return int(axis)
}

// ints is the content of a constant integer input.
func (s step) ints(i int) ([]int64, bool) {
	if i >= len(s.in) {
		return nil, false
	}
	t := s.Const(s.in[i])
	if t == nil {
		return nil, false
	}
	if narrow, err := t.Int32s(); err == nil {
		wide := make([]int64, len(narrow))
		for i, v := range narrow {
			wide[i] = int64(v)
		}
		return wide, true
	}
	v, err := t.Int64s()
	return v, err == nil
}
