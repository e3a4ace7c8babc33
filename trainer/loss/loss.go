// Package loss holds the training losses. Every loss is a sum over what is known:
// a mask of zeros removes an element from the sum and from the gradient, exactly.
package loss

import "perceive/trainer/graph"

// BCE is the element-wise binary cross-entropy of logits z against targets y in
// 0..1, in the form that does not overflow:
//
//	−y·log σ(z) − (1−y)·log(1−σ(z)) = softplus(z) − y·z
func BCE(b *graph.Builder, z, y graph.Value) graph.Value {
	return b.Sub(b.Softplus(z), b.Mul(y, z))
}

// MultiTask is the masked loss of several yes/no questions: BCE summed over the
// labelled tasks, averaged over the batch. All arguments are [N,L]; mask is 1
// where the label is known, else 0. The result has shape [1].
func MultiTask(b *graph.Builder, logits, targets, mask graph.Value) graph.Value {
	var loss graph.Value
	b.Scope("multitask", func() { loss = perPicture(b, logits, b.Mul(BCE(b, logits, targets), mask)) })
	return loss
}

// FocalMap teaches maps [N,L,h,w] where objects are: BCE weighted by
// |y − σ(z)|^γ with γ = 2 (Lin et al. 2017, arXiv 1708.02002), so that the many
// easy empty cells do not drown the few that matter, times weight, which is 0
// where nothing is known. Summed over cells and labels, averaged over the batch.
func FocalMap(b *graph.Builder, logits, targets, weight graph.Value) graph.Value {
	var loss graph.Value
	b.Scope("focal", func() {
		hard := b.Square(b.Sub(targets, b.Sigmoid(logits)))
		loss = perPicture(b, logits, b.Mul(b.Mul(BCE(b, logits, targets), hard), weight))
	})
	return loss
}

// perPicture sums all elements and divides by the number of pictures.
func perPicture(b *graph.Builder, logits, terms graph.Value) graph.Value {
	shape := b.Shape(logits)
	if len(shape) == 0 {
		b.Failf("logits have no batch axis")
		return graph.Value{}
	}
	axes := make([]int64, len(shape))
	for i := range axes {
		axes[i] = int64(i)
	}
	return b.Reshape(b.Scale(b.ReduceSum(terms, axes...), 1/float64(shape[0])), 1)
}
