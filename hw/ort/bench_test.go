package ort_test

import (
	"context"
	"testing"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

// tiny is a session whose work is three additions, so that what is measured is
// the cost of calling.
func tiny(tb testing.TB) (s *ort.Session, in, out []*ort.Tensor) {
	s = orttest.Session(tb, addModel(), ort.Options{Threads: 1})
	return s, []*ort.Tensor{orttest.Tensor(tb, ort.Float32, 1, 3), orttest.Tensor(tb, ort.Float32, 1, 3)},
		[]*ort.Tensor{orttest.Tensor(tb, ort.Float32, 1, 3)}
}

func TestBindingRunAllocatesNothing(t *testing.T) {
	s, in, out := tiny(t)
	b, err := s.Bind(in, out)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, ctx := range map[string]context.Context{"background": context.Background(), "cancellable": ctx} {
		run := func() {
			if err := b.Run(ctx); err != nil {
				t.Fatal(err)
			}
		}
		run() // warm: the context is registered
		if n := testing.AllocsPerRun(200, run); n != 0 {
			t.Errorf("%s: %v allocations per run, want 0", name, n)
		}
	}
}

func BenchmarkBindingRun(b *testing.B) {
	s, in, out := tiny(b)
	bound, err := s.Bind(in, out)
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context() // cancellable, as in the frame path
	b.ReportAllocs()
	for b.Loop() {
		if err := bound.Run(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSessionRun(b *testing.B) {
	s, in, out := tiny(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Run(ctx, in, out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewTensor(b *testing.B) {
	orttest.Runtime(b)
	b.ReportAllocs()
	for b.Loop() {
		x, err := ort.NewTensor(ort.Uint8, 1, 224, 384, 3)
		if err != nil {
			b.Fatal(err)
		}
		x.Close()
	}
}

func BenchmarkNewSession(b *testing.B) {
	rt, m := orttest.Runtime(b), addModel()
	for b.Loop() {
		s, err := rt.NewSession(m, ort.Options{Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
