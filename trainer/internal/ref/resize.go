package ref

import (
	"math"
	"slices"

	"perceive/export/onnx"
)

// resize interpolates axis after axis, as the specification's formulas say.
func resize(n *onnx.Node, in []Tensor) []Tensor {
	x := in[0]
	for a := range in[0].Shape {
		d := x.Shape[a]
		out, scale := d, 1.0
		if len(in) > 3 && in[3].Data != nil {
			out = int(in[3].Data[a])
			scale = float64(out) / float64(d)
		} else {
			scale = in[2].Data[a]
			out = int(math.Floor(float64(d) * scale))
		}
		if out == d && scale == 1 {
			continue
		}
		shape := slices.Clone(x.Shape)
		shape[a] = out
		src := x
		x = gather(shape, func(o []int) float64 {
			at := source(n.AttrString("coordinate_transformation_mode", "half_pixel"), float64(o[a]), scale, float64(d), float64(out))
			read := func(i int) float64 {
				idx := slices.Clone(o)
				idx[a] = min(max(i, 0), d-1)
				return src.at(idx...)
			}
			switch n.AttrString("mode", "nearest") {
			case "linear":
				low := math.Floor(at)
				return read(int(low))*(1-(at-low)) + read(int(low)+1)*(at-low)
			case "cubic":
				return cubic(at, float64(n.AttrFloat("cubic_coeff_a", -0.75)), n.AttrInt("exclude_outside", 0) != 0, d, read)
			}
			return read(nearest(n.AttrString("nearest_mode", "round_prefer_floor"), at))
		})
	}
	return []Tensor{x}
}

// source is the coordinate in the input that output pixel o looks at.
func source(mode string, o, scale, in, out float64) float64 {
	switch mode {
	case "asymmetric":
		return o / scale
	case "align_corners":
		if out == 1 {
			return 0
		}
		return o * (in - 1) / (out - 1)
	case "pytorch_half_pixel":
		if out == 1 {
			return 0
		}
	}
	return (o+0.5)/scale - 0.5
}

func nearest(mode string, at float64) int {
	switch mode {
	case "floor":
		return int(math.Floor(at))
	case "ceil":
		return int(math.Ceil(at))
	case "round_prefer_ceil":
		return int(math.Floor(at + 0.5))
	}
	return int(math.Ceil(at - 0.5))
}

// cubic is Keys' convolution over the four neighbours.
func cubic(at, a float64, exclude bool, d int, read func(int) float64) float64 {
	low := math.Floor(at)
	var sum, total float64
	for k := -1; k <= 2; k++ {
		i := int(low) + k
		t := math.Abs(at - float64(i))
		w := ((a+2)*t-(a+3))*t*t + 1
		if t > 1 {
			w = ((a*t-5*a)*t+8*a)*t - 4*a
		}
		if exclude && (i < 0 || i >= d) {
			continue
		}
		total += w
		sum += w * read(i)
	}
	return sum / total
}
