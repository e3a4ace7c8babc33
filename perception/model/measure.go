package model

import (
	"context"
	"fmt"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models"
)

// newMeasured is New after a run that counts which provider runs the nodes. That run
// comes first: what it has TensorRT build is in the engine cache when the session that
// stays is made.
func newMeasured(ctx context.Context, rt *ort.Runtime, file []byte, man *models.Manifest, opts ort.Options) (*Model, error) {
	a, err := rt.Measure(ctx, file, opts, func(in []*ort.Tensor) error { return golden(man, in) })
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := New(rt, file, man, opts)
	if err != nil {
		return nil, err
	}
	if err := m.measured(a); err != nil {
		return nil, err
	}
	return m, nil
}

// measured takes what was measured into the report, or closes the model if the policy
// does not allow it.
func (m *Model) measured(a hw.Assignment) error {
	rep, err := m.report.WithMeasured(a)
	if err != nil {
		m.Close()
		return fmt.Errorf("model: %w: %w", ort.ErrProvider, err)
	}
	m.report = rep
	return nil
}

// golden writes the first golden picture into the input. A file without one, or whose
// shape is not the manifest's, which New refuses, is measured on a black picture.
func golden(man *models.Manifest, in []*ort.Tensor) error {
	if len(man.Golden) == 0 || len(in) != 1 || in[0].Type() != ort.Uint8 {
		return nil
	}
	pix, err := man.Golden[0].Pixels(man.Input.Width, man.Input.Height)
	if err != nil {
		return err
	}
	copy(in[0].Uint8(), pix)
	return nil
}
