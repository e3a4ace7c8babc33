package autodiff

import (
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Rules of pooling. Those of the global pools are reductions.

// maxPoolRule gives each output's gradient to the element that was the maximum,
// the first of equal ones. Which that was is MaxPool's second output; the gradient
// is scattered there: 2.2 ms, MaxPool included, where comparing x with the maxima
// took 14.5 ms (2×2, 64 channels, 24×40, batch 16, 2 cores).
func maxPoolRule(s step) []graph.Value {
	if s.node.AttrInt("storage_order", 0) != 0 {
		return s.refuse("its indices count column by column; set storage_order to 0")
	}
	n := s.Size(s.in[0])
	where := s.Reshape(s.Extend(s.node, 1), -1)
	dx := s.Op("ScatterElements", []graph.Value{s.zeros(n), where, s.Reshape(s.grad[0], -1)},
		onnx.Int("axis", 0), onnx.String("reduction", "add"))
	return []graph.Value{s.Reshape(dx, s.Shape(s.in[0])...)}
}

// averagePoolRule spreads each output's gradient over its window, divided by the
// number of elements that were counted: a ConvTranspose with a kernel of ones, a
// channel at a time. Windows that lie side by side only need repeating.
func averagePoolRule(s step) []graph.Value {
	x, y := s.Shape(s.in[0]), s.Shape(s.out[0])
	w := s.window(x[2:], y[2:], s.node.AttrInts("kernel_shape"))
	if slices.Min(w.rest()) < 0 {
		return s.refuse("with ceil_mode its last window reaches beyond the padding; set ceil_mode to 0 and pad instead")
	}
	if slices.Equal(w.kernel, w.strides) && !w.padded() {
		return []graph.Value{s.repeatBlocks(s.Scale(s.grad[0], 1/float64(product(w.kernel))), w)}
	}
	g := s.Mul(s.grad[0], s.Float32(w.shares(s.node.AttrInt("count_include_pad", 0) != 0), append([]int64{1, 1}, w.out...)...))
	planes := x[0] * x[1]
	ones := slices.Repeat([]float32{1}, int(product(w.kernel)))
	dx := s.Op("ConvTranspose", []graph.Value{
		s.Reshape(g, append([]int64{planes, 1}, w.out...)...), s.Float32(ones, append([]int64{1, 1}, w.kernel...)...),
	}, append(w.attrs(), onnx.Ints("output_padding", w.rest()...))...)
	return []graph.Value{s.Reshape(dx, x...)}
}

// repeatBlocks repeats each element over its block; elements that no block reached
// get 0.
func (s step) repeatBlocks(g graph.Value, w window) graph.Value {
	shape := s.Shape(g)[:2]
	thin, wide, flat := slices.Clone(shape), slices.Clone(shape), slices.Clone(shape)
	for i, k := range w.kernel {
		thin, wide, flat = append(thin, w.out[i], 1), append(wide, w.out[i], k), append(flat, w.out[i]*k)
	}
	g = s.Reshape(s.Op("Expand", []graph.Value{s.Reshape(g, thin...), s.Int64(wide...)}), flat...)
	return s.Pad(g, make([]int64, len(flat)), append([]int64{0, 0}, w.rest()...))
}

// shares is 1/count for each output: how many elements of its window count.
func (w window) shares(padding bool) []float32 {
	counts := []float32{1}
	for i, out := range w.out {
		var next []float32
		for _, c := range counts {
			for o := range out {
				from := o*w.strides[i] - w.begin[i]
				n := min(from+w.kernel[i], w.in[i]) - max(from, 0)
				if padding {
					n = w.kernel[i]
				}
				next = append(next, c*float32(n))
			}
		}
		counts = next
	}
	for i := range counts {
		counts[i] = 1 / counts[i]
	}
	return counts
}
