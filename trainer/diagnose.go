package trainer

import (
	"context"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/hw/ort"
)

// FirstBad runs the passes of the last step once more with every value in sight, and names
// the first that is not a finite number: the value, the operator that made it and the
// pictures of the batch. "" if all are finite: then the update made it.
func (e *Engine) FirstBad(ctx context.Context) (string, error) {
	used := e.sets[1-e.now] // what the last step read
	weights := used[len(used)-1].Float32()
	for _, p := range e.step.In {
		if i := nonFinite(weights[p.Offset : p.Offset+p.Size]); i >= 0 {
			return fmt.Sprintf("weight %s, element %d, is %v", p.Name, i, weights[p.Offset+int64(i)]), nil
		}
	}
	model, from, err := exposed(e.step.Gradient)
	if err != nil {
		return "", fmt.Errorf("trainer: %w", err)
	}
	s, err := open(e.rt, model, ort.Options{Optimize: ort.OptimizeNone, FlushDenormals: true})
	if err != nil {
		return "", fmt.Errorf("trainer: %w", err)
	}
	defer s.Close()
	out, err := ort.NewTensorsFor(s.Outputs())
	if err != nil {
		return "", fmt.Errorf("trainer: %w", err)
	}
	for _, t := range out {
		defer t.Close()
	}
	for i, p := range e.passes[1-e.now] {
		in := slices.Clone(p.in)
		if e.task.Plan.Sums() { // what was summed before is overwritten: a pass starts from zeros, as the first does
			sums := len(e.step.In)
			copy(in[sums:], e.passes[1-e.now][0].in[sums:sums+len(e.step.Out)])
		}
		if err := s.Run(ctx, in, out); err != nil {
			return "", fmt.Errorf("trainer: %w", err)
		}
		for j := from; j < len(out); j++ {
			v := out[j].Float32()
			if k := nonFinite(v); k >= 0 {
				n := e.task.Plan.Shard
				return fmt.Sprintf("%s, element %d, is %v, in pictures %d to %d of the batch", s.Outputs()[j], k, v[k], i*n, (i+1)*n-1), nil
			}
		}
	}
	return "", nil
}

// exposed is a model whose float values are all outputs, from an index on in the order in
// which they are made.
func exposed(m *onnx.Model) (_ *onnx.Model, from int, err error) {
	m = proto.CloneOf(m)
	types, err := onnx.InferShapes(m)
	if err != nil {
		return nil, 0, err
	}
	g := m.GetGraph()
	isOutput := map[string]bool{}
	for _, o := range g.GetOutput() {
		isOutput[o.GetName()] = true
	}
	from = len(g.GetOutput())
	for _, n := range g.GetNode() {
		for _, o := range n.GetOutput() {
			if t := types[o]; t.Elem == onnx.Tensor_FLOAT && len(t.Shape) > 0 && !isOutput[o] {
				g.Output = append(g.Output, onnx.NewValueInfo(o, t.Elem, t.Shape...))
			}
		}
	}
	return m, from, nil
}

// nonFinite is the index of the first NaN or infinity, -1 if there is none.
func nonFinite(v []float32) int {
	for i, x := range v {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return i
		}
	}
	return -1
}
