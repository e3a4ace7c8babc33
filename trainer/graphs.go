package trainer

import (
	"perceive/export/onnx"
	"perceive/trainer/graph"
	"perceive/trainer/loss"
	"perceive/trainer/nn"
	"perceive/trainer/optim"
)

// Names of graph inputs and outputs. Frames are uint8 [N,H,W,3]; the teachers are
// float32: maps and their weights [N,M,H/8,W/8] of the M mapped labels, presence and its
// mask [N,L].
const (
	inFrame        = "frame"
	inMap          = "map"
	inMapWeight    = "map_weight"
	inPresence     = "presence"
	inPresenceMask = "presence_mask"

	// OutProbabilities and OutMaps are the outputs of the deployed network:
	// float32 [N,L] and [N,M,H/8,W/8], both probabilities; the latter only if M > 0.
	OutProbabilities = "probabilities"
	OutMaps          = "maps"
)

// Task is what training graphs are made of: the network, what its answers cost, and how
// it learns.
type Task struct {
	Net       nn.Config
	Plan      Plan
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
	maps, presence := net.Answers(m, frame)
	m.Output(OutProbabilities, m.Sigmoid(presence))
	if !maps.IsZero() {
		m.Output(OutMaps, m.Sigmoid(maps))
	}
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
func (t Task) EvalGraph(batch int) (*onnx.Model, error) {
	l, err := t.Layout()
	if err != nil {
		return nil, err
	}
	b := graph.New("perceive_eval")
	params := b.Input(optim.Params, onnx.Tensor_FLOAT, l.Size)
	infer(nn.Bind(b, l, params), t.Net, batch)
	return b.Model()
}
