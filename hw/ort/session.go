package ort

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	ortgo "github.com/yalue/onnxruntime_go"

	"perceive/hw"
)

// Session is a loaded model. Its methods are safe for concurrent use; runs of
// several goroutines go on side by side.
type Session struct {
	head   header
	report hw.ProviderReport

	mu       sync.RWMutex // held for reading while a run uses dyn
	dyn      *ortgo.DynamicAdvancedSession
	bindings map[*Binding]struct{} // closed with the session
}

// NewSession loads a model from the bytes of an ONNX file; model is not kept.
// Errors are ErrModel for bytes that do not load, and ErrProvider with the
// library's own reason when opts requires a provider that cannot be used.
func (r *Runtime) NewSession(model []byte, opts Options) (*Session, error) {
	opts = opts.withDefaults()
	if r.closed.Load() {
		return nil, fmt.Errorf("ort: new session: runtime: %w", ErrClosed)
	}
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("ort: new session: %w", err)
	}
	head, err := readHeader(model)
	if err != nil {
		return nil, fmt.Errorf("ort: new session: %w: %w", ErrModel, err)
	}
	dyn, rep, err := r.start(model, head, opts)
	if err != nil {
		return nil, fmt.Errorf("ort: new session: %w", err)
	}
	return &Session{head: head, report: rep, dyn: dyn, bindings: map[*Binding]struct{}{}}, nil
}

// Inputs lists what Run takes, in order.
func (s *Session) Inputs() []Spec { return slices.Clone(s.head.inputs) }

// Outputs lists what Run gives, in order.
func (s *Session) Outputs() []Spec { return slices.Clone(s.head.outputs) }

// Metadata is a copy of the model's metadata_props.
func (s *Session) Metadata() map[string]string { return maps.Clone(s.head.metadata) }

// Report says which provider runs this session, and why.
func (s *Session) Report() hw.ProviderReport { return s.report }

// Run reads the tensors of in and writes those of out, in the order of Inputs
// and Outputs. For repeated runs on the same tensors Bind is cheaper.
//
// Tensors that do not fit are ErrMismatch. When ctx ends first, the run stops
// after the operator it is in, the error is ctx's, out is unspecified, and the
// session can be used again.
func (s *Session) Run(ctx context.Context, in, out []*Tensor) error {
	b, err := s.newBinding(in, out)
	if err != nil {
		return fmt.Errorf("ort: run: %w", err)
	}
	defer b.free()
	return b.Run(ctx)
}

// Bind fixes the tensors of a run, in the order of Inputs and Outputs, so that
// each run costs no allocation. A session can have any number of bindings:
// the training loop swaps two, the frame path has one per buffer. A tensor may
// be in many bindings, but is an input or an output of one, never both.
func (s *Session) Bind(in, out []*Tensor) (*Binding, error) {
	b, err := s.newBinding(in, out)
	if err != nil {
		return nil, fmt.Errorf("ort: bind: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dyn == nil {
		b.free()
		return nil, fmt.Errorf("ort: bind: session: %w", ErrClosed)
	}
	s.bindings[b] = struct{}{}
	return b, nil
}

// Close waits for runs to end, closes the session's bindings and gives the
// model's memory back. It may be called twice and ends use.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dyn == nil {
		return nil
	}
	for b := range s.bindings {
		b.free()
	}
	s.bindings = nil
	err := s.dyn.Destroy()
	s.dyn = nil
	return err
}
