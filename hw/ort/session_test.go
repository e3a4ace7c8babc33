package ort_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

func TestRunAdds(t *testing.T) {
	s := orttest.Session(t, addModel(), ort.Options{Threads: 1})
	wantIn := []ort.Spec{{Name: "a", Type: ort.Float32, Shape: []int64{-1, 3}}, {Name: "b", Type: ort.Float32, Shape: []int64{-1, 3}}}
	if d := cmp.Diff(wantIn, s.Inputs()); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]string{"maker": "test"}, s.Metadata()); d != "" {
		t.Errorf("metadata (-want +got):\n%s", d)
	}
	for _, batch := range []int64{2, 1, 5} { // the batch is free: each run may have another
		a, b, sum := orttest.Tensor(t, ort.Float32, batch, 3), orttest.Tensor(t, ort.Float32, batch, 3), orttest.Tensor(t, ort.Float32, batch, 3)
		want := make([]float32, 3*batch)
		for i := range want {
			a.Float32()[i], b.Float32()[i], want[i] = float32(i), 0.5, float32(i)+0.5
		}
		if err := s.Run(t.Context(), []*ort.Tensor{a, b}, []*ort.Tensor{sum}); err != nil {
			t.Fatal(err)
		}
		if got := sum.Float32(); !slices.Equal(got, want) {
			t.Errorf("batch %d: sum = %v, want %v", batch, got, want)
		}
	}
}

// Two bindings with swapped buffers are how the training loop runs.
func TestSwappedBindings(t *testing.T) {
	s := orttest.Session(t, addModel(), ort.Options{})
	one, x, y := orttest.Tensor(t, ort.Float32, 1, 3), orttest.Tensor(t, ort.Float32, 1, 3), orttest.Tensor(t, ort.Float32, 1, 3)
	copy(one.Float32(), []float32{1, 1, 1})
	there, err := s.Bind([]*ort.Tensor{x, one}, []*ort.Tensor{y})
	if err != nil {
		t.Fatal(err)
	}
	back, err := s.Bind([]*ort.Tensor{y, one}, []*ort.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := errors.Join(there.Run(t.Context()), back.Run(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	if got := x.Float32(); !slices.Equal(got, []float32{100, 100, 100}) {
		t.Errorf("after 100 steps x = %v, want 100", got)
	}
}

func TestMismatch(t *testing.T) {
	s := orttest.Session(t, addModel(), ort.Options{})
	good := func() *ort.Tensor { return orttest.Tensor(t, ort.Float32, 2, 3) }
	same := good()
	for _, tc := range []struct {
		name    string
		in, out []*ort.Tensor
		says    string
	}{
		{"too few", []*ort.Tensor{good()}, []*ort.Tensor{good()}, "1 inputs given, the model has 2 (a, b)"},
		{"type", []*ort.Tensor{good(), orttest.Tensor(t, ort.Uint8, 2, 3)}, []*ort.Tensor{good()}, `input "b" float32[? 3] got uint8[2 3]`},
		{"dimension", []*ort.Tensor{orttest.Tensor(t, ort.Float32, 2, 4), good()}, []*ort.Tensor{good()}, `input "a" float32[? 3] got float32[2 4]`},
		{"rank", []*ort.Tensor{good(), good()}, []*ort.Tensor{orttest.Tensor(t, ort.Float32, 6)}, `output "sum" float32[? 3] got float32[6]`},
		{"nil", []*ort.Tensor{good(), nil}, []*ort.Tensor{good()}, `input "b" float32[? 3] is nil`},
		{"in place", []*ort.Tensor{same, good()}, []*ort.Tensor{same}, `output "sum" float32[? 3] shares its tensor`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, errBind := s.Bind(tc.in, tc.out)
			for _, err := range []error{errBind, s.Run(t.Context(), tc.in, tc.out)} {
				if !errors.Is(err, ort.ErrMismatch) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("error = %v, want ErrMismatch with %q", err, tc.says)
				}
			}
		})
	}
	// Free dimensions that do not agree with each other only the library can see.
	err := s.Run(t.Context(), []*ort.Tensor{good(), orttest.Tensor(t, ort.Float32, 5, 3)}, []*ort.Tensor{good()})
	if err == nil || !strings.Contains(err.Error(), "Add") {
		t.Errorf("batch 2 + batch 5: error = %v, want the library's, naming Add", err)
	}
}

func TestBadModels(t *testing.T) {
	rt := orttest.Runtime(t)
	whole := addModel()
	for name, bytes := range map[string][]byte{
		"empty":      nil,
		"text":       []byte("this is not a model"),
		"jpeg":       {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F'},
		"cut":        whole[:len(whole)/2],
		"unknown op": model(node("NoSuchOp", []string{"x"}, "y"), field(11, value("x", 1, 3)), field(12, value("y", 1, 3))),
		"no inputs":  model(node("Identity", []string{"x"}, "y"), field(12, value("y", 1, 3))),
		"dangling":   model(node("Relu", []string{"nobody"}, "y"), field(11, value("x", 1, 3)), field(12, value("y", 1, 3))),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := rt.NewSession(bytes, ort.Options{})
			if !errors.Is(err, ort.ErrModel) {
				t.Fatalf("error = %v, want ErrModel", err)
			}
			if s != nil {
				t.Error("a session came with the error")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one sentence: %v", err)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	rt := orttest.Runtime(t)
	if _, err := rt.NewSession(addModel(), ort.Options{Threads: -1, Device: -2, Provider: "gpu", Policy: "maybe", Optimize: 9}); err == nil {
		t.Error("bad options were accepted")
	} else {
		for _, says := range []string{"threads", "device", `"gpu"`, `"maybe"`, "level 9"} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("error %q does not mention %s", err, says)
			}
		}
	}
	dir := t.TempDir()
	s, err := rt.NewSession(addModel(), ort.Options{
		Threads: 2, Spin: true, Optimize: ort.OptimizeBasic, FlushDenormals: true,
		ProfilePrefix: filepath.Join(dir, "prof"), OptimizedModel: filepath.Join(dir, "opt.onnx"),
	})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := orttest.Tensor(t, ort.Float32, 1, 3), orttest.Tensor(t, ort.Float32, 1, 3), orttest.Tensor(t, ort.Float32, 1, 3)
	if err := s.Run(t.Context(), []*ort.Tensor{a, b}, []*ort.Tensor{c}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if prof, _ := filepath.Glob(filepath.Join(dir, "prof*.json")); len(prof) != 1 {
		t.Errorf("profiles written: %v, want one", prof)
	}
	if opt, err := os.ReadFile(filepath.Join(dir, "opt.onnx")); err != nil || len(opt) == 0 {
		t.Errorf("optimised model: %d bytes, %v", len(opt), err)
	}
}

func TestCancel(t *testing.T) {
	s := orttest.Session(t, slowModel(4000, 256), ort.Options{Threads: 1})
	x, y := orttest.Tensor(t, ort.Float32, 256, 256), orttest.Tensor(t, ort.Float32, 256, 256)
	b, err := s.Bind([]*ort.Tensor{x}, []*ort.Tensor{y})
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := b.Run(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("run with an ended context: %v, want Canceled", err)
	}
	// The whole run takes seconds; a run that is stopped returns at once, twice.
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		begin := time.Now()
		if err := b.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("binding: %v after %v, want DeadlineExceeded", err, time.Since(begin))
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("stopping took %v", took)
		}
		cancel()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Run(ctx, []*ort.Tensor{x}, []*ort.Tensor{y}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("session: %v, want DeadlineExceeded", err)
	}
}

// A binding that was stopped runs again, with a context that can end and with
// one that cannot.
func TestRunAfterCancel(t *testing.T) {
	s := orttest.Session(t, slowModel(200, 256), ort.Options{Threads: 1})
	x, y := orttest.Tensor(t, ort.Float32, 256, 256), orttest.Tensor(t, ort.Float32, 256, 256)
	for i := range 256 {
		x.Float32()[i*257] = 1 // the identity, whose powers are itself
	}
	b, err := s.Bind([]*ort.Tensor{x}, []*ort.Tensor{y})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := b.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error = %v, want DeadlineExceeded", err)
	}
	for _, ctx := range []context.Context{t.Context(), context.Background()} {
		clear(y.Float32())
		if err := b.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(y.Float32(), x.Float32()) {
			t.Error("the identity to the power of 201 is not the identity")
		}
	}
}

// Tensors that the caller has closed, or dropped, stay alive in a binding.
func TestBindingOwnsTensors(t *testing.T) {
	s := orttest.Session(t, addModel(), ort.Options{})
	a, b, sum := orttest.Tensor(t, ort.Float32, 1, 3), orttest.Tensor(t, ort.Float32, 1, 3), orttest.Tensor(t, ort.Float32, 1, 3)
	copy(a.Float32(), []float32{1, 2, 3})
	read := sum.Float32()
	bound, err := s.Bind([]*ort.Tensor{a, b}, []*ort.Tensor{sum})
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	sum.Close()
	for range 20 {
		clear(read)
		runtime.GC()
		_ = make([]byte, 1<<20)
		if err := bound.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(read, []float32{1, 2, 3}) {
			t.Fatalf("sum = %v, want 1 2 3", read)
		}
	}
	if _, err := s.Bind([]*ort.Tensor{a, b}, []*ort.Tensor{sum}); !errors.Is(err, ort.ErrClosed) {
		t.Errorf("binding a closed tensor: %v, want ErrClosed", err)
	}
}

func TestCloseEndsUse(t *testing.T) {
	rt := orttest.Runtime(t)
	s, err := rt.NewSession(addModel(), ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := []*ort.Tensor{orttest.Tensor(t, ort.Float32, 1, 3), orttest.Tensor(t, ort.Float32, 1, 3)}
	out := []*ort.Tensor{orttest.Tensor(t, ort.Float32, 1, 3)}
	first, err1 := s.Bind(in, out)
	second, err2 := s.Bind(in, out)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Close(), first.Close(), s.Close(), s.Close(), rt.Close(), rt.Close()); err != nil {
		t.Fatalf("closing twice: %v", err)
	}
	_, errBind := s.Bind(in, out)
	_, errNew := rt.NewSession(addModel(), ort.Options{})
	for what, err := range map[string]error{
		"closed binding": first.Run(t.Context()), "binding of a closed session": second.Run(t.Context()),
		"run": s.Run(t.Context(), in, out), "bind": errBind, "new session": errNew,
	} {
		if !errors.Is(err, ort.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestConcurrentRuns(t *testing.T) {
	s, err := orttest.Runtime(t).NewSession(addModel(), ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		a, b, sum := orttest.Tensor(t, ort.Float32, 8, 3), orttest.Tensor(t, ort.Float32, 8, 3), orttest.Tensor(t, ort.Float32, 8, 3)
		wg.Go(func() {
			for i := range 300 {
				want := float32(g*1000 + i)
				a.Float32()[5] = want
				err := s.Run(t.Context(), []*ort.Tensor{a, b}, []*ort.Tensor{sum})
				if errors.Is(err, ort.ErrClosed) {
					return // Close below may come first
				}
				if err != nil || sum.Float32()[5] != want {
					t.Errorf("run %d of %d: %v, %v, want %v", i, g, sum.Float32()[5], err, want)
					return
				}
			}
		})
	}
	time.Sleep(2 * time.Millisecond)
	if err := s.Close(); err != nil { // while runs go on
		t.Error(err)
	}
	wg.Wait()
}
