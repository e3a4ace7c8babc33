package autodiff_test

import (
	"fmt"
	"slices"

	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// convCases: odd sizes, so that windows do not fit evenly.
func convCases() []rule {
	conv := func(op, name string, x, w []int64, attrs ...*onnx.Attribute) rule {
		out := w[0]
		if op == "ConvTranspose" {
			out = w[1]
			for _, a := range attrs {
				if a.GetName() == "group" {
					out *= a.GetI()
				}
			}
		}
		return opCase(name, op, [][]int64{x, w, {out}}, attrs...)
	}
	group, stride := func(g int64) *onnx.Attribute { return onnx.Int("group", g) }, func(s ...int64) *onnx.Attribute { return onnx.Ints("strides", s...) }
	dilate, pads := func(d ...int64) *onnx.Attribute { return onnx.Ints("dilations", d...) }, func(p ...int64) *onnx.Attribute { return onnx.Ints("pads", p...) }
	auto, extra := func(s string) *onnx.Attribute { return onnx.String("auto_pad", s) }, func(p ...int64) *onnx.Attribute { return onnx.Ints("output_padding", p...) }
	return []rule{
		conv("Conv", "groups", []int64{2, 4, 5, 4}, []int64{6, 2, 3, 3}, group(2), pads(1, 1, 1, 1)),
		conv("Conv", "groups, 1x1", []int64{2, 4, 3, 4}, []int64{6, 2, 1, 1}, group(2)),
		conv("Conv", "groups, stride 2, uneven pads", []int64{2, 4, 6, 5}, []int64{2, 2, 3, 2}, group(2), stride(2, 2), pads(1, 0, 0, 1)),
		conv("Conv", "depthwise", []int64{2, 3, 5, 4}, []int64{3, 1, 3, 3}, group(3), pads(1, 1, 1, 1)),
		conv("Conv", "depthwise, stride 2", []int64{2, 3, 7, 6}, []int64{3, 1, 3, 3}, group(3), stride(2, 2), pads(1, 1, 1, 1)),
		conv("Conv", "depthwise, two kernels a channel", []int64{2, 3, 5, 4}, []int64{6, 1, 2, 3}, group(3), stride(1, 2)),
		conv("Conv", "depthwise, dilated", []int64{1, 3, 7, 7}, []int64{3, 1, 3, 3}, group(3), dilate(2, 2), pads(2, 2, 2, 2)),
		conv("Conv", "dilated", []int64{2, 2, 7, 6}, []int64{3, 2, 3, 2}, dilate(2, 3), pads(2, 1, 0, 2)),
		conv("Conv", "dilated, stride 2", []int64{1, 2, 8, 9}, []int64{2, 2, 3, 3}, dilate(2, 2), stride(2, 2), pads(1, 2, 2, 1)),
		conv("Conv", "groups, padding wider than the kernel", []int64{1, 2, 4, 4}, []int64{2, 1, 2, 2}, group(2), pads(2, 2, 1, 3)),
		conv("Conv", "auto_pad SAME_UPPER", []int64{1, 2, 6, 5}, []int64{2, 2, 3, 2}, stride(2, 2), auto("SAME_UPPER")),
		conv("Conv", "auto_pad SAME_LOWER", []int64{1, 2, 6, 5}, []int64{2, 2, 2, 3}, auto("SAME_LOWER")),
		conv("Conv", "auto_pad VALID, groups", []int64{1, 2, 6, 5}, []int64{2, 1, 2, 3}, auto("VALID"), group(2)),
		conv("Conv", "1-D", []int64{2, 3, 7}, []int64{4, 3, 3}, stride(2), pads(1, 0)),
		conv("Conv", "1-D, groups, dilated", []int64{2, 4, 7}, []int64{4, 2, 3}, group(2), dilate(2), pads(2, 2)),
		conv("Conv", "3-D", []int64{1, 2, 3, 4, 3}, []int64{2, 2, 2, 2, 2}, pads(0, 1, 0, 1, 0, 0)),

		conv("ConvTranspose", "", []int64{2, 3, 3, 4}, []int64{3, 2, 3, 3}),
		conv("ConvTranspose", "stride 2", []int64{2, 3, 3, 4}, []int64{3, 2, 2, 2}, stride(2, 2)),
		conv("ConvTranspose", "stride 2, output_padding", []int64{1, 2, 3, 4}, []int64{2, 3, 3, 3}, stride(2, 2), pads(1, 1, 1, 1), extra(1, 0)),
		conv("ConvTranspose", "groups, uneven pads", []int64{2, 4, 3, 4}, []int64{4, 3, 3, 2}, group(2), stride(2, 1), pads(1, 0, 0, 1)),
		conv("ConvTranspose", "depthwise", []int64{1, 3, 3, 3}, []int64{3, 1, 4, 4}, group(3), stride(2, 2), pads(1, 1, 1, 1)),
		conv("ConvTranspose", "dilated", []int64{1, 2, 4, 3}, []int64{2, 2, 3, 3}, dilate(2, 2), stride(2, 3), pads(1, 2, 1, 1)),
		conv("ConvTranspose", "output_shape", []int64{1, 2, 4, 4}, []int64{2, 2, 3, 3}, stride(2, 2), onnx.Ints("output_shape", 8, 7)),
		conv("ConvTranspose", "auto_pad SAME_UPPER", []int64{1, 2, 4, 3}, []int64{2, 2, 3, 3}, stride(2, 2), auto("SAME_UPPER")),
		conv("ConvTranspose", "auto_pad SAME_LOWER", []int64{1, 2, 4, 3}, []int64{2, 2, 3, 3}, stride(2, 2), auto("SAME_LOWER")),
		conv("ConvTranspose", "1-D", []int64{2, 3, 4}, []int64{3, 2, 3}, stride(2)),
	}
}

func poolCases() []rule {
	var cs []rule
	for _, c := range []struct {
		name  string
		x     []int64
		attrs []*onnx.Attribute
	}{
		{"2x2 stride 2", []int64{2, 2, 4, 6}, []*onnx.Attribute{onnx.Ints("kernel_shape", 2, 2), onnx.Ints("strides", 2, 2)}},
		{"2x3, rows left over", []int64{1, 2, 5, 7}, []*onnx.Attribute{onnx.Ints("kernel_shape", 2, 3), onnx.Ints("strides", 2, 3)}},
		{"3x3 stride 2 padded", []int64{2, 2, 7, 6}, []*onnx.Attribute{onnx.Ints("kernel_shape", 3, 3), onnx.Ints("strides", 2, 2), onnx.Ints("pads", 1, 1, 1, 1)}},
		{"3x3 stride 1 padded", []int64{1, 2, 4, 5}, []*onnx.Attribute{onnx.Ints("kernel_shape", 3, 3), onnx.Ints("pads", 1, 1, 1, 1)}},
		{"2x3 uneven pads", []int64{1, 2, 5, 5}, []*onnx.Attribute{onnx.Ints("kernel_shape", 2, 3), onnx.Ints("strides", 1, 2), onnx.Ints("pads", 0, 2, 1, 0)}},
		{"gaps between windows", []int64{1, 2, 7, 8}, []*onnx.Attribute{onnx.Ints("kernel_shape", 2, 2), onnx.Ints("strides", 3, 3)}},
		{"SAME_UPPER", []int64{1, 2, 5, 6}, []*onnx.Attribute{onnx.Ints("kernel_shape", 2, 3), onnx.Ints("strides", 2, 2), onnx.String("auto_pad", "SAME_UPPER")}},
		{"SAME_LOWER", []int64{1, 2, 5, 6}, []*onnx.Attribute{onnx.Ints("kernel_shape", 2, 3), onnx.Ints("strides", 2, 2), onnx.String("auto_pad", "SAME_LOWER")}},
		{"1-D", []int64{2, 3, 7}, []*onnx.Attribute{onnx.Ints("kernel_shape", 3), onnx.Ints("strides", 2), onnx.Ints("pads", 1, 0)}},
	} {
		cs = append(cs, opCase(c.name, "MaxPool", [][]int64{c.x}, c.attrs...), opCase(c.name, "AveragePool", [][]int64{c.x}, c.attrs...),
			opCase(c.name+", padding counts", "AveragePool", [][]int64{c.x}, append(slices.Clone(c.attrs), onnx.Int("count_include_pad", 1))...))
	}
	return append(cs,
		opCase("ceil_mode", "MaxPool", [][]int64{{1, 2, 6, 8}}, onnx.Ints("kernel_shape", 3, 3), onnx.Ints("strides", 2, 2), onnx.Int("ceil_mode", 1)),
		opCase("dilated", "MaxPool", [][]int64{{1, 2, 6, 7}}, onnx.Ints("kernel_shape", 2, 3), onnx.Ints("dilations", 2, 2)),
		built("MaxPool, indices used", []int64{1, 2, 4, 4}, func(b *graph.Builder, x graph.Value) graph.Value {
			out := b.Ops("MaxPool", 2, []graph.Value{x}, onnx.Ints("kernel_shape", 2, 2))
			return b.Mul(out[0], b.Cast(out[1], onnx.Tensor_FLOAT))
		}),
	)
}

func resizeCases() []rule {
	resize := func(x []int64, scales []float32, sizes []int64, attrs ...*onnx.Attribute) rule {
		name := fmt.Sprint("Resize ", x, scales, sizes)
		for _, a := range attrs {
			name += fmt.Sprintf(" %s%.3g", a.GetS(), a.GetF())
		}
		return built(name, x, func(b *graph.Builder, x graph.Value) graph.Value {
			if sizes != nil {
				return b.Op("Resize", []graph.Value{x, {}, {}, b.Int64(sizes...)}, attrs...)
			}
			return b.Op("Resize", []graph.Value{x, {}, b.Float32(scales, int64(len(scales)))}, attrs...)
		})
	}
	mode := func(m string) *onnx.Attribute { return onnx.String("mode", m) }
	how := func(c string) *onnx.Attribute { return onnx.String("coordinate_transformation_mode", c) }
	up, odd := []float32{1, 1, 2, 3}, []float32{1, 1, 1.7, 0.65}
	cs := []rule{
		resize([]int64{1, 2, 3, 4}, nil, []int64{1, 2, 6, 8}),
		resize([]int64{1, 2, 5, 4}, nil, []int64{1, 2, 3, 4}),
		resize([]int64{1, 2, 3, 3}, nil, []int64{1, 2, 1, 1}, mode("linear"), how("align_corners")),
		resize([]int64{1, 2, 3, 3}, nil, []int64{1, 2, 1, 1}, mode("linear"), how("pytorch_half_pixel")),
		resize([]int64{3, 5}, nil, []int64{7, 4}, mode("linear")),
		resize([]int64{1, 1, 5, 6}, odd, nil, mode("cubic"), onnx.Float("cubic_coeff_a", -0.5)),
		resize([]int64{1, 1, 5, 6}, odd, nil, mode("cubic"), onnx.Int("exclude_outside", 1)),
		resize([]int64{1, 1, 3, 5}, up, nil, mode("nearest"), how("half_pixel"), onnx.String("nearest_mode", "floor")),
		resize([]int64{1, 1, 3, 5}, []float32{1, 1, 1, 1}, nil, mode("linear")),
	}
	for _, c := range []string{"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"} {
		for _, m := range []string{"linear", "cubic"} {
			cs = append(cs, resize([]int64{1, 2, 3, 4}, up, nil, mode(m), how(c)), resize([]int64{1, 2, 5, 6}, odd, nil, mode(m), how(c)))
		}
		for _, n := range []string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"} {
			cs = append(cs, resize([]int64{1, 2, 5, 6}, odd, nil, mode("nearest"), how(c), onnx.String("nearest_mode", n)))
		}
	}
	return cs
}
