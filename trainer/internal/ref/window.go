package ref

import (
	"math"
	"slices"

	"perceive/export/onnx"
)

// Operators that slide a window over a picture [N,C,…], for any number of axes.

type window struct{ kernel, strides, dilations, begin, end []int }

// windowOf reads a node's attributes for a picture of the spatial sizes in.
func windowOf(n *onnx.Node, in, kernel []int) window {
	list := func(name string, def int) []int {
		v := slices.Repeat([]int{def}, len(in))
		for i, x := range n.AttrInts(name) {
			v[i] = int(x)
		}
		return v
	}
	w := window{kernel: kernel, strides: list("strides", 1), dilations: list("dilations", 1)}
	if kernel == nil {
		w.kernel = list("kernel_shape", 0)
	}
	w.begin, w.end = make([]int, len(in)), make([]int, len(in))
	for i, p := range n.AttrInts("pads") {
		if i < len(in) {
			w.begin[i] = int(p)
		} else {
			w.end[i-len(in)] = int(p)
		}
	}
	return w
}

// same replaces the padding by what auto_pad asks for: total[i] along axis i.
func (w window) same(n *onnx.Node, total func(i int) int) {
	for i := range w.begin {
		t := max(0, total(i))
		w.begin[i], w.end[i] = t/2, t-t/2
		if n.AttrString("auto_pad", "NOTSET") != "SAME_UPPER" {
			w.begin[i], w.end[i] = w.end[i], w.begin[i]
		}
	}
}

func auto(n *onnx.Node) bool {
	p := n.AttrString("auto_pad", "NOTSET")
	return p == "SAME_UPPER" || p == "SAME_LOWER"
}

func (w window) span(i int) int { return (w.kernel[i]-1)*w.dilations[i] + 1 }

// forward is the window of an operator that makes a picture smaller, and the
// sizes that it leaves.
func forward(n *onnx.Node, in, kernel []int) (window, []int) {
	w, out := windowOf(n, in, kernel), make([]int, len(in))
	if auto(n) {
		w.same(n, func(i int) int { return ((in[i]-1)/w.strides[i])*w.strides[i] + w.span(i) - in[i] })
	}
	for i := range out {
		room := in[i] + w.begin[i] + w.end[i] - w.span(i)
		out[i] = room/w.strides[i] + 1
		if n.AttrInt("ceil_mode", 0) != 0 && room%w.strides[i] != 0 && out[i]*w.strides[i] < in[i]+w.begin[i] {
			out[i]++ // a window that begins inside and ends outside
		}
	}
	return w, out
}

// pixel is where tap t of the window at o reads.
func (w window) pixel(o, t []int) []int {
	p := make([]int, len(o))
	for i := range o {
		p[i] = o[i]*w.strides[i] + t[i]*w.dilations[i] - w.begin[i]
	}
	return p
}

func within(p, shape []int) bool {
	for i := range p {
		if p[i] < 0 || p[i] >= shape[i] {
			return false
		}
	}
	return true
}

// conv is the definition, written out.
func conv(n *onnx.Node, in []Tensor) []Tensor {
	x, w := in[0], in[1]
	win, out := forward(n, x.Shape[2:], w.Shape[2:])
	perGroup := w.Shape[0] / int(n.AttrInt("group", 1))
	return []Tensor{gather(slices.Concat([]int{x.Shape[0], w.Shape[0]}, out), func(o []int) float64 {
		var sum float64
		each(w.Shape[1:], func(c []int) {
			if p := win.pixel(o[2:], c[1:]); within(p, x.Shape[2:]) {
				channel := o[1]/perGroup*w.Shape[1] + c[0]
				sum += x.at(slices.Concat([]int{o[0], channel}, p)...) * w.at(slices.Concat([]int{o[1]}, c)...)
			}
		})
		if len(in) > 2 {
			sum += in[2].Data[o[1]]
		}
		return sum
	})}
}

// convTranspose scatters each input pixel times the kernel; what falls into the
// padding is lost.
func convTranspose(n *onnx.Node, in []Tensor) []Tensor {
	x, w := in[0], in[1]
	win := windowOf(n, x.Shape[2:], w.Shape[2:])
	group := int(n.AttrInt("group", 1))
	full := func(i int) int { // without padding
		extra := 0
		if v := n.AttrInts("output_padding"); v != nil {
			extra = int(v[i])
		}
		return (x.Shape[2+i]-1)*win.strides[i] + extra + win.span(i)
	}
	if fixed := n.AttrInts("output_shape"); fixed != nil {
		win.same(n, func(i int) int { return full(i) - int(fixed[i]) })
	} else if auto(n) {
		win.same(n, func(i int) int { return full(i) - x.Shape[2+i]*win.strides[i] })
	}
	shape := []int{x.Shape[0], w.Shape[1] * group}
	for i := range win.kernel {
		shape = append(shape, full(i)-win.begin[i]-win.end[i])
	}
	out := New(shape...)
	s, i := strides(shape), 0
	each(x.Shape, func(p []int) {
		each(w.Shape[1:], func(c []int) {
			if q := win.pixel(p[2:], c[1:]); within(q, shape[2:]) {
				o := p[0]*s[0] + (p[1]/(x.Shape[1]/group)*w.Shape[1]+c[0])*s[1]
				for a := range q {
					o += q[a] * s[2+a]
				}
				out.Data[o] += x.Data[i] * w.at(slices.Concat([]int{p[1]}, c)...)
			}
		})
		i++
	})
	if len(in) > 2 {
		i := 0
		each(shape, func(o []int) { out.Data[i] += in[2].Data[o[1]]; i++ })
	}
	return []Tensor{out}
}

// maxPool also says where the maxima were, as offsets into the whole input.
func maxPool(n *onnx.Node, in []Tensor) []Tensor {
	x := in[0]
	win, out := forward(n, x.Shape[2:], nil)
	shape, s := slices.Concat(x.Shape[:2], out), strides(x.Shape)
	where := New(shape...)
	i := 0
	values := gather(shape, func(o []int) float64 {
		best := math.Inf(-1)
		each(win.kernel, func(t []int) {
			p := win.pixel(o[2:], t)
			if !within(p, x.Shape[2:]) {
				return
			}
			at := slices.Concat(o[:2], p)
			if v := x.at(at...); v > best {
				best, where.Data[i] = v, 0
				for a := range at {
					where.Data[i] += float64(at[a] * s[a])
				}
			}
		})
		i++
		return best
	})
	return []Tensor{values, where}
}

func averagePool(n *onnx.Node, in []Tensor) []Tensor {
	x := in[0]
	win, out := forward(n, x.Shape[2:], nil)
	return []Tensor{gather(slices.Concat(x.Shape[:2], out), func(o []int) float64 {
		var sum float64
		count := 0
		each(win.kernel, func(t []int) {
			p := win.pixel(o[2:], t)
			inside := within(p, x.Shape[2:])
			if inside {
				sum += x.at(slices.Concat(o[:2], p)...)
			}
			if inside || n.AttrInt("count_include_pad", 0) != 0 {
				count++
			}
		})
		return sum / float64(count)
	})}
}

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// global reduces all spatial axes.
func global(f func([]float64) float64) op {
	return func(_ *onnx.Node, in []Tensor) []Tensor {
		x := in[0]
		shape := slices.Concat(x.Shape[:2], slices.Repeat([]int{1}, len(x.Shape)-2))
		n := size(x.Shape[2:])
		out := New(shape...)
		for i := range out.Data {
			out.Data[i] = f(x.Data[i*n : (i+1)*n])
		}
		return []Tensor{out}
	}
}
