// Package model loads a model file, holds it against its contract, and runs it.
//
// Nothing is taken on trust: the graph must be the one that was exported (its hash),
// its inputs and outputs must be those of the manifest, and it must still give the
// golden results that were recorded at export.
package model

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"

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
	report   hw.ProviderReport

	mu      sync.Mutex
	lanes   []*Lane
	retired bool
}

// Options say how a file is loaded, beside what runs it.
type Options struct {
	ort.Options
	// Manifest is the contract of a file in this project's own form that carries none;
	// Sidecar that of a file that another tool wrote. At most one is given.
	Manifest *models.Manifest
	Sidecar  *models.Sidecar
	// PublicKey, if not nil, must have signed the file, which must carry its contract.
	PublicKey ed25519.PublicKey
	// Measure proves which provider runs the nodes, by a second loading and a run: for what
	// drives. A provider that was asked for and runs none is refused, or marked Degraded,
	// as the policy says.
	Measure bool
}

// Load loads the bytes of a model file and proves it: manifest, hash, shapes, golden
// results. sidecar is the manifest of a file that carries none, else nil.
func Load(ctx context.Context, rt *ort.Runtime, file []byte, sidecar *models.Manifest, opts ort.Options) (*Model, error) {
	return LoadWith(ctx, rt, file, Options{Options: opts, Manifest: sidecar})
}

// LoadWith is Load with all options.
func LoadWith(ctx context.Context, rt *ort.Runtime, file []byte, opts Options) (*Model, error) {
	m, err := LoadUnproved(ctx, rt, file, opts)
	if err != nil {
		return nil, err
	}
	if _, err := m.Prove(ctx); err != nil {
		m.Close()
		return nil, fmt.Errorf("model: %w", err)
	}
	return m, nil
}

// LoadUnproved is LoadWith but for the golden results, which Prove is to be asked for.
func LoadUnproved(ctx context.Context, rt *ort.Runtime, file []byte, opts Options) (*Model, error) {
	file, man, err := opts.contract(file)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if opts.Measure {
		return newMeasured(ctx, rt, file, man, opts.Options)
	}
	return New(rt, file, man, opts.Options)
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
	return &Model{manifest: man, session: s, report: s.Report()}, nil
}

// Manifest is the contract of the file.
func (m *Model) Manifest() *models.Manifest { return m.manifest }

// Report says what the model runs on, and why; if it was loaded with Measure, with proof.
func (m *Model) Report() hw.ProviderReport { return m.report }

// Close frees the model and its lanes. It may be called twice and ends use.
func (m *Model) Close() error {
	m.mu.Lock()
	lanes := m.lanes
	m.lanes = nil
	m.mu.Unlock()
	for _, l := range lanes {
		l.free()
	}
	return m.session.Close()
}

// Retire frees the model as soon as its last lane is closed: for a model that another one has
// taken the place of, while frames may still be on their way through it.
func (m *Model) Retire() error {
	m.mu.Lock()
	m.retired = true
	idle := len(m.lanes) == 0
	m.mu.Unlock()
	if idle {
		return m.Close()
	}
	return nil
}
