package autodiff

import (
	"slices"

	"perceive/export/onnx"
)

// window is the geometry of a convolution or pool, a number for each spatial axis:
// from in elements to out elements. auto_pad is resolved into begin and end.
type window struct {
	in, out, kernel, strides, dilations, begin, end []int64
}

// window reads it from the node's attributes. For a transposed convolution in is
// the size of the result: it is the window of the convolution that it transposes.
func (s step) window(in, out, kernel []int64) window {
	list := func(name string, n int, def int64) []int64 {
		if v := s.node.AttrInts(name); len(v) == n {
			return v
		}
		return slices.Repeat([]int64{def}, n)
	}
	n := len(in)
	w := window{in: in, out: out, kernel: kernel, strides: list("strides", n, 1), dilations: list("dilations", n, 1)}
	pads := list("pads", 2*n, 0)
	w.begin, w.end = pads[:n], pads[n:]
	auto := s.node.AttrString("auto_pad", "NOTSET")
	if auto == "VALID" {
		w.begin, w.end = make([]int64, n), make([]int64, n)
	}
	if same := auto == "SAME_UPPER" || auto == "SAME_LOWER"; same || s.node.Attr("output_shape") != nil {
		extra := list("output_padding", n, 0)
		w.begin, w.end = make([]int64, n), make([]int64, n)
		for i := range in {
			total := max(0, (out[i]-1)*w.strides[i]+extra[i]+w.span(i)-in[i])
			w.begin[i], w.end[i] = total/2, total-total/2
			if auto != "SAME_UPPER" { // the odd one goes in front
				w.begin[i], w.end[i] = w.end[i], w.begin[i]
			}
		}
	}
	return w
}

// span is how many elements the kernel covers, holes included.
func (w window) span(i int) int64 { return (w.kernel[i]-1)*w.dilations[i] + 1 }

// rest is how many elements at the end no window reached.
func (w window) rest() []int64 {
	rest := make([]int64, len(w.in))
	for i := range rest {
		rest[i] = w.in[i] + w.begin[i] + w.end[i] - (w.out[i]-1)*w.strides[i] - w.span(i)
	}
	return rest
}

func (w window) padded() bool {
	return slices.ContainsFunc(slices.Concat(w.begin, w.end), func(p int64) bool { return p != 0 })
}

// attrs are the attributes that Conv, ConvTranspose and the pools share, the
// padding spelt out.
func (w window) attrs() []*onnx.Attribute {
	return []*onnx.Attribute{onnx.Ints("strides", w.strides...), onnx.Ints("dilations", w.dilations...),
		onnx.Ints("pads", slices.Concat(w.begin, w.end)...)}
}

func product(v []int64) int64 {
	n := int64(1)
	for _, d := range v {
		n *= d
	}
	return n
}
