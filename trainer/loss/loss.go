// Package loss holds the training losses. Every loss is a sum over what is known:
// a mask of zeros removes an element from the sum and from the gradient, exactly.
package loss

import (
	"perceive/export/onnx"
	"perceive/trainer/graph"
)

// Entropy is the element-wise binary cross-entropy of logits z against targets y in
// 0..1, in the form that does not overflow:
//
//	−y·log σ(z) − (1−y)·log(1−σ(z)) = softplus(z) − y·z
func Entropy(b *graph.Builder, z, y graph.Value) graph.Value {
	return b.Sub(b.Softplus(z), b.Mul(y, z))
}

// Known is the weight of each element of MultiTask, [N,L], of logits and mask [N,L]. mask is
// 1 where the label is known, 0 where it is left out, and −1 where nobody looked and Missing
// decides: "selective" takes it for a negative (target 0) where the network agrees
// (Ben-Baruch et al. 2022, arXiv 2110.10955, by the likelihood), else it is left out.
func (c Config) Known(b *graph.Builder, logits, mask graph.Value) graph.Value {
	if c.Missing != Selective {
		return mask
	}
	agrees := b.Cast(b.Op("Less", []graph.Value{b.Sigmoid(logits), b.Scalar(or(c.Likely, likely))}), onnx.Tensor_FLOAT)
	return b.Add(b.Relu(mask), b.Mul(b.Relu(b.Neg(mask)), agrees))
}

// MultiTask is the masked loss of several yes/no questions, summed over the labelled
// pictures of each label and averaged over the batch: [L]. All arguments are [N,L]; known is
// what Known gave.
func (c Config) MultiTask(b *graph.Builder, logits, targets, known graph.Value) graph.Value {
	var loss graph.Value
	b.Scope("multitask", func() {
		loss = perLabel(b, logits, b.Mul(c.presence(b, logits, targets), known))
	})
	return loss
}

// presence is the loss of each element by Kind, its positives weighed.
func (c Config) presence(b *graph.Builder, z, y graph.Value) graph.Value {
	var terms graph.Value
	switch c.Kind {
	case Focal:
		g := c.FocusNegative
		if g == 0 {
			g = 2
		}
		terms = b.Mul(Entropy(b, z, y), power(b, distance(b, z, y), g))
	case Asymmetric:
		return c.asymmetric(b, z, y)
	default:
		terms = Entropy(b, z, y)
	}
	if c.PositiveWeight == Fixed {
		terms = b.Mul(terms, b.Shift(b.Mul(y, c.extra(b)), 1))
	}
	return terms
}

// asymmetric is the loss of Ridnik et al. 2021 (arXiv 2009.14119): positives and
// negatives are focused apart, and a negative below the margin m costs nothing:
//
//	−y·w·(1−p)^γ⁺·log p − (1−y)·q^γ⁻·log(1−q),  q = max(p−m, 0)
func (c Config) asymmetric(b *graph.Builder, z, y graph.Value) graph.Value {
	pos, neg := c.FocusPositive, c.FocusNegative
	if pos == 0 && neg == 0 {
		neg = 4
	}
	p := b.Sigmoid(z)
	up := b.Mul(y, b.Mul(b.Softplus(b.Neg(z)), power(b, b.Sigmoid(b.Neg(z)), pos)))
	if c.PositiveWeight == Fixed {
		up = b.Mul(up, b.Shift(c.extra(b), 1))
	}
	fall := b.Softplus(z) // −log(1−p), which does not overflow
	q := p
	if c.Margin > 0 {
		q = b.Relu(b.Shift(p, -c.Margin))
		fall = b.Neg(b.Log(b.Shift(b.Neg(q), 1)))
	}
	down := b.Mul(b.Shift(b.Neg(y), 1), b.Mul(fall, power(b, q, neg)))
	return b.Add(up, down)
}

// extra is each label's positive weight less 1, [L].
func (c Config) extra(b *graph.Builder) graph.Value {
	w := make([]float32, len(c.PositiveWeights))
	for i, v := range c.PositiveWeights {
		w[i] = float32(v - 1)
	}
	return b.Float32(w, int64(len(w)))
}

// distance is |y − σ(z)| for targets of 0 and 1, from 0 to 1.
func distance(b *graph.Builder, z, y graph.Value) graph.Value {
	return b.Op("Abs", []graph.Value{b.Sub(y, b.Sigmoid(z))})
}

// power is x^k for x in 0..1. The logarithm of nothing is kept finite.
func power(b *graph.Builder, x graph.Value, k float64) graph.Value {
	switch k {
	case 0:
		return b.Scalar(1)
	case 1:
		return x
	case 2:
		return b.Square(x)
	}
	return b.Exp(b.Scale(b.Log(b.Shift(x, 1e-8)), k))
}

// FocalMap teaches maps [N,L,h,w] where objects are: Entropy weighted by
// |y − σ(z)|^γ with γ = 2 (Lin et al. 2017, arXiv 1708.02002), so that the many
// easy empty cells do not drown the few that matter, times weight, which is 0
// where nothing is known. Summed over cells, averaged over the batch: [L].
func FocalMap(b *graph.Builder, logits, targets, weight graph.Value) graph.Value {
	var loss graph.Value
	b.Scope("focal", func() {
		hard := b.Square(b.Sub(targets, b.Sigmoid(logits)))
		loss = perLabel(b, logits, b.Mul(b.Mul(Entropy(b, logits, targets), hard), weight))
	})
	return loss
}

// Weigh is the total [1] of the labels' losses [L]. With uncertainty it is
//
//	Σ_l e^(−s_l)·loss_l + s_l/2·known_l
//
// (Kendall et al. 2018, arXiv 1705.07115, for classification, s = log σ²), where s is
// learned and known_l, the part of the batch's pictures that know the label, keeps a label
// that is rarely known from being taken for an easy one. known is as in MultiTask.
func (c Config) Weigh(b *graph.Builder, losses, s, known graph.Value) graph.Value {
	var total graph.Value
	b.Scope("weigh", func() {
		switch c.Tasks {
		case Fixed:
			w := make([]float32, len(c.TaskWeights))
			for i, v := range c.TaskWeights {
				w[i] = float32(v)
			}
			losses = b.Mul(losses, b.Float32(w, int64(len(w))))
		case Uncertainty:
			part := perLabel(b, known, b.Relu(known))
			losses = b.Add(b.Mul(losses, b.Exp(b.Neg(s))), b.Scale(b.Mul(s, part), 0.5))
		}
		total = Sum(b, losses)
	})
	return total
}

// Sum of a vector: [1].
func Sum(b *graph.Builder, x graph.Value) graph.Value { return b.ReduceSum(x, 0) }

// perLabel sums terms [N,L,…] over all but the labels and divides by the number of
// pictures.
func perLabel(b *graph.Builder, logits, terms graph.Value) graph.Value {
	shape := b.Shape(logits)
	if len(shape) < 2 {
		b.Failf("logits have shape %v, want [N,L,…]", shape)
		return graph.Value{}
	}
	axes := []int64{0}
	for i := 2; i < len(shape); i++ {
		axes = append(axes, int64(i))
	}
	return b.Reshape(b.Scale(b.ReduceSum(terms, axes...), 1/float64(shape[0])), shape[1])
}

func or(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}
