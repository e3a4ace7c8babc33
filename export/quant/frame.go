package quant

import (
	"math"
	"slices"

	"perceive/export/onnx"
)

// Frame is the pass that keeps the camera's bytes bytes up to the first layer. What
// networks do to a picture first, (x−114)/64 and the like, is exactly what a
// DequantizeLinear says, so the frame is a quantised value without any rounding, and
// changes of layout move a quarter of the memory. A front of another kind is left as it
// is.
func Frame(m *onnx.Model) error {
	p, err := newPlan(m, CPU, nil)
	if err != nil {
		return err
	}
	for _, in := range m.GetGraph().GetInput() {
		if t := in.TensorType(); t.Elem == onnx.Tensor_UINT8 && t.Static() {
			f := front{plan: p, value: in.GetName(), remove: map[*onnx.Node]bool{}}
			f.walk()
			f.replace(in.GetName())
		}
	}
	return nil
}

// front is the chain of operators behind a frame.
type front struct {
	*plan
	value  string // the last result of the chain
	remove map[*onnx.Node]bool
	layout []*onnx.Node
	// levels are what the chain makes of the 256 bytes.
	levels []float32
}

// walk follows the frame through layouts and arithmetic with single numbers.
func (f *front) walk() {
	for {
		r := f.readers[f.value]
		if len(r) != 1 || f.output[f.value] || r[0].GetDomain() != "" || len(r[0].GetOutput()) != 1 || !f.take(r[0]) {
			return
		}
		f.remove[r[0]] = true
		f.value = r[0].GetOutput()[0]
	}
}

func (f *front) take(n *onnx.Node) bool {
	op := n.GetOpType()
	switch op {
	case "Transpose", "SpaceToDepth":
		if !f.types[n.GetOutput()[0]].Static() {
			return false
		}
		f.layout = append(f.layout, n)
		return true
	case "Cast":
		if f.levels != nil || n.AttrInt("to", 0) != int64(onnx.Tensor_FLOAT) {
			return false
		}
		for x := range 256 {
			f.levels = append(f.levels, float32(x))
		}
		return true
	case "Add", "Sub", "Mul", "Div":
	default:
		return false
	}
	in := n.GetInput()
	first := in[0] == f.value
	other := in[0]
	if first {
		other = in[1]
	}
	c, err := f.constants[other].Float32s()
	if err != nil || len(c) == 0 || f.levels == nil || !first && (op == "Sub" || op == "Div") {
		return false
	}
	// One number, or the same one for each channel.
	if slices.ContainsFunc(c, func(x float32) bool { return x != c[0] }) || !slices.Equal(f.types[f.value].Shape, f.types[n.GetOutput()[0]].Shape) {
		return false
	}
	for i, x := range f.levels {
		switch op {
		case "Add":
			f.levels[i] = x + c[0]
		case "Sub":
			f.levels[i] = x - c[0]
		case "Mul":
			f.levels[i] = x * c[0]
		case "Div":
			f.levels[i] = x / c[0]
		}
	}
	return true
}

// params are a scale and a zero point that give the levels, to float32's last digit.
func (f *front) params() (params, bool) {
	if f.levels == nil {
		return params{}, false
	}
	scale := (f.levels[255] - f.levels[0]) / 255
	zero := math.Round(float64(-f.levels[0] / scale))
	if !(scale > 0) || zero < 0 || zero > 255 {
		return params{}, false
	}
	for i, want := range f.levels {
		if got := float32(float64(i)-zero) * scale; math.Abs(float64(got-want)) > 1e-6*float64(f.levels[255]-f.levels[0]) {
			return params{}, false
		}
	}
	return params{scale, int(zero), onnx.Tensor_UINT8}, true
}

// replace puts layouts of bytes and one DequantizeLinear where the chain was.
func (f *front) replace(frame string) {
	p, ok := f.params()
	if !ok {
		return
	}
	g := f.graph
	l := layouts{front: f, value: frame, shape: f.types[frame].Shape}
	for i := 0; i < len(f.layout); i++ {
		n := f.layout[i]
		if i+1 < len(f.layout) && channelsFirst(n) && f.layout[i+1].GetOpType() == "SpaceToDepth" {
			b := f.layout[i+1].AttrInt("blocksize", 1)
			i++
			if i+1 < len(f.layout) || !l.rows(b) {
				l.patches(b)
			}
			continue
		}
		if n.GetOpType() == "SpaceToDepth" {
			l.spaceToDepth(n.AttrInt("blocksize", 1))
			continue
		}
		l.transpose(n.AttrInts("perm"))
	}
	scale, zero := f.value+":scale", f.value+":zero"
	g.Initializer = append(g.Initializer, onnx.NewTensorFloat32(scale, nil, []float32{p.Scale}),
		onnx.NewTensorRaw(zero, p.Elem, nil, []byte{byte(p.Zero)}))
	nodes := append(l.nodes, onnx.NewNode("DequantizeLinear", f.value, []string{l.value, scale, zero}, []string{f.value}))
	for _, n := range g.GetNode() {
		if !f.remove[n] {
			nodes = append(nodes, n)
		}
	}
	g.Node = nodes
}
