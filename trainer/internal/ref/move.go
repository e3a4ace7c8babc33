package ref

import (
	"slices"

	"perceive/export/onnx"
)

// Operators that move numbers.

func reshape(_ *onnx.Node, in []Tensor) []Tensor {
	shape, known, free := ints(in[1]), 1, -1
	for i, d := range shape {
		if d == 0 {
			shape[i] = in[0].Shape[i]
		}
		if d == -1 {
			free = i
			continue
		}
		known *= shape[i]
	}
	if free >= 0 {
		shape[free] = len(in[0].Data) / known
	}
	return []Tensor{{shape, in[0].Data}}
}

// flatten joins the axes before and after one.
func flatten(n *onnx.Node, in []Tensor) []Tensor {
	a := axis(n.AttrInt("axis", 1), len(in[0].Shape))
	return []Tensor{{[]int{size(in[0].Shape[:a]), size(in[0].Shape[a:])}, in[0].Data}}
}

func squeeze(_ *onnx.Node, in []Tensor) []Tensor {
	shape := slices.Clone(in[0].Shape)
	if len(in) == 1 { // no axes: every dimension of 1
		return []Tensor{{slices.DeleteFunc(shape, func(d int) bool { return d == 1 }), in[0].Data}}
	}
	for _, a := range slices.Backward(ints(in[1])) {
		shape = slices.Delete(shape, a, a+1)
	}
	return []Tensor{{shape, in[0].Data}}
}

func unsqueeze(_ *onnx.Node, in []Tensor) []Tensor {
	shape := slices.Clone(in[0].Shape)
	for _, a := range ints(in[1]) {
		shape = slices.Insert(shape, a, 1)
	}
	return []Tensor{{shape, in[0].Data}}
}

func expand(_ *onnx.Node, in []Tensor) []Tensor {
	return []Tensor{broadcast(in[0], New(ints(in[1])...), func(x, _ float64) float64 { return x })}
}

func transpose(n *onnx.Node, in []Tensor) []Tensor {
	perm := n.AttrInts("perm")
	if perm == nil {
		for i := range in[0].Shape {
			perm = append(perm, int64(len(in[0].Shape)-1-i))
		}
	}
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = in[0].Shape[p]
	}
	return []Tensor{gather(shape, func(o []int) float64 {
		idx := make([]int, len(o))
		for i, p := range perm {
			idx[p] = o[i]
		}
		return in[0].at(idx...)
	})}
}

// axis counts from the front.
func axis(a int64, rank int) int { return (int(a) + rank) % max(rank, 1) }

// gather fills a tensor from a function of the index.
func gather(shape []int, f func(idx []int) float64) Tensor {
	out := New(shape...)
	i := 0
	each(shape, func(idx []int) {
		out.Data[i] = f(idx)
		i++
	})
	return out
}

func concat(n *onnx.Node, in []Tensor) []Tensor {
	axis := axis(n.AttrInt("axis", 0), len(in[0].Shape))
	shape := slices.Clone(in[0].Shape)
	for _, t := range in[1:] {
		shape[axis] += t.Shape[axis]
	}
	return []Tensor{gather(shape, func(o []int) float64 {
		idx := slices.Clone(o)
		for _, t := range in {
			if idx[axis] < t.Shape[axis] {
				return t.at(idx...)
			}
			idx[axis] -= t.Shape[axis]
		}
		panic("unreachable")
	})}
}

func split(n *onnx.Node, in []Tensor) []Tensor {
	axis, from := axis(n.AttrInt("axis", 0), len(in[0].Shape)), 0
	var sizes []int
	if len(in) > 1 {
		sizes = ints(in[1])
	} else {
		sizes = slices.Repeat([]int{in[0].Shape[axis] / len(n.GetOutput())}, len(n.GetOutput()))
	}
	var out []Tensor
	for _, d := range sizes {
		shape := slices.Clone(in[0].Shape)
		shape[axis] = d
		start := from
		out = append(out, gather(shape, func(o []int) float64 {
			idx := slices.Clone(o)
			idx[axis] += start
			return in[0].at(idx...)
		}))
		from += d
	}
	return out
}

func slice(_ *onnx.Node, in []Tensor) []Tensor {
	x := in[0]
	shape, first, stepBy := slices.Clone(x.Shape), make([]int, len(x.Shape)), make([]int, len(x.Shape))
	for i := range stepBy {
		stepBy[i] = 1
	}
	starts, ends := ints(in[1]), ints(in[2])
	var axes []int
	steps := slices.Repeat([]int{1}, len(starts))
	for i := range starts {
		axes = append(axes, i)
	}
	if len(in) > 3 && in[3].Data != nil {
		axes = ints(in[3])
	}
	if len(in) > 4 {
		steps = ints(in[4])
	}
	for i, a := range axes {
		if a < 0 {
			a += len(x.Shape)
		}
		d, s, e, st := x.Shape[a], starts[i], ends[i], steps[i]
		if s < 0 {
			s += d
		}
		if e < 0 {
			e += d
		}
		if st > 0 {
			s, e = min(max(s, 0), d), min(max(e, 0), d)
			shape[a] = max(0, (e-s+st-1)/st)
		} else {
			s, e = min(max(s, 0), d-1), min(max(e, -1), d-1)
			shape[a] = max(0, (s-e-st-1)/-st)
		}
		first[a], stepBy[a] = s, st
	}
	return []Tensor{gather(shape, func(o []int) float64 {
		idx := make([]int, len(o))
		for i := range o {
			idx[i] = first[i] + o[i]*stepBy[i]
		}
		return x.at(idx...)
	})}
}

func pad(_ *onnx.Node, in []Tensor) []Tensor {
	p, rank := ints(in[1]), len(in[0].Shape)
	shape := slices.Clone(in[0].Shape)
	for i := range shape {
		shape[i] += p[i] + p[i+rank]
	}
	fill := 0.0
	if len(in) > 2 {
		fill = in[2].Data[0]
	}
	return []Tensor{gather(shape, func(o []int) float64 {
		idx := make([]int, rank)
		for i := range o {
			if idx[i] = o[i] - p[i]; idx[i] < 0 || idx[i] >= in[0].Shape[i] {
				return fill
			}
		}
		return in[0].at(idx...)
	})}
}
