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

// LossConfig weighs the two teachers against each other.
type LossConfig struct {
	// Map multiplies the focal loss of the maps, Presence the masked loss of the
	// pooled logits. Both are sums over a picture's known elements.
	Map      float64 `yaml:"map" json:"map"`
	Presence float64 `yaml:"presence" json:"presence"`
}

// layout runs the network once to collect its parameters.
func layout(net nn.Config) (*nn.Layout, error) {
	m, l := nn.Declare(graph.New("layout"))
	infer(m, net, 1)
	return l, m.Err()
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
// vector of all parameters.
func EvalGraph(net nn.Config, batch int) (*onnx.Model, *nn.Layout, error) {
	l, err := layout(net)
	if err != nil {
		return nil, nil, err
	}
	b := graph.New("perceive_eval")
	params := b.Input(optim.StateNames[0], onnx.Tensor_FLOAT, l.Size)
	infer(nn.Bind(b, l, params), net, batch)
	model, err := b.Model()
	return model, l, err
}

// StepGraph is one training step: from state, scalars and a batch to the losses
// and the next state. Inputs are optim.StateNames, optim.ScalarNames, the frame and
// the teachers; outputs are "next_" + each state name, the losses, and the norm
// of the gradient.
func StepGraph(net nn.Config, batch int, opt optim.AdamW, lc LossConfig) (*onnx.Model, *nn.Layout, error) {
	l, err := layout(net)
	if err != nil {
		return nil, nil, err
	}
	b := graph.New("perceive_step")
	state, scalars := opt.Inputs(b, l.Size)
	n, h, w := int64(batch), net.Height/nn.Stride, net.Width/nn.Stride
	frame := b.Input(inFrame, onnx.Tensor_UINT8, n, net.Height, net.Width, 3)
	target := b.Input(inMap, onnx.Tensor_FLOAT, n, net.Labels, h, w)
	weight := b.Input(inMapWeight, onnx.Tensor_FLOAT, n, net.Labels, h, w)
	presence := b.Input(inPresence, onnx.Tensor_FLOAT, n, net.Labels)
	mask := b.Input(inPresenceMask, onnx.Tensor_FLOAT, n, net.Labels)

	m := nn.Bind(b, l, state[0])
	maps := net.Maps(m, frame)
	lossMap := loss.FocalMap(b, maps, target, weight)
	lossPresence := loss.MultiTask(b, net.Presence(m, maps), presence, mask)
	total := b.Add(b.Scale(lossMap, lc.Map), b.Scale(lossPresence, lc.Presence))

	grad := autodiff.Gradients(b, total, state[:1])[0]
	next, norm := opt.Update(b, state, scalars, grad, l.DecayMask(), l.RateMask())
	for i, v := range next {
		b.Output("next_"+optim.StateNames[i], v)
	}
	b.Output(outLoss, total)
	b.Output(outLossMap, lossMap)
	b.Output(outLossPres, lossPresence)
	b.Output(outGradNorm, norm)
	model, err := b.Model()
	return model, l, err
}
