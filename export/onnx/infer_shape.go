package onnx

import (
	"fmt"
	"slices"
)

// Rules of operators that lay elements out anew.

func inferReshape(s site) ([]TensorType, error) {
	want, _, ok := s.list("shape", 1)
	if !ok {
		if t := s.shape(1); len(t) == 1 && t[0] >= 0 && t[0] < 64 {
			return s.like(unknown(int(t[0]))), nil
		}
		return s.like(nil), nil
	}
	in := s.shape(0)
	out := slices.Clone(want)
	if out == nil {
		out = []int64{}
	}
	free := -1
	for i, d := range want {
		switch {
		case d == 0 && s.AttrInt("allowzero", 0) == 0:
			if in != nil && i >= len(in) {
				return nil, fmt.Errorf("dimension %d of %v is to be kept, there is none", i, in)
			}
			out[i] = -1
			if in != nil {
				out[i] = in[i]
			}
		case d == -1 && free < 0:
			free = i
		case d < 0:
			return nil, fmt.Errorf("shape %v", want)
		}
	}
	have := int64(-1)
	if in != nil {
		have = product(in)
	}
	if free >= 0 {
		out[free] = 1
		rest := product(out)
		out[free] = -1
		if have >= 0 && rest > 0 {
			if have%rest != 0 {
				return nil, fmt.Errorf("%v to %v: %d elements do not divide by %d", in, want, have, rest)
			}
			out[free] = have / rest
		}
		return s.like(out), nil
	}
	if n := product(out); have >= 0 && n >= 0 && n != have {
		return nil, fmt.Errorf("%v to %v: %d elements, want %d", in, want, have, n)
	}
	return s.like(out), nil
}

func inferFlatten(s site) ([]TensorType, error) {
	in := s.shape(0)
	if in == nil {
		return s.like([]int64{-1, -1}), nil
	}
	a := s.AttrInt("axis", 1)
	if a < 0 {
		a += int64(len(in))
	}
	if a < 0 || a > int64(len(in)) {
		return nil, fmt.Errorf("axis %d of %v", a, in)
	}
	return s.like([]int64{product(in[:a]), product(in[a:])}), nil
}

func inferSqueeze(s site) ([]TensorType, error) {
	in := s.shape(0)
	axes, given, ok := s.list("axes", 1)
	if in == nil || !ok || !given && slices.Contains(in, -1) {
		return s.like(nil), nil
	}
	gone := make([]bool, len(in))
	for _, a := range axes {
		i, err := axis(a, len(in))
		if err != nil {
			return nil, err
		}
		if in[i] > 1 || in[i] == 0 {
			return nil, fmt.Errorf("dimension %d of %v is not 1", i, in)
		}
		gone[i] = true
	}
	out := []int64{}
	for i, d := range in {
		if !gone[i] && (given || d != 1) {
			out = append(out, d)
		}
	}
	return s.like(out), nil
}

func inferUnsqueeze(s site) ([]TensorType, error) {
	in := s.shape(0)
	axes, _, ok := s.list("axes", 1)
	if in == nil || !ok {
		return s.like(nil), nil
	}
	rank := len(in) + len(axes)
	added := make([]bool, rank)
	for _, a := range axes {
		i, err := axis(a, rank)
		if err != nil {
			return nil, err
		}
		if added[i] {
			return nil, fmt.Errorf("axes %v: one is there twice", axes)
		}
		added[i] = true
	}
	out := make([]int64, 0, rank)
	for _, one := range added {
		if one {
			out = append(out, 1)
		} else {
			out, in = append(out, in[0]), in[1:]
		}
	}
	return s.like(out), nil
}

func inferConcat(s site) ([]TensorType, error) {
	var out []int64
	for i := range s.in {
		if s.shape(i) == nil {
			return s.like(nil), nil
		}
	}
	a, err := axis(s.AttrInt("axis", 0), len(s.shape(0)))
	if err != nil {
		return nil, err
	}
	out = slices.Clone(s.shape(0))
	for i := 1; i < len(s.in); i++ {
		x := s.shape(i)
		if len(x) != len(out) {
			return nil, fmt.Errorf("%v beside %v", out, x)
		}
		for j, d := range x {
			switch {
			case j == a && (d < 0 || out[j] < 0):
				out[j] = -1
			case j == a:
				out[j] += d
			case out[j] < 0:
				out[j] = d
			case d >= 0 && d != out[j]:
				return nil, fmt.Errorf("%v beside %v along axis %d", s.shape(0), x, a)
			}
		}
	}
	return s.like(out), nil
}

func inferSplit(s site) ([]TensorType, error) {
	in := s.shape(0)
	n := len(s.Output)
	if in == nil {
		return slices.Repeat(s.like(nil), n), nil
	}
	a, err := axis(s.AttrInt("axis", 0), len(in))
	if err != nil {
		return nil, err
	}
	sizes, given, ok := s.list("split", 1)
	out := make([]TensorType, n)
	if given && ok {
		var sum int64
		for _, d := range sizes {
			sum += max(d, 0)
		}
		if len(sizes) != n || in[a] >= 0 && sum != in[a] {
			return nil, fmt.Errorf("sizes %v for %d parts of %d", sizes, n, in[a])
		}
	}
	for i := range out {
		shape := slices.Clone(in)
		switch {
		case !ok || in[a] < 0 && !given:
			shape[a] = -1
		case given:
			shape[a] = sizes[i]
		default: // equal parts, the last one smaller
			part := (in[a] + int64(n) - 1) / int64(n)
			shape[a] = max(0, min(part, in[a]-part*int64(i)))
		}
		out[i] = TensorType{s.elem(), shape}
	}
	return out, nil
}

func inferSlice(s site) ([]TensorType, error) {
	in := s.shape(0)
	starts, _, ok1 := s.list("starts", 1)
	ends, _, ok2 := s.list("ends", 2)
	axes, given, ok3 := s.list("axes", 3)
	steps, stepped, ok4 := s.list("steps", 4)
	if in == nil || !ok3 {
		return s.like(nil), nil
	}
	if !given {
		for i := range max(len(starts), len(ends)) {
			axes = append(axes, int64(i))
		}
	}
	known := ok1 && ok2 && ok4
	if known && (len(starts) != len(axes) || len(ends) != len(axes) || stepped && len(steps) != len(axes)) {
		return nil, fmt.Errorf("%d starts, %d ends, %d axes", len(starts), len(ends), len(axes))
	}
	out := slices.Clone(in)
	for i, a := range axes {
		j, err := axis(a, len(in))
		if err != nil {
			return nil, err
		}
		if !known || in[j] < 0 {
			out[j] = -1
			continue
		}
		step := int64(1)
		if stepped {
			step = steps[i]
		}
		if step == 0 {
			return nil, fmt.Errorf("a step of 0")
		}
		out[j] = sliced(in[j], starts[i], ends[i], step)
	}
	return s.like(out), nil
}

// sliced is how many of d elements lie from start to end, both clamped as in Python.
func sliced(d, start, end, step int64) int64 {
	low, high := int64(0), d // where a forward slice may begin and end
	if step < 0 {
		low, high = -1, d-1
	}
	clampTo := func(v int64) int64 {
		if v < 0 {
			v += d
		}
		return min(max(v, low), high)
	}
	from, to := clampTo(start), clampTo(end)
	if step < 0 && end < -d {
		to = -1
	}
	if step > 0 {
		return max(0, (to-from-1)/step+1) * bit(to > from)
	}
	return max(0, (from-to-1)/max(-step, 1)+1) * bit(from > to)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func inferPad(s site) ([]TensorType, error) {
	in := s.shape(0)
	pads, _, ok := s.list("pads", 1)
	if in == nil || !ok {
		return s.like(unknownLike(in)), nil
	}
	if len(s.Input) > 3 && s.Input[3] != "" {
		return s.like(unknownLike(in)), nil // opset 18: pads of some axes only
	}
	if len(pads) != 2*len(in) {
		return nil, fmt.Errorf("%d pads for %v", len(pads), in)
	}
	out := slices.Clone(in)
	for i := range out {
		if out[i] >= 0 {
			out[i] = max(0, out[i]+pads[i]+pads[i+len(in)])
		}
	}
	return s.like(out), nil
}

func unknownLike(shape []int64) []int64 {
	if shape == nil {
		return nil
	}
	return unknown(len(shape))
}

func inferExpand(s site) ([]TensorType, error) {
	want, _, ok := s.list("", 1)
	if !ok {
		return s.like(nil), nil
	}
	out, err := broadcast(s.shape(0), append([]int64{}, want...))
	return s.like(out), err
}

func inferTile(s site) ([]TensorType, error) {
	in := s.shape(0)
	times, _, ok := s.list("", 1)
	if in == nil || !ok {
		return s.like(unknownLike(in)), nil
	}
	if len(times) != len(in) {
		return nil, fmt.Errorf("repeats %v for %v", times, in)
	}
	out := slices.Clone(in)
	for i, t := range times {
		if t < 0 || t > maxElements {
			return nil, fmt.Errorf("repeats %v", times)
		}
		if out[i] >= 0 {
			if t > 0 && out[i] > maxElements/t {
				return nil, fmt.Errorf("repeats %v of %v: too large", times, in)
			}
			out[i] *= t
		}
	}
	return s.like(out), nil
}

func inferGather(s site) ([]TensorType, error) {
	in, index := s.shape(0), s.shape(1)
	if in == nil || index == nil {
		return s.like(nil), nil
	}
	a, err := axis(s.AttrInt("axis", 0), len(in))
	if err != nil {
		return nil, err
	}
	out := slices.Concat(in[:a], index, in[a+1:])
	if out == nil {
		out = []int64{}
	}
	return s.like(out), nil
}

func inferShape(s site) ([]TensorType, error) {
	rank := int64(-1)
	if in := s.shape(0); in != nil {
		rank = int64(len(in))
	}
	return []TensorType{{Tensor_INT64, []int64{rank}}}, nil
}

func inferConstantOfShape(s site) ([]TensorType, error) {
	elem := Tensor_FLOAT
	if a := s.Attr("value"); a != nil {
		elem = Tensor_DataType(a.GetT().GetDataType())
	}
	dims, _, ok := s.list("", 0)
	if !ok {
		return []TensorType{{Elem: elem}}, nil
	}
	return []TensorType{{elem, append([]int64{}, dims...)}}, nil
}
