package trainer

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/perception/model"
	"perceive/trainer/dataset"
	"perceive/trainer/nn"
)

// Trained is the outcome of a run: the best weights and what they were made from.
type Trained struct {
	Progress
	// Params is the averaged parameter vector at BestStep.
	Params []float32
	// Calibration is what is folded into Params, by label; nil if nothing is.
	Calibration []models.Calibration
}

// LoadRun reads the best weights of a run's folder.
func LoadRun(dir string) (*Trained, error) {
	p, state, err := LoadCheckpoint(filepath.Join(dir, BestFile))
	if err != nil {
		return nil, err
	}
	if err := p.Config.Load(); err != nil {
		return nil, err
	}
	return &Trained{Progress: p, Params: state[len(state)-1]}, nil
}

// layout is that of Params.
func (t *Trained) layout() (*nn.Layout, error) {
	l, err := t.Config.task(nil).Layout()
	if err != nil {
		return nil, fmt.Errorf("trainer: %w", err)
	}
	if int64(len(t.Params)) != l.Size {
		return nil, fmt.Errorf("trainer: %w: %d parameters, the network has %d", ErrCheckpoint, len(t.Params), l.Size)
	}
	return l, nil
}

// Deploy is the network as it drives and its weights, for the exporter. What the loss
// has of its own lies behind the network's parameters and stays behind.
func (t *Trained) Deploy() (*onnx.Model, map[string]*onnx.Tensor, error) {
	if _, err := t.layout(); err != nil {
		return nil, nil, err
	}
	graph, l, err := DeployGraph(t.Config.net(), 1)
	if err != nil {
		return nil, nil, fmt.Errorf("trainer: %w", err)
	}
	return graph, l.Tensors(t.Params), nil
}

// Scorer is the training graph in evaluation, on the best weights, for single frames.
func (t *Trained) Scorer(rt *ort.Runtime, opts ort.Options) (*Scorer, error) {
	s, err := NewScorer(rt, t.Config.task(nil), 1, opts)
	if err != nil {
		return nil, err
	}
	if len(s.Params) != len(t.Params) {
		s.Close()
		return nil, fmt.Errorf("trainer: %w: %d parameters, the network has %d", ErrCheckpoint, len(t.Params), len(s.Params))
	}
	copy(s.Params, t.Params)
	return s, nil
}

// Manifest is the contract of the network, with thresholds and figures as measured on
// a data set of the given name.
func (t *Trained) Manifest(name, tool string, split string, measured []Measured) models.Manifest {
	c := t.Config
	m := models.Manifest{
		Schema: models.Schema, Name: name, Tool: tool, Created: time.Now().UTC(),
		Input:   t.Input(),
		Outputs: models.Outputs{Probabilities: OutProbabilities},
		Training: &models.Training{
			Network:    c.Network.String(),
			Parameters: len(t.Params), Steps: t.BestStep, Planned: c.Steps, Best: t.Best, Images: t.Images, Counts: t.Counts, Fingerprint: t.Data, Seed: c.Seed,
			Recipe: c.recipe(),
		},
	}
	if n := t.Named; n != nil {
		m.Training.Data, m.Training.Validation = n.Train.URIs, n.Val.URIs
		m.Training.Teachers = append(slices.Clone(n.Train.Teachers), n.Val.Teachers...)
	}
	if c.net().Mapped() > 0 {
		m.Outputs.Maps = OutMaps
	}
	for i, l := range measured {
		label := models.Label{ID: l.Label, Threshold: float32(l.Best.Threshold), ThresholdRule: l.Rule + " on " + split}
		if l.Chosen {
			label.Metrics = map[string]models.Metric{split: l.Metric}
		}
		if t.Calibration != nil {
			label.Calibration = &t.Calibration[i]
		}
		m.Labels = append(m.Labels, label)
	}
	return m
}

// recipe is the configuration for a file that travels: without the folders of the machine.
func (c Config) recipe() json.RawMessage {
	if c.Init != "" {
		c.Init = filepath.Base(c.Init)
	}
	if c.Network.Backbone != nil {
		b := *c.Network.Backbone
		b.File = filepath.Base(b.File)
		c.Network.Backbone = &b
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil // a number that JSON has no word for: the facts beside it stay
	}
	return text
}

// Input is the network's input.
func (t *Trained) Input() models.Input {
	n := t.Config.Network
	return models.Input{Name: inFrame, Type: "uint8", Layout: "NHWC", Color: "BGR",
		Width: int(n.Width), Height: int(n.Height), Fit: models.Letterbox, Pad: dataset.PadGrey}
}

// ModelPredictor scores with a model file, one frame at a time.
func ModelPredictor(m *model.Model) (Predictor, error) {
	lane, err := m.NewLane()
	if err != nil {
		return Predictor{}, err
	}
	in := m.Manifest().Input
	return Predictor{Frames: lane.Input, Batch: 1, Width: in.Width, Height: in.Height,
		Run: func(ctx context.Context) ([]float32, error) {
			err := lane.Run(ctx)
			return lane.Probabilities, err
		},
		Maps: func() ([]float32, int, int) { return lane.Maps, lane.MapHeight, lane.MapWidth },
	}, nil
}
