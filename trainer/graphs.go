package trainer

import (
	"perceive/export/onnx"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/loss"
	"perceive/trainer/nn"
	"perceive/trainer/optim"
)

// Names of graph inputs and outputs. Frames are uint8 [N,H,W,3]; the teachers are
// float32: maps and their weights [N,L,H/8,W/8], presence and its mask [N,L].
const (
	inFrame        = "frame"
	inMap          = "map"
	inMapWeight    = "map_weight"
	inPresence     = "presence"
	inPresenceMask = "presence_mask"

	outLoss     = "loss"
	outLossMap  = "loss_map"
	outLossPres = "loss_presence"
	outGradNorm = "grad_norm"

	// OutProbabilities and OutMaps are the outputs of the deployed network:
	// float32 [N,L] and [N,L,H/8,W/8], both probabilities.
	OutProbabilities = "probabilities"
	OutMaps          = "maps"
)

// Task is what a training graph is made of: the network, what its answers cost, and how
// it learns.
type Task struct {
	Net       nn.Config
	Batch     int
	Optimizer optim.Config
	Loss      loss.Config
	Rates     nn.Rates
}

// uncertainty is the name of the learned task weights, s_l of loss.Weigh.
const uncertainty = "loss.uncertainty"

// Layout runs the network once to collect its parameters, and those of the loss.
func (t Task) Layout() (*nn.Layout, error) {
	m, l := nn.Declare(graph.New("layout"))
	infer(m, t.Net, 1)
	t.weights(m)
	if m.Err() != nil {
		return nil, m.Err()
	}
	return l, t.Rates.Check(l)
}

// weights are the loss's own parameters, if it has any.
func (t Task) weights(m nn.Module) graph.Value {
	if t.Loss.Tasks != loss.Uncertainty {
		return graph.Value{}
	}
	return m.Param(nn.Param{Name: uncertainty, Shape: []int64{t.Net.Labels}})
}

// infer adds the network from frame to probabilities.
func infer(m nn.Module, net nn.Config, batch int) {
	frame := m.Input(inFrame, onnx.Tensor_UINT8, int64(batch), net.Height, net.Width, 3)
	maps := net.Maps(m, frame)
	m.Output(OutProbabilities, m.Sigmoid(net.Presence(m, maps)))
	m.Output(OutMaps, m.Sigmoid(maps))
}

// DeployGraph is the network as it drives: input "frame", outputs OutProbabilities
// and OutMaps, each parameter a graph input of its own name, to be frozen by the
// exporter.
func DeployGraph(net nn.Config, batch int) (*onnx.Model, *nn.Layout, error) {
	m, l := nn.Declare(graph.New("perceive"))
	infer(m, net, batch)
	model, err := m.Model()
	return model, l, err
}

// EvalGraph is the training graph without its teachers: the same network on the
// vector of all parameters, for batches of a size.
func (t Task) EvalGraph(batch int) (*onnx.Model, *nn.Layout, error) {
	l, err := t.Layout()
	if err != nil {
		return nil, nil, err
	}
	b := graph.New("perceive_eval")
	params := b.Input(optim.Params, onnx.Tensor_FLOAT, l.Size)
	infer(nn.Bind(b, l, params), t.Net, batch)
	model, err := b.Model()
	return model, l, err
}

// StepGraph is one training step: from state, scalars and a batch to the losses
// and the next state. Inputs are the optimiser's state and scalars, the frame and
// the teachers; outputs are "next_" + each state name, the losses, and the norm
// of the gradient.
func (t Task) StepGraph() (*onnx.Model, *nn.Layout, error) {
	l, err := t.Layout()
	if err != nil {
		return nil, nil, err
	}
	b := graph.New("perceive_step")
	state, scalars := t.Optimizer.Inputs(b, l.Size)
	net, n := t.Net, int64(t.Batch)
	h, w := net.Height/nn.Stride, net.Width/nn.Stride
	frame := b.Input(inFrame, onnx.Tensor_UINT8, n, net.Height, net.Width, 3)
	target := b.Input(inMap, onnx.Tensor_FLOAT, n, net.Labels, h, w)
	weight := b.Input(inMapWeight, onnx.Tensor_FLOAT, n, net.Labels, h, w)
	presence := b.Input(inPresence, onnx.Tensor_FLOAT, n, net.Labels)
	mask := b.Input(inPresenceMask, onnx.Tensor_FLOAT, n, net.Labels)

	m := nn.Bind(b, l, state[0])
	maps := net.Maps(m, frame)
	lossMap := loss.FocalMap(b, maps, target, weight)
	lossPresence := t.Loss.MultiTask(b, net.Presence(m, maps), presence, mask)
	total := t.Loss.Weigh(b, b.Add(b.Scale(lossMap, t.Loss.Map), b.Scale(lossPresence, t.Loss.Presence)), t.weights(m), mask)

	grad := autodiff.Gradients(b, total, state[:1], m.Frozen(t.Rates)...)[0]
	next, norm := t.Optimizer.Update(b, state, scalars, grad, l.DecayMask(), l.RateMask(t.Rates))
	for i, v := range next {
		b.Output("next_"+t.Optimizer.StateNames()[i], v)
	}
	b.Output(outLoss, total)
	b.Output(outLossMap, loss.Sum(b, lossMap))
	b.Output(outLossPres, loss.Sum(b, lossPresence))
	b.Output(outGradNorm, norm)
	model, err := b.Model()
	return model, l, err
}
