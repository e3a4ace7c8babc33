package autodiff

import (
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Convolutions with groups, dilations or other than two spatial axes, and the
// transposed ones. With x padded, o and t vectors of spatial indices, and c the
// channels of k's group,
//
//	y[n,k,o] = Σ_{c,t} x[n,c,stride·o+dilation·t] · w[k,c,t] + bias[k]

// convGeneral differentiates such a convolution.
func convGeneral(s step) []graph.Value {
	x, k, y := s.Shape(s.in[0]), s.Shape(s.in[1]), s.Shape(s.out[0])
	w := s.window(x[2:], y[2:], k[2:])
	grads := make([]graph.Value, len(s.in))
	grads[0] = s.ifNeeded(0, func() graph.Value {
		if slices.Max(w.strides) == 1 {
			return s.turnedConv(w)
		}
		return s.Op("ConvTranspose", []graph.Value{s.grad[0], s.in[1]},
			append(w.attrs(), onnx.Int("group", s.group()), onnx.Ints("output_padding", w.rest()...))...)
	})
	grads[1] = s.ifNeeded(1, func() graph.Value { return s.kernelGradient(s.in[0], s.grad[0], w) })
	if s.needs(2) {
		grads[2] = s.biasGradient()
	}
	return grads
}

// convTransposeRule: a ConvTranspose is the input gradient of a Conv with the same
// kernel, which maps y's shape to x's. So dx is that Conv, and the kernel's gradient
// that Conv's, with the parts of input and output gradient exchanged.
func convTransposeRule(s step) []graph.Value {
	x, k, y := s.Shape(s.in[0]), s.Shape(s.in[1]), s.Shape(s.out[0])
	w := s.window(y[2:], x[2:], k[2:])
	if rest := w.rest(); slices.ContainsFunc(iota64(len(rest)), func(i int64) bool { return rest[i] >= w.strides[i] }) {
		// ONNX Runtime 1.27's CPU provider gives other numbers, or NaN, each time.
		return s.refuse("its output_padding is not smaller than the stride; pad the result instead")
	}
	dy := s.grad[0]
	grads := make([]graph.Value, len(s.in))
	grads[0] = s.ifNeeded(0, func() graph.Value {
		return s.Op("Conv", []graph.Value{dy, s.in[1]}, append(w.attrs(), onnx.Int("group", s.group()))...)
	})
	grads[1] = s.ifNeeded(1, func() graph.Value { return s.kernelGradient(dy, s.in[0], w) })
	if s.needs(2) {
		grads[2] = s.biasGradient()
	}
	return grads
}

func (s step) group() int64 { return s.node.AttrInt("group", 1) }

// biasGradient sums over all but the channels.
func (s step) biasGradient() graph.Value {
	axes := iota64(len(s.Shape(s.out[0])))
	return s.Reshape(s.ReduceSum(s.grad[0], append(axes[:1], axes[2:]...)...), s.Shape(s.in[2])...)
}

// turnedConv is the input gradient for stride 1: a convolution with the kernel
// turned round and its channels swapped within each group. Depthwise it took 1.7 ms
// where ConvTranspose took 4.0 ms (3×3, 64 channels, 24×40, batch 16, 2 cores).
func (s step) turnedConv(w window) graph.Value {
	k, spatial := s.Shape(s.in[1]), s.Shape(s.in[1])[2:]
	g, taps := s.group(), product(spatial)
	kernel := s.Transpose(s.Reshape(s.in[1], g, k[0]/g, k[1], taps), 0, 2, 1, 3)
	if taps > 1 { // all axes at once: the taps lie in a row
		kernel = s.Slice(kernel, 3, -1, -taps-1, -1)
	}
	kernel = s.Reshape(kernel, slices.Concat([]int64{g * k[1], k[0] / g}, spatial)...)
	turned := window{strides: w.strides, dilations: w.dilations, begin: make([]int64, len(w.in)), end: make([]int64, len(w.in))}
	for i := range w.in {
		turned.begin[i], turned.end[i] = max(0, w.span(i)-1-w.begin[i]), max(0, w.span(i)-1-w.end[i])
	}
	dx := s.Op("Conv", []graph.Value{s.grad[0], kernel}, append(turned.attrs(), onnx.Int("group", g))...)
	for i := range w.in { // padding wider than the kernel: its rows are cut off
		if from := max(0, w.begin[i]+1-w.span(i)); s.Err() == nil && s.Shape(dx)[i+2] != w.in[i] {
			dx = s.Slice(dx, int64(i+2), from, from+w.in[i], 1)
		}
	}
	return dx
}

// kernelGradient is dw[k,c,t] = Σ_{n,o} dy[n,k,o]·x[n,c,stride·o+dilation·t]: for
// each picture and group a product of x unrolled, a slice of it for each tap, with
// dy; summed over the pictures as a product with ones.
func (s step) kernelGradient(x, dy graph.Value, w window) graph.Value {
	n, c, k := s.Shape(x)[0], s.Shape(x)[1], s.Shape(dy)[1]
	g, taps, pixels := s.group(), product(w.kernel), product(w.out)
	x = s.Pad(x, append([]int64{0, 0}, w.begin...), append([]int64{0, 0}, w.end...))
	if c == g && k == g {
		return s.depthwiseKernel(x, dy, w)
	}
	var cols []graph.Value
	for t := range taps {
		cols = append(cols, s.Reshape(s.tap(x, w, t), n, g, c/g, pixels))
	}
	each := s.MatMul(s.Concat(2, cols...), s.swapLast(s.Reshape(dy, n, g, k/g, pixels)))
	ones := slices.Repeat([]float32{1}, int(n))
	sum := s.MatMul(s.Float32(ones, 1, n), s.Reshape(each, n, taps*c*k/g))
	return s.Reshape(s.Transpose(s.Reshape(sum, g, taps, c/g, k/g), 0, 3, 2, 1), append([]int64{k, c / g}, w.kernel...)...)
}

// depthwiseKernel multiplies and sums tap by tap: 3.1 ms where a product of
// matrices, each with a single column, took 4.9 ms (3×3, 64 channels, 24×40, batch
// 16, 2 cores).
func (s step) depthwiseKernel(x, dy graph.Value, w window) graph.Value {
	axes := iota64(len(w.kernel) + 2)
	axes = append(axes[:1], axes[2:]...)
	var taps []graph.Value
	for t := range product(w.kernel) {
		sum := s.ReduceSum(s.Mul(dy, s.tap(x, w, t)), axes...)
		taps = append(taps, s.Reshape(sum, s.group(), 1, 1))
	}
	return s.Reshape(s.Concat(2, taps...), append([]int64{s.group(), 1}, w.kernel...)...)
}

// tap is what tap number t of the kernel reads of x, which is padded.
func (s step) tap(x graph.Value, w window, t int64) graph.Value {
	n := len(w.kernel)
	from, to, axes := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := n - 1; i >= 0; i-- {
		from[i], axes[i] = t%w.kernel[i]*w.dilations[i], int64(i+2)
		to[i] = from[i] + (w.out[i]-1)*w.strides[i] + 1
		t /= w.kernel[i]
	}
	return s.Op("Slice", []graph.Value{x, s.Int64(from...), s.Int64(to...), s.Int64(axes...), s.Int64(w.strides...)})
}
