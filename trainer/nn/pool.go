package nn

import (
	"strings"

	"perceive/trainer/graph"
)

// The ways to make one logit of a map, "" being the first.
const (
	// LogSumExp is a soft maximum over the cells: a stop sign twelve pixels wide is not
	// averaged away, and every cell is taught. Over many empty cells it starts well above
	// zero, which the shift takes back.
	LogSumExp = "logsumexp"
	// Max is the strongest cell alone.
	Max = "max"
	// Mean is the global average: small objects drown in it.
	Mean = "mean"
	// Attention is the mean weighed by softmax(τ·map), τ learned: between Mean and Max.
	Attention = "attention"
)

var pools = []string{"", LogSumExp, Max, Mean, Attention}

// whole is the logits of the pooled labels, [N,Pooled]: linear in the strongest and the mean
// of each feature over the picture, the former so that what is small is not averaged away.
func (c Config) whole(m Module, y graph.Value) graph.Value {
	s := m.Shape(y)
	if len(s) != 4 {
		return graph.Value{}
	}
	both := m.Concat(1, m.ReduceMax(y, 2, 3), m.ReduceMean(y, 2, 3))
	w := m.Param(Param{Name: "whole.weight", Shape: []int64{2 * s[1], c.Pooled}, Std: 0.01, Decay: true})
	bias := m.Param(Param{Name: "whole.bias", Shape: []int64{c.Pooled}})
	return m.Add(m.MatMul(m.Reshape(both, s[0], 2*s[1]), w), bias)
}

// Presence pools maps to one logit per mapped label, [N,Mapped]:
//
//	scale[l] · pool(map[l]) + shift[l]
func (c Config) Presence(m Module, maps graph.Value) graph.Value {
	s := m.Shape(maps)
	if len(s) != 4 || s[1] != c.Mapped() {
		m.Failf("maps have shape %v, want [N,%d,h,w]", s, c.Mapped())
		return graph.Value{}
	}
	pooled, shift := c.pool(m, maps)
	pooled = m.Reshape(pooled, s[0], s[1])
	scale := m.Param(Param{Name: "presence.scale", Shape: []int64{c.Mapped()}, Mean: 1})
	return m.Add(m.Mul(pooled, scale), m.Param(Param{Name: "presence.shift", Shape: []int64{c.Mapped()}, Mean: shift}))
}

// pool is one number per label and picture, and the shift that brings it near the
// logit of an empty picture at first.
func (c Config) pool(m Module, maps graph.Value) (pooled graph.Value, shift float64) {
	switch c.Pool {
	case Max:
		return m.ReduceMax(maps, 2, 3), 0
	case Mean:
		return m.ReduceMean(maps, 2, 3), 0
	case Attention:
		t := m.Param(Param{Name: "presence.temperature", Shape: []int64{c.Mapped(), 1, 1}, Mean: 1})
		z := m.Mul(maps, t)
		weights := m.Exp(m.Sub(z, m.ReduceLogSumExp(z, 2, 3)))
		return m.ReduceSum(m.Mul(maps, weights), 2, 3), 0
	}
	return m.ReduceLogSumExp(maps, 2, 3), -3
}

// Fold changes the parameters so that label's logit z becomes a·z + b: what a probability
// calibration does.
func (c Config) Fold(l *Layout, params []float32, label int64, a, b float64) error {
	scale, shift, i, of := "presence.scale", "presence.shift", label, c.Mapped()
	if label >= c.Mapped() {
		scale, shift, i, of = "whole.weight", "whole.bias", label-c.Mapped(), c.Pooled
	}
	w, err := l.Find(scale)
	if err != nil {
		return err
	}
	s, err := l.Find(shift)
	if err != nil {
		return err
	}
	for j := w.Offset + i; j < w.Offset+w.Size; j += of {
		params[j] = float32(a * float64(params[j]))
	}
	at := &params[s.Offset+i]
	*at = float32(a*float64(*at) + b)
	return nil
}

// OfLabels reports whether a parameter belongs to the heads: there is some of it for each
// label, and it means nothing to a network of other labels.
func OfLabels(param string) bool {
	for _, head := range []string{"maps.", "presence.", "whole."} {
		if strings.HasPrefix(param, head) {
			return true
		}
	}
	return false
}
