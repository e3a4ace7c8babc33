package autodiff

import (
	"slices"

	"perceive/trainer/graph"
)

// Rules of reductions.

// shared: of a mean, every element gets an equal share of dy.
func shared(s step, y, dy graph.Value) graph.Value {
	return s.expand(s.Scale(s.keepDims(dy), float64(s.Size(y))/float64(s.Size(s.in[0]))))
}

// extremeElement: of a maximum (+1) or minimum (−1), the element that is it gets
// dy; equal ones share it.
func extremeElement(sign float64) func(s step, y, dy graph.Value) graph.Value {
	return func(s step, y, dy graph.Value) graph.Value {
		y, dy = s.keepDims(y), s.keepDims(dy)
		is := s.ramp(s.Sub(s.in[0], y), sign*steep, 1) // x−y is 0 there, and else of the other sign
		return s.Mul(is, s.Div(dy, unbroadcast(s.Builder, is, s.Shape(y))))
	}
}

// reduceL2Rule: y = √Σx², dx = dy·x/y, and 0 where all x are 0.
func reduceL2Rule(s step, y, dy graph.Value) graph.Value {
	return s.Mul(s.in[0], s.Div(s.keepDims(dy), s.Max(s.keepDims(y), s.Scalar(1e-20))))
}

// keepDims gives a reduction's result (or its gradient) the rank of the input
// back, with 1 for the reduced axes.
func (s step) keepDims(v graph.Value) graph.Value {
	in := s.Shape(s.in[0])
	if len(s.Shape(v)) == len(in) {
		return v
	}
	axes := s.node.AttrInts("axes")
	if len(s.in) > 1 {
		axes, _ = s.ints(1)
	}
	shape := slices.Clone(in)
	for i := range shape {
		if len(axes) == 0 || slices.Contains(axes, int64(i)) || slices.Contains(axes, int64(i-len(shape))) {
			shape[i] = 1
		}
	}
	return s.Reshape(v, shape...)
}

// expand repeats v to the shape of the first input.
func (s step) expand(v graph.Value) graph.Value {
	return s.Op("Expand", []graph.Value{v, s.Int64(s.Shape(s.in[0])...)})
}
