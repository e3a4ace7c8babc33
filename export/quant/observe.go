package quant

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/hw/ort"
)

// Observed are the distributions of a model's values over some frames.
type Observed struct {
	Frames int
	hist   map[string]*histogram
}

// Observe runs a float model of one uint8 input on frames and counts the values of
// everything that is float.
func Observe(ctx context.Context, rt *ort.Runtime, m *onnx.Model, frames iter.Seq[[]byte]) (*Observed, error) {
	watched, names, err := watch(m)
	if err != nil {
		return nil, err
	}
	text, err := onnx.Marshal(watched)
	if err != nil {
		return nil, err
	}
	s, err := rt.NewSession(text, ort.Options{})
	if err != nil {
		return nil, fmt.Errorf("quant: %w", err)
	}
	defer s.Close()
	if in := s.Inputs(); len(in) != 1 || in[0].Type != ort.Uint8 {
		return nil, fmt.Errorf("quant: the model takes %v, want one frame of uint8", in)
	}
	var tensors []*ort.Tensor
	defer func() {
		for _, t := range tensors {
			t.Close()
		}
	}()
	for _, spec := range slices.Concat(s.Inputs(), s.Outputs()) {
		t, err := ort.NewTensorFor(spec)
		if err != nil {
			return nil, fmt.Errorf("quant: %w", err)
		}
		tensors = append(tensors, t)
	}
	b, err := s.Bind(tensors[:1], tensors[1:])
	if err != nil {
		return nil, fmt.Errorf("quant: %w", err)
	}
	o := &Observed{hist: map[string]*histogram{}}
	for _, n := range names {
		o.hist[n] = &histogram{}
	}
	for pix := range frames {
		if len(pix) != tensors[0].Len() {
			return nil, fmt.Errorf("quant: a frame of %d bytes, the input takes %d", len(pix), tensors[0].Len())
		}
		copy(tensors[0].Uint8(), pix)
		if err := b.Run(ctx); err != nil {
			return nil, fmt.Errorf("quant: %w", err)
		}
		for i, spec := range s.Outputs() {
			if h := o.hist[spec.Name]; h != nil {
				h.add(tensors[1+i].Float32())
			}
		}
		o.Frames++
	}
	if o.Frames == 0 {
		return nil, fmt.Errorf("quant: no frames to observe")
	}
	return o, nil
}

// watch is the model with all its float values for outputs, and their names.
func watch(m *onnx.Model) (*onnx.Model, []string, error) {
	types, err := onnx.InferShapes(m)
	if err != nil {
		return nil, nil, fmt.Errorf("quant: %w", err)
	}
	out := proto.CloneOf(m)
	g := out.GetGraph()
	output := map[string]bool{}
	for _, o := range g.GetOutput() {
		output[o.GetName()] = true
	}
	var names []string
	for _, n := range g.GetNode() {
		for _, v := range n.GetOutput() {
			t := types[v]
			if t.Elem != onnx.Tensor_FLOAT || !t.Static() || len(t.Shape) == 0 {
				continue
			}
			names = append(names, v)
			if !output[v] {
				g.Output = append(g.Output, onnx.NewValueInfo(v, t.Elem, t.Shape...))
			}
		}
	}
	return out, names, nil
}

// Ranges are what a method makes of the observations, by the name of the value.
func (o *Observed) Ranges(m Method) (map[string]Range, error) {
	out := map[string]Range{}
	for name, h := range o.hist {
		if h.bad > 0 {
			return nil, fmt.Errorf("quant: value %q: %d are infinite or not a number", name, h.bad)
		}
		out[name] = m.Range(h)
	}
	return out, nil
}

// Reach is the largest magnitude of a value; false if it was not observed.
func (o *Observed) Reach(name string) (float64, bool) {
	h := o.hist[name]
	if h == nil || h.n == 0 {
		return 0, false
	}
	return max(-h.low, h.high), true
}
