package trainer

import (
	"context"
	"fmt"
	"slices"

	"perceive/hw/ort"
	"perceive/trainer/nn"
)

// Scorer runs the network without its teachers: frames in, probabilities out.
type Scorer struct {
	// Frames is the memory of the next batch, uint8 [batch,H,W,3]; Params the
	// vector of all parameters.
	Frames []byte
	Params []float32

	batch         int
	net           nn.Config
	session       *ort.Session
	run           *ort.Binding
	probabilities *ort.Tensor
	maps          *ort.Tensor
	tensors       []*ort.Tensor
}

// NewScorer builds the evaluation graph of a task for batches of one size.
func NewScorer(rt *ort.Runtime, task Task, batch int, opts ort.Options) (_ *Scorer, err error) {
	model, err := task.EvalGraph(batch)
	if err != nil {
		return nil, fmt.Errorf("trainer: %w", err)
	}
	s := &Scorer{batch: batch, net: task.Net}
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("trainer: %w", err)
		}
	}()
	if s.session, err = open(rt, model, opts); err != nil {
		return nil, err
	}
	if s.tensors, err = ort.NewTensorsFor(slices.Concat(s.session.Inputs(), s.session.Outputs())); err != nil {
		return nil, err
	}
	in, out := s.tensors[:2], s.tensors[2:]
	s.Params, s.Frames, s.probabilities = in[0].Float32(), in[1].Uint8(), out[0]
	if len(out) > 1 {
		s.maps = out[1]
	}
	s.run, err = s.session.Bind(in, out)
	return s, err
}

// Predictor scores with the parameters that are in Params when it runs.
func (s *Scorer) Predictor() Predictor {
	return Predictor{Frames: s.Frames, Batch: s.batch, Width: int(s.net.Width), Height: int(s.net.Height), Run: s.Run,
		Maps: func() ([]float32, int, int) {
			if s.maps == nil {
				return nil, 0, 0
			}
			return s.maps.Float32(), int(s.net.Height / nn.Stride), int(s.net.Width / nn.Stride)
		}}
}

// Run scores the frames in memory: probabilities [batch,labels], valid until the
// next Run.
func (s *Scorer) Run(ctx context.Context) ([]float32, error) {
	if err := s.run.Run(ctx); err != nil {
		return nil, fmt.Errorf("trainer: evaluation: %w", err)
	}
	return s.probabilities.Float32(), nil
}

// Close frees everything. It may be called twice and ends use.
func (s *Scorer) Close() error {
	if s.session != nil {
		s.session.Close()
	}
	for _, t := range s.tensors {
		t.Close()
	}
	return nil
}
