package ort

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"
)

// Binding is a session with its tensors in place. Run may be called from any
// goroutine, one at a time.
type Binding struct {
	s       *Session
	tensors []*Tensor // inputs, then outputs: references that keep them alive

	mu     sync.Mutex
	native *ortgo.AdvancedSession // nil after free
	cancel canceller
}

// newBinding checks the tensors and takes them.
func (s *Session) newBinding(in, out []*Tensor) (_ *Binding, err error) {
	if bad := append(misfits("input", s.head.inputs, in), misfits("output", s.head.outputs, out)...); len(bad) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrMismatch, strings.Join(bad, "; "))
	}
	for i, t := range out {
		// Kernels read inputs after outputs are begun: sharing gives wrong numbers.
		if slices.Contains(in, t) || slices.Contains(out[:i], t) {
			return nil, fmt.Errorf("%w: output %v shares its tensor with an input or another output",
				ErrMismatch, s.head.outputs[i])
		}
	}
	b := &Binding{s: s, tensors: slices.Concat(in, out)}
	handles := make([]unsafe.Pointer, len(b.tensors))
	for i, t := range b.tensors {
		if handles[i], err = t.retain(); err != nil {
			for _, held := range b.tensors[:i] {
				held.release()
			}
			return nil, fmt.Errorf("tensor for %v: %w", slices.Concat(s.head.inputs, s.head.outputs)[i], err)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.dyn == nil {
		for _, t := range b.tensors {
			t.release()
		}
		return nil, fmt.Errorf("session: %w", ErrClosed)
	}
	b.native = share(s.dyn, handles[:len(in)], handles[len(in):])
	return b, nil
}

// Run reads the bound inputs and writes the bound outputs. It allocates nothing
// in Go once it has seen ctx (or another context with the same Done channel).
// Cancellation is as for Session.Run.
func (b *Binding) Run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ort: run: %w", err)
	}
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	b.mu.Lock()
	defer b.mu.Unlock() // also keeps b, and so the tensors, from being collected during the call
	if b.native == nil || b.s.dyn == nil {
		return fmt.Errorf("ort: run: session or binding: %w", ErrClosed)
	}
	opts, err := b.cancel.watch(ctx)
	if err != nil {
		return fmt.Errorf("ort: run: %w", err)
	}
	if err := b.native.RunWithOptions(opts); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("ort: run: %w", ctx.Err())
		}
		return fmt.Errorf("ort: run: %w", libraryError(err))
	}
	return nil
}

// Close gives the tensors back. It may be called twice and ends use.
func (b *Binding) Close() error {
	b.s.mu.Lock()
	delete(b.s.bindings, b)
	b.s.mu.Unlock()
	b.free()
	return nil
}

func (b *Binding) free() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.native == nil {
		return
	}
	// The native session is a view of the Session's own and is not destroyed.
	b.native = nil
	b.cancel.close()
	for _, t := range b.tensors {
		t.release()
	}
	b.tensors = nil
}
