package onnx

import (
	"fmt"
	"slices"
)

// Rules of operators that slide a window over a picture [N,C,…].

// window is the geometry that convolution and pooling share.
type window struct {
	kernel, strides, dilations, pads []int64 // pads: all begins, then all ends
	same                             bool    // auto_pad keeps ceil(in/stride)
}

// window reads the attributes for n spatial axes; kernel is the weight's, or nil.
func (s site) window(n int, kernel []int64) (window, error) {
	w := window{kernel: kernel}
	if k := s.AttrInts("kernel_shape"); w.kernel == nil || len(k) == n {
		w.kernel = k
	}
	for _, l := range []struct {
		name string
		to   *[]int64
		n    int
		def  int64
	}{{"strides", &w.strides, n, 1}, {"dilations", &w.dilations, n, 1}, {"pads", &w.pads, 2 * n, 0}} {
		*l.to = s.AttrInts(l.name)
		if *l.to == nil {
			*l.to = slices.Repeat([]int64{l.def}, l.n)
		}
		if len(*l.to) != l.n {
			return w, fmt.Errorf("%s %v for %d axes", l.name, *l.to, n)
		}
	}
	if len(w.kernel) != n {
		return w, fmt.Errorf("kernel %v for %d axes", w.kernel, n)
	}
	for i := range n {
		if w.strides[i] < 1 || w.dilations[i] < 1 || w.kernel[i] == 0 || max(w.kernel[i], w.strides[i], w.dilations[i]) > 1<<20 {
			return w, fmt.Errorf("kernel %v strides %v dilations %v", w.kernel, w.strides, w.dilations)
		}
	}
	for _, p := range w.pads {
		if p > 1<<31 || p < -1<<31 {
			return w, fmt.Errorf("pads %v", w.pads)
		}
	}
	switch pad := s.AttrString("auto_pad", "NOTSET"); pad {
	case "SAME_UPPER", "SAME_LOWER":
		w.same = true
	case "VALID":
		clear(w.pads)
	case "NOTSET":
	default:
		return w, fmt.Errorf("auto_pad %q is unknown", pad)
	}
	return w, nil
}

// out is the size along axis i that a window over d elements leaves.
func (w window) out(d int64, i int, ceil bool) (int64, error) {
	if d < 0 || w.kernel[i] < 0 {
		return -1, nil
	}
	if w.same {
		return (d + w.strides[i] - 1) / w.strides[i], nil
	}
	n := len(w.kernel)
	room := d + w.pads[i] + w.pads[i+n] - (w.kernel[i]-1)*w.dilations[i] - 1
	if room < 0 {
		return 0, fmt.Errorf("a kernel of %d does not fit %d elements", w.kernel[i], d)
	}
	if ceil {
		out := (room+w.strides[i]-1)/w.strides[i] + 1
		if (out-1)*w.strides[i] >= d+w.pads[i] {
			out-- // a window must begin inside
		}
		return out, nil
	}
	return room/w.strides[i] + 1, nil
}

func inferConv(s site) ([]TensorType, error) {
	x, k := s.shape(0), s.shape(1)
	if x == nil || k == nil {
		return s.like(unknownLike(x)), nil
	}
	if len(x) < 3 || len(k) != len(x) {
		return nil, fmt.Errorf("picture %v, kernel %v", x, k)
	}
	if c, g := x[1], max(1, s.AttrInt("group", 1)); c >= 0 && k[1] >= 0 && c != k[1]*g {
		return nil, fmt.Errorf("picture %v has %d channels, kernel %v in %d groups takes %d", x, c, k, g, k[1]*g)
	}
	w, err := s.window(len(x)-2, k[2:])
	if err != nil {
		return nil, err
	}
	out := []int64{x[0], k[0]}
	for i, d := range x[2:] {
		o, err := w.out(d, i, false)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return s.like(out), nil
}

func inferConvTranspose(s site) ([]TensorType, error) {
	x, k := s.shape(0), s.shape(1)
	if x == nil || k == nil {
		return s.like(unknownLike(x)), nil
	}
	if len(x) < 3 || len(k) != len(x) || x[1] >= 0 && k[0] >= 0 && x[1] != k[0] {
		return nil, fmt.Errorf("picture %v, kernel %v", x, k)
	}
	n := len(x) - 2
	w, err := s.window(n, k[2:])
	if err != nil {
		return nil, err
	}
	extra := s.AttrInts("output_padding")
	if extra == nil {
		extra = make([]int64, n)
	}
	if len(extra) != n {
		return nil, fmt.Errorf("output_padding %v for %d axes", extra, n)
	}
	fixed := s.AttrInts("output_shape")
	out := []int64{x[0], -1}
	if k[1] >= 0 {
		out[1] = k[1] * max(1, s.AttrInt("group", 1))
	}
	for i, d := range x[2:] {
		switch {
		case len(fixed) == n:
			out = append(out, fixed[i])
		case d < 0 || w.kernel[i] < 0:
			out = append(out, -1)
		case w.same:
			out = append(out, d*w.strides[i])
		default:
			out = append(out, (d-1)*w.strides[i]+extra[i]+(w.kernel[i]-1)*w.dilations[i]+1-w.pads[i]-w.pads[i+n])
		}
	}
	return s.like(out), nil
}

func inferPool(s site) ([]TensorType, error) {
	x := s.shape(0)
	if x == nil {
		return slices.Repeat(s.like(nil), max(1, len(s.Output))), nil
	}
	if len(x) < 3 {
		return nil, fmt.Errorf("picture %v", x)
	}
	w, err := s.window(len(x)-2, nil)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(x[:2])
	for i, d := range x[2:] {
		o, err := w.out(d, i, s.AttrInt("ceil_mode", 0) != 0)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	// MaxPool's second output is where the maxima were.
	return []TensorType{{s.elem(), out}, {Tensor_INT64, out}}, nil
}

func inferGlobalPool(s site) ([]TensorType, error) {
	x := s.shape(0)
	if x == nil {
		return s.like(nil), nil
	}
	if len(x) < 3 {
		return nil, fmt.Errorf("picture %v", x)
	}
	out := slices.Clone(x)
	for i := range out[2:] {
		out[2+i] = 1
	}
	return s.like(out), nil
}

func inferSpaceToDepth(s site) ([]TensorType, error) {
	x, k := s.shape(0), s.AttrInt("blocksize", 0)
	if x == nil {
		return s.like(unknown(4)), nil
	}
	if len(x) != 4 || k < 1 || k > 1<<16 || x[2] > 0 && x[2]%k != 0 || x[3] > 0 && x[3]%k != 0 {
		return nil, fmt.Errorf("%v in blocks of %d", x, k)
	}
	return s.like([]int64{x[0], times(x[1], k*k), over(x[2], k), over(x[3], k)}), nil
}

func inferDepthToSpace(s site) ([]TensorType, error) {
	x, k := s.shape(0), s.AttrInt("blocksize", 0)
	if x == nil {
		return s.like(unknown(4)), nil
	}
	if len(x) != 4 || k < 1 || k > 1<<16 || x[1] > 0 && x[1]%(k*k) != 0 {
		return nil, fmt.Errorf("%v in blocks of %d", x, k)
	}
	return s.like([]int64{x[0], over(x[1], k*k), times(x[2], k), times(x[3], k)}), nil
}

// times and over keep an unknown dimension unknown.
func times(d, k int64) int64 {
	if d < 0 {
		return -1
	}
	if d > maxElements/k {
		return maxElements
	}
	return d * k
}

func over(d, k int64) int64 {
	if d < 0 {
		return -1
	}
	return d / k
}

// inferResize reads sizes, else scales: floor(in·scale), with scale in float32.
func inferResize(s site) ([]TensorType, error) {
	x := s.shape(0)
	if x == nil {
		return s.like(nil), nil
	}
	if sizes, given, ok := s.list("", 3); given && ok && len(sizes) == len(x) {
		return s.like(slices.Clone(sizes)), nil
	}
	scales := s.Attr("scales").GetFloats()
	for _, i := range []int{2, 1} { // an input of Resize, and of Upsample and Resize-10
		if len(scales) == 0 && i < len(s.Input) && s.Input[i] != "" {
			if t := s.constant(i); t != nil {
				scales, _ = t.Float32s()
			}
		}
	}
	if len(scales) != len(x) {
		return s.like(unknown(len(x))), nil
	}
	out := slices.Clone(x)
	for i, f := range scales {
		if !(f > 0 && f < 1<<16) {
			return nil, fmt.Errorf("scales %v", scales)
		}
		if out[i] >= 0 {
			out[i] = int64(float32(out[i]) * f)
		}
	}
	return s.like(out), nil
}
