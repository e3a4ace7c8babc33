package autodiff

import (
	"math"
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// resizeRule: Resize works along one axis after the other, each time as a product
// with a constant matrix, out×in, whose rows are the weights of one output. The
// gradient is the product with the transposed matrix. Where the matrix only
// repeats elements, an average pool adds them up without multiplying zeros.
func resizeRule(s step) []graph.Value {
	in, out := s.Shape(s.in[0]), s.Shape(s.out[0])
	if mode := s.node.AttrString("coordinate_transformation_mode", "half_pixel"); !slices.Contains(coordinates, mode) {
		return s.refuse("coordinate_transformation_mode " + mode)
	}
	scales := make([]float32, len(in))
	for i := range in {
		scales[i] = float32(out[i]) / float32(in[i])
	}
	if len(s.in) < 4 || s.in[3].IsZero() {
		given, err := s.Const(s.in[2]).Float32s()
		if err != nil || len(given) != len(in) {
			return s.refuse("its scales are not constant")
		}
		scales = given
	}
	matrices := make([][]float32, len(in))
	blocks := len(in) == 4
	for i := range in {
		matrices[i] = s.interpolation(in[i], out[i], scales[i])
		blocks = blocks && repeats(matrices[i], in[i], out[i]) && (i > 1 || in[i] == out[i])
	}
	grads := make([]graph.Value, len(s.in))
	if blocks {
		grads[0] = s.sumBlocks(out[2]/in[2], out[3]/in[3])
		return grads
	}
	g := s.grad[0]
	for i, m := range matrices {
		if in[i] != out[i] || !repeats(m, in[i], out[i]) {
			g = s.alongAxis(g, m, i, in[i], out[i])
		}
	}
	grads[0] = g
	return grads
}

// sumBlocks adds up blocks of pixels: an average pool times the block's size.
func (s step) sumBlocks(h, w int64) graph.Value {
	if h*w == 1 {
		return s.grad[0]
	}
	pool := s.Op("AveragePool", []graph.Value{s.grad[0]}, onnx.Ints("kernel_shape", h, w), onnx.Ints("strides", h, w))
	return s.Scale(pool, float64(h*w))
}

// alongAxis multiplies with the transpose of a matrix out×in along one axis.
func (s step) alongAxis(g graph.Value, matrix []float32, axis int, in, out int64) graph.Value {
	shape := slices.Clone(s.Shape(g))
	pre, post := product(shape[:axis]), product(shape[axis+1:])
	shape[axis] = in
	if post == 1 {
		return s.Reshape(s.MatMul(s.Reshape(g, pre, out), s.Float32(matrix, out, in)), shape...)
	}
	turned := make([]float32, len(matrix))
	for i, v := range matrix {
		o, j := int64(i)/in, int64(i)%in
		turned[j*out+o] = v
	}
	return s.Reshape(s.MatMul(s.Float32(turned, in, out), s.Reshape(g, pre, out, post)), shape...)
}

// repeats reports whether a matrix repeats each element the same number of times.
func repeats(matrix []float32, in, out int64) bool {
	if out%in != 0 {
		return false
	}
	for o := range out {
		if matrix[o*in+o/(out/in)] != 1 {
			return false
		}
	}
	return true
}

// interpolation is the matrix along one axis, out×in, row by row.
func (s step) interpolation(in, out int64, scale float32) []float32 {
	m := make([]float32, in*out)
	for o := range out {
		row := m[o*in : (o+1)*in]
		if in == out && scale == 1 {
			row[o] = 1
			continue
		}
		at := s.coordinate(o, in, out, scale)
		switch s.node.AttrString("mode", "nearest") {
		case "linear":
			low := math.Floor(at)
			row[clamp(low, in)] += float32(1 - (at - low))
			row[clamp(low+1, in)] += float32(at - low)
		case "cubic":
			s.cubic(row, at)
		default:
			row[clamp(s.nearest(at), in)] = 1
		}
	}
	return m
}

var coordinates = []string{"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}

// coordinate is where output o lies in the input, in float32 like the runtime's:
// at a half, the rounding decides which pixel is nearest.
func (s step) coordinate(o, in, out int64, scale float32) float64 {
	switch mode := s.node.AttrString("coordinate_transformation_mode", "half_pixel"); {
	case mode == "asymmetric":
		return float64(float32(o) / scale)
	case out == 1 && mode != "half_pixel":
		return 0
	case mode == "align_corners":
		return float64(float32(o) * float32(in-1) / float32(out-1))
	}
	return float64((float32(o)+0.5)/scale - 0.5)
}

func (s step) nearest(at float64) float64 {
	switch s.node.AttrString("nearest_mode", "round_prefer_floor") {
	case "floor":
		return math.Floor(at)
	case "ceil":
		return math.Ceil(at)
	case "round_prefer_ceil":
		return math.Floor(at + 0.5)
	}
	return math.Ceil(at - 0.5)
}

// cubic adds the weights of Keys' cubic convolution over the four neighbours.
func (s step) cubic(row []float32, at float64) {
	a, exclude := float64(s.node.AttrFloat("cubic_coeff_a", -0.75)), s.node.AttrInt("exclude_outside", 0) != 0
	low, total := math.Floor(at), 0.0
	for i := low - 1; i <= low+2; i++ {
		if exclude && (i < 0 || i >= float64(len(row))) {
			continue
		}
		d := math.Abs(at - i)
		w := 1 + d*d*((a+2)*d-(a+3))
		if d > 1 {
			w = a * (d*(8+d*(d-5)) - 4)
		}
		total += w
		row[clamp(i, int64(len(row)))] += float32(w)
	}
	for i := range row {
		row[i] /= float32(total) // 1, unless some were left out
	}
}

func clamp(i float64, n int64) int64 { return min(max(int64(i), 0), n-1) }
