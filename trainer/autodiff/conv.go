package autodiff

import (
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// convRule differentiates a two-dimensional convolution
//
//	y[n,k,h,w] = Σ_{c,i,j} x[n,c,s·h+i,s·w+j] · w[k,c,i,j] + bias[k]
//
// with x padded. The gradients are written with the operators that ONNX Runtime's
// CPU provider does fastest; what was measured is beside each lowering.
func convRule(s step) []graph.Value {
	g, ok := geometry(s)
	if !ok {
		return convGeneral(s)
	}
	grads := make([]graph.Value, len(s.in))
	if s.needs(0) {
		grads[0] = convInput(s, g)
	}
	if s.needs(1) {
		grads[1] = convWeight(s, g)
	}
	if s.needs(2) {
		grads[2] = s.Reshape(s.ReduceSum(s.grad[0], 0, 2, 3), g.k)
	}
	return grads
}

// conv is the geometry of one convolution.
type conv struct {
	n, c, h, w             int64 // input
	k, kh, kw              int64 // kernel
	oh, ow                 int64 // output
	sh, sw                 int64 // strides
	top, left, bottom, rgt int64 // padding
}

// geometry is false for a convolution that convGeneral is for.
func geometry(s step) (conv, bool) {
	x, w, y := s.Shape(s.in[0]), s.Shape(s.in[1]), s.Shape(s.out[0])
	if len(x) != 4 || s.group() != 1 {
		return conv{}, false
	}
	win := s.window(x[2:], y[2:], w[2:])
	return conv{n: x[0], c: x[1], h: x[2], w: x[3], k: w[0], kh: w[2], kw: w[3], oh: y[2], ow: y[3],
		sh: win.strides[0], sw: win.strides[1],
		top: win.begin[0], left: win.begin[1], bottom: win.end[0], rgt: win.end[1],
	}, slices.Max(win.dilations) == 1
}

// pointwise: the kernel is one pixel and every pixel is used.
func (g conv) pointwise() bool {
	return g.kh == 1 && g.kw == 1 && g.sh == 1 && g.sw == 1 && g.top+g.left+g.bottom+g.rgt == 0
}

// patches: square kernels side by side, that together see each pixel once.
func (g conv) patches() bool {
	return g.kh > 1 && g.kh == g.kw && g.sh == g.kh && g.sw == g.kw && g.h%g.kh == 0 && g.w%g.kw == 0 && g.top+g.left+g.bottom+g.rgt == 0
}

// convInput is the gradient of the input: the transpose of the convolution. For
// stride 1 that is a convolution with the kernel turned by 180° and its channels
// swapped, which as a Conv took 4.0 ms where ConvTranspose took 6.9 ms (48→48
// channels, 24×40, batch 32, 2 cores). With a stride ConvTranspose does not
// multiply with the zeros in between.
func convInput(s step, g conv) graph.Value {
	if g.sh != 1 || g.sw != 1 {
		return s.Op("ConvTranspose", []graph.Value{s.grad[0], s.in[1]},
			onnx.Ints("strides", g.sh, g.sw), onnx.Ints("pads", g.top, g.left, g.bottom, g.rgt),
			// Rows that no window reached: their gradient is zero.
			onnx.Ints("output_padding", g.h-((g.oh-1)*g.sh+g.kh-g.top-g.bottom), g.w-((g.ow-1)*g.sw+g.kw-g.left-g.rgt)))
	}
	w := s.turned(s.Transpose(s.in[1], 1, 0, 2, 3))
	return s.convCut(s.grad[0], w, [4]int64{g.kh - 1 - g.top, g.kw - 1 - g.left, g.kh - 1 - g.bottom, g.kw - 1 - g.rgt})
}

// turned is a kernel turned by 180°.
func (s step) turned(w graph.Value) graph.Value {
	shape := s.Shape(w)
	if s.Err() != nil || shape[2]*shape[3] == 1 {
		return w
	}
	n := shape[2] * shape[3]
	order := iota64(int(n))
	slices.Reverse(order)
	w = s.Op("Gather", []graph.Value{s.Reshape(w, shape[0], shape[1], n), s.Int64(order...)}, onnx.Int("axis", 2))
	return s.Reshape(w, shape...)
}

// convCut convolves with pads that may be negative (padding wider than the
// kernel), which Conv does not take: those rows are cut off the result instead.
func (s step) convCut(dy, w graph.Value, pads [4]int64) graph.Value {
	var cut [4]int64
	for i := range pads {
		cut[i] = max(0, -pads[i])
		pads[i] = max(0, pads[i])
	}
	y := s.Conv(dy, w, graph.Value{}, graph.ConvSpec{Pads: pads})
	if s.Err() != nil {
		return y
	}
	for i := range 2 {
		if axis := i + 2; cut[i]+cut[i+2] > 0 {
			y = s.Slice(y, int64(axis), cut[i], s.Shape(y)[axis]-cut[i+2], 1)
		}
	}
	return y
}

// convWeight is the gradient of the kernel: a matrix product per picture, summed
// over the batch.
func convWeight(s step, g conv) graph.Value {
	if g.pointwise() {
		return weightPointwise(s, g)
	}
	if g.sh == 1 && g.sw == 1 {
		return weightShifted(s, g)
	}
	if g.patches() {
		return weightPatches(s, g)
	}
	return weightColumns(s, g)
}

// weightPointwise: dW = Σ_n dY[n]·X[n]ᵀ, each [k, pixels]·[pixels, c].
func weightPointwise(s step, g conv) graph.Value {
	dy := s.Reshape(s.grad[0], g.n, g.k, g.oh*g.ow)
	x := s.Reshape(s.in[0], g.n, g.c, g.h*g.w)
	return s.Reshape(s.overBatch(dy, x), g.k, g.c, 1, 1)
}

// weightShifted does all kh·kw products in one, for stride 1. With r = h+i,
//
//	dW[k,c,i,j] = Σ_{n,r,w} dY[n,k,r−i,w] · X[n,c,r,w+j]
//
// so kh copies of dY shifted down stand against kw copies of X shifted left:
// kh+kw copies instead of the kh·kw that unrolling X alone would take: 11.7 ms
// against 15.0 ms (48→48 channels, 24×40, batch 32, 2 cores), of which the product
// itself is 7.2 ms.
func weightShifted(s step, g conv) graph.Value {
	rows := g.oh + g.kh - 1
	var xs, ys []graph.Value
	for j := range g.kw { // padding of less than nothing cuts off
		xs = append(xs, s.Pad(s.in[0], []int64{0, 0, g.top, g.left - j}, []int64{0, 0, g.bottom, g.rgt - (g.kw - 1 - j)}))
	}
	for i := range g.kh {
		ys = append(ys, s.Pad(s.grad[0], []int64{0, 0, i, 0}, []int64{0, 0, g.kh - 1 - i, 0}))
	}
	xc := s.Reshape(s.Concat(1, xs...), g.n, g.kw*g.c, rows*g.ow)
	yc := s.Reshape(s.Concat(1, ys...), g.n, g.kh*g.k, rows*g.ow)
	dw := s.Reshape(s.overBatch(yc, xc), g.kh, g.k, g.kw, g.c)
	return s.Transpose(dw, 1, 3, 0, 2)
}

// weightPatches: pixels that one kernel sees become channels, and the kernel a pointwise one:
// 0.7 ms where slices and Concat took 1.4 ms (2×2, 32→64, 64→128 and 128→192 channels of
// 48×80, 24×40 and 12×20, 4 pictures, one core). The way back by DepthToSpace did not pay:
// 2.1 ms for the input's gradient where ConvTranspose took 1.3 ms.
func weightPatches(s step, g conv) graph.Value {
	x := s.Op("SpaceToDepth", []graph.Value{s.in[0]}, onnx.Int("blocksize", g.kh))
	xc := s.Reshape(x, g.n, g.kh*g.kw*g.c, g.oh*g.ow)
	dy := s.Reshape(s.grad[0], g.n, g.k, g.oh*g.ow)
	return s.Transpose(s.Reshape(s.overBatch(dy, xc), g.k, g.kh, g.kw, g.c), 0, 3, 1, 2)
}

// weightColumns unrolls X: one slice of it for each pixel of the kernel.
func weightColumns(s step, g conv) graph.Value {
	x := s.Pad(s.in[0], []int64{0, 0, g.top, g.left}, []int64{0, 0, g.bottom, g.rgt})
	var cols []graph.Value
	for i := range g.kh {
		for j := range g.kw {
			rows := s.Slice(x, 2, i, i+(g.oh-1)*g.sh+1, g.sh)
			cols = append(cols, s.Slice(rows, 3, j, j+(g.ow-1)*g.sw+1, g.sw))
		}
	}
	xc := s.Reshape(s.Concat(1, cols...), g.n, g.kh*g.kw*g.c, g.oh*g.ow)
	dy := s.Reshape(s.grad[0], g.n, g.k, g.oh*g.ow)
	return s.Transpose(s.Reshape(s.overBatch(dy, xc), g.k, g.kh, g.kw, g.c), 0, 3, 1, 2)
}

// overBatch is Σ_n a[n]·b[n]ᵀ for a [N,i,p] and b [N,j,p]: [i,j].
//
// Where there are more pixels p than the product is large, a product per picture
// is summed over the batch, as a product with ones: 0.2 ms where ReduceSum over the
// first axis took 4.4 ms (32×224×640). Else the pictures are laid side by side
// first and multiplied at once: 2.9 ms against 3.4 ms (224 and 640 channels, 6×10).
func (s step) overBatch(a, b graph.Value) graph.Value {
	sa, sb := s.Shape(a), s.Shape(b)
	if s.Err() != nil {
		return graph.Value{}
	}
	n, i, j, p := sa[0], sa[1], sb[1], sa[2]
	if i*j > p*(i+j) {
		a = s.Reshape(s.Transpose(a, 1, 0, 2), i, n*p)
		b = s.Reshape(s.Transpose(b, 1, 0, 2), j, n*p)
		return s.MatMul(a, s.Transpose(b, 1, 0))
	}
	each := s.Reshape(s.MatMul(a, s.Transpose(b, 0, 2, 1)), n, i*j)
	ones := make([]float32, n)
	for k := range ones {
		ones[k] = 1
	}
	return s.Reshape(s.MatMul(s.Float32(ones, 1, n), each), i, j)
}
