// Package model loads a model file, holds it against its contract, and runs it.
//
// Nothing is taken on trust: the graph must be the one that was exported (its hash),
// its inputs and outputs must be those of the manifest, and it must still give the
// golden results that were recorded at export.
package model

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"perceive/export/onnx"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models"
)

// Reasons why a file is refused, beside models.ErrNoManifest and ort.ErrModel.
var (
	// ErrChanged reports a graph that is not the one that was exported.
	ErrChanged = errors.New("the graph is not the one that was exported")
	// ErrGolden reports a file that gives other results here than where it was made.
	ErrGolden = errors.New("the golden results are not met")
)

// Model is a loaded model file. Lanes of it may run side by side.
type Model struct {
	manifest *models.Manifest
	session  *ort.Session
	lanes    []*Lane
}

// Load loads the bytes of a model file and proves it: manifest, hash, shapes, golden
// results. sidecar is the manifest of a file that carries none, else nil.
func Load(ctx context.Context, rt *ort.Runtime, file []byte, sidecar *models.Manifest, opts ort.Options) (*Model, error) {
	parsed, err := onnx.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	man := sidecar
	if man == nil {
		if man, err = models.FromMetadata(parsed.Metadata()); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	if err := unchanged(man, file); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := New(rt, file, man, opts)
	if err != nil {
		return nil, err
	}
	if err := m.prove(ctx); err != nil {
		m.Close()
		return nil, fmt.Errorf("model: %w", err)
	}
	return m, nil
}

// New loads a file whose manifest is given, without proof of hash and golden results:
// for the exporter, which is about to make them.
func New(rt *ort.Runtime, file []byte, man *models.Manifest, opts ort.Options) (*Model, error) {
	s, err := rt.NewSession(file, opts)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := conforms(s, man); err != nil {
		s.Close()
		return nil, fmt.Errorf("model: %w", err)
	}
	return &Model{manifest: man, session: s}, nil
}

// Manifest is the contract of the file.
func (m *Model) Manifest() *models.Manifest { return m.manifest }

// Report says what the model runs on, and why.
func (m *Model) Report() hw.ProviderReport { return m.session.Report() }

// Close frees the model and its lanes. It may be called twice and ends use.
func (m *Model) Close() error {
	for _, l := range m.lanes {
		l.free()
	}
	m.lanes = nil
	return m.session.Close()
}

func unchanged(man *models.Manifest, file []byte) error {
	if man.GraphSHA256 == "" {
		return nil // a sidecar may leave it out
	}
	sum, err := onnx.GraphSHA256(file)
	if err != nil {
		return err
	}
	if sum != man.GraphSHA256 {
		return fmt.Errorf("%w (SHA-256 %.12s…, the manifest says %.12s…): export it again", ErrChanged, sum, man.GraphSHA256)
	}
	return nil
}

// conforms holds a session's inputs and outputs against a manifest.
func conforms(s *ort.Session, m *models.Manifest) error {
	in, out := s.Inputs(), s.Outputs()
	frame := []int64{1, int64(m.Input.Height), int64(m.Input.Width), 3}
	if len(in) != 1 || in[0].Name != m.Input.Name || in[0].Type != ort.Uint8 || !slices.Equal(in[0].Shape, frame) {
		return fmt.Errorf("%w: the graph takes %v, the manifest says %q uint8%v", ort.ErrMismatch, in, m.Input.Name, frame)
	}
	labels := int64(len(m.Labels))
	if s, ok := find(out, m.Outputs.Probabilities); !ok || s.Type != ort.Float32 || !slices.Equal(s.Shape, []int64{1, labels}) {
		return fmt.Errorf("%w: the graph gives %v, the manifest says %q float32[1 %d]", ort.ErrMismatch, out, m.Outputs.Probabilities, labels)
	}
	if m.Outputs.Maps == "" {
		return nil
	}
	if s, ok := find(out, m.Outputs.Maps); !ok || s.Type != ort.Float32 || len(s.Shape) != 4 || s.Shape[1] < 1 || s.Shape[1] > labels || slices.Contains(s.Shape, -1) {
		return fmt.Errorf("%w: the graph gives %v, the manifest says %q float32[1 n h w], n to %d", ort.ErrMismatch, out, m.Outputs.Maps, labels)
	}
	return nil
}

func find(specs []ort.Spec, name string) (ort.Spec, bool) {
	i := slices.IndexFunc(specs, func(s ort.Spec) bool { return s.Name == name })
	if i < 0 {
		return ort.Spec{}, false
	}
	return specs[i], true
}

// prove runs the golden vectors. Other providers than the CPU compute in other orders
// and precisions: there the tolerance is that of a decision, not of a digit.
func (m *Model) prove(ctx context.Context) error {
	if len(m.manifest.Golden) == 0 {
		return nil
	}
	l, err := m.NewLane()
	if err != nil {
		return err
	}
	defer l.Close()
	for _, g := range m.manifest.Golden {
		pix, err := g.Pixels(m.manifest.Input.Width, m.manifest.Input.Height)
		if err != nil {
			return fmt.Errorf("golden picture %q: %w", g.Name, err)
		}
		copy(l.Input, pix)
		if err := l.Run(ctx); err != nil {
			return err
		}
		tol := g.Tolerance
		if used := m.Report().Used; used != hw.CPU {
			tol = max(tol, accelerated)
		}
		for i, want := range g.Probabilities {
			if d := l.Probabilities[i] - want; !(d <= tol && d >= -tol) {
				return fmt.Errorf("%w: %q: %s is %.6f, want %.6f within %g (on %s)",
					ErrGolden, g.Name, m.manifest.Labels[i].ID, l.Probabilities[i], want, tol, m.Report())
			}
		}
	}
	return nil
}

// accelerated is the tolerance of a golden probability on a GPU, which may compute in
// TF32 or half precision.
const accelerated = 0.02
