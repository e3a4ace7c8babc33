package nn

import (
	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Features adds the trunk to a graph: from the frame, uint8 [N,H,W,3] blue-green-red,
// to the values at the cut. Parameters are asked for by their names in the file.
func (t *Trunk) Features(m Module, frame graph.Value) []graph.Value {
	r := replay{Trunk: t, m: m, folded: map[string]bool{}, values: map[string]graph.Value{t.input: t.normalise(m, frame)}}
	for _, c := range t.model.GetGraph().GetInitializer() {
		r.values[c.GetName()] = r.constant(c)
	}
	for _, n := range t.model.GetGraph().GetNode() {
		r.node(n)
	}
	out := make([]graph.Value, len(t.cfg.Cut))
	for i, name := range t.cfg.Cut {
		out[i] = r.values[name]
	}
	return out
}

// normalise makes the picture what the file was trained on.
func (t *Trunk) normalise(m Module, frame graph.Value) graph.Value {
	x := m.Cast(m.Transpose(frame, 0, 3, 1, 2), onnx.Tensor_FLOAT)
	if t.cfg.Color == "rgb" {
		x = m.Slice(x, 1, -1, -4, -1)
	}
	per := func(v []float64, invert bool) graph.Value {
		out := make([]float32, 3)
		for i := range out {
			if out[i] = float32(v[i]); invert {
				out[i] = float32(1 / v[i])
			}
		}
		return m.Float32(out, 1, 3, 1, 1)
	}
	if len(t.cfg.Mean) > 0 {
		x = m.Sub(x, per(t.cfg.Mean, false))
	}
	if len(t.cfg.Std) > 0 {
		x = m.Mul(x, per(t.cfg.Std, true))
	}
	return x
}
