package trainer

import (
	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/loss"
	"perceive/trainer/nn"
	"perceive/trainer/optim"
)

// Step is the graphs of a training step.
//
// Gradient is one pass over a shard of the batch: from the weights and some pictures to the
// gradient of the weights and the losses. Update is the end of a step: the gradients of
// all slots are summed and taken back to the parameters, the optimiser moves those, and
// the next weights are made. Weights makes the first ones.
//
// What a pass would work out again from the weights alone (turned kernels) is made with
// the weights, and what it would do to a gradient that only moves numbers is done to their
// sum.
type Step struct {
	Weights, Gradient, Update *onnx.Model
	// In are the parts of the weights' vector, the first inputs of Gradient; Out those of
	// the gradient's vector, its first outputs.
	In, Out []Part
}

// Part is a tensor in a vector.
type Part struct {
	Name         string
	Shape        []int64
	Offset, Size int64
}

const (
	inWeights   = "weights"
	inGradients = "gradients"

	outLoss     = "loss"
	outLossMap  = "loss_map"
	outLossPres = "loss_presence"
	outGradNorm = "grad_norm"
)

// Step builds the graphs.
func (t Task) Step(l *nn.Layout) (*Step, error) {
	b := stepBuilder{Task: t, layout: l, pass: graph.New("pass")}
	b.differentiate()
	if err := b.pass.Err(); err != nil {
		return nil, err
	}
	b.hoist()
	b.sink()
	s := &Step{In: b.in, Out: b.out}
	var err error
	if s.Gradient, err = b.gradient(); err != nil {
		return nil, err
	}
	if s.Update, err = b.update(); err != nil {
		return nil, err
	}
	w := graph.New("perceive_weights")
	w.Output(inWeights, b.vector(w, w.Input(optim.Params, onnx.Tensor_FLOAT, l.Size)))
	s.Weights, err = w.Model()
	return s, err
}

// stepBuilder cuts the graph of a pass into what is done once a shard and once a step.
type stepBuilder struct {
	Task
	layout *nn.Layout
	// pass is the whole graph: forward, losses, backward.
	pass    *graph.Builder
	batch   []graph.Value // the inputs that are not weights
	losses  [3]graph.Value
	learned []string // weights that have a gradient
	grads   []graph.Value

	hoisted, inner []*onnx.Node   // nodes done once a step, and once a shard
	chains         [][]*onnx.Node // by gradient: what is done to the sum
	in, out        []Part
}

// differentiate builds the pass. Its inputs are the weights, the frames and the teachers.
func (s *stepBuilder) differentiate() {
	b, net, n := s.pass, s.Net, int64(s.Plan.Shard)
	h, w := net.Height/nn.Stride, net.Width/nn.Stride
	m, weights := nn.DeclareWeights(b, s.layout)
	frame := b.Input(inFrame, onnx.Tensor_UINT8, n, net.Height, net.Width, 3)
	presence := b.Input(inPresence, onnx.Tensor_FLOAT, n, net.Labels)
	mask := b.Input(inPresenceMask, onnx.Tensor_FLOAT, n, net.Labels)
	s.batch = []graph.Value{frame, presence, mask}

	maps, logits := net.Answers(m, frame)
	known := s.Loss.Known(b, logits, mask)
	lossPresence := s.Loss.MultiTask(b, logits, presence, known)
	perLabel := b.Scale(lossPresence, s.Loss.Presence)
	lossMap := b.Scalar(0)
	if net.Mapped() > 0 {
		target := b.Input(inMap, onnx.Tensor_FLOAT, n, net.Mapped(), h, w)
		weight := b.Input(inMapWeight, onnx.Tensor_FLOAT, n, net.Mapped(), h, w)
		s.batch = append(s.batch, target, weight)
		each := loss.FocalMap(b, maps, target, weight)
		lossMap = loss.Sum(b, each)
		perLabel = b.Add(perLabel, b.Pad(b.Scale(each, s.Loss.Map), []int64{0}, []int64{net.Pooled}))
	}
	total := s.Loss.Weigh(b, perLabel, s.weights(m), known)
	s.losses = [3]graph.Value{total, b.Reshape(lossMap, 1), loss.Sum(b, lossPresence)}

	s.learned = s.layout.Learned(s.Rates)
	var wrt []graph.Value
	for _, name := range s.learned {
		wrt = append(wrt, weights[name])
	}
	s.grads = autodiff.Gradients(b, total, wrt)
}
