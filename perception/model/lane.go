package model

import (
	"context"
	"fmt"
	"slices"

	"perceive/hw/ort"
)

// Lane is one set of the model's tensors. A lane is used by one goroutine at a time;
// different lanes run side by side. Run allocates nothing.
type Lane struct {
	// Input is the memory of the next frame: uint8 [H,W,3], blue-green-red.
	Input []byte
	// Probabilities [L] and Maps [M,h,w] of the first M labels (nil if the model has none) are those of the
	// last Run.
	Probabilities, Maps []float32
	// MapHeight and MapWidth are h and w.
	MapHeight, MapWidth int

	model   *Model
	tensors []*ort.Tensor
	run     *ort.Binding
}

// NewLane makes a lane. It is freed with the model, or before.
func (m *Model) NewLane() (_ *Lane, err error) {
	l := &Lane{model: m}
	defer func() {
		if err != nil {
			l.free()
			err = fmt.Errorf("model: %w", err)
		}
	}()
	tensor := func(s ort.Spec) (*ort.Tensor, error) {
		t, err := ort.NewTensorFor(s)
		if err == nil {
			l.tensors = append(l.tensors, t)
		}
		return t, err
	}
	in, err := tensor(m.session.Inputs()[0])
	if err != nil {
		return nil, err
	}
	l.Input = in.Uint8()
	for _, s := range m.session.Outputs() {
		t, err := tensor(s)
		if err != nil {
			return nil, err
		}
		switch s.Name {
		case m.manifest.Outputs.Probabilities:
			l.Probabilities = t.Float32()
		case m.manifest.Outputs.Maps:
			l.Maps, l.MapHeight, l.MapWidth = t.Float32(), int(s.Shape[2]), int(s.Shape[3])
		}
	}
	if l.run, err = m.session.Bind(l.tensors[:1], l.tensors[1:]); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lanes = append(m.lanes, l)
	return l, nil
}

// Run runs the network on Input.
func (l *Lane) Run(ctx context.Context) error { return l.run.Run(ctx) }

// Close frees the lane, and its model with the last one if that is retired. It may be called
// twice and ends use.
func (l *Lane) Close() error {
	m := l.model
	m.mu.Lock()
	m.lanes = slices.DeleteFunc(m.lanes, func(o *Lane) bool { return o == l })
	last := m.retired && len(m.lanes) == 0
	m.mu.Unlock()
	l.free()
	if last {
		return m.Close()
	}
	return nil
}

// Model is what the lane runs.
func (l *Lane) Model() *Model { return l.model }

func (l *Lane) free() {
	if l.run != nil {
		l.run.Close()
	}
	for _, t := range l.tensors {
		t.Close()
	}
	l.run, l.tensors, l.Input, l.Probabilities, l.Maps = nil, nil, nil, nil, nil
}
