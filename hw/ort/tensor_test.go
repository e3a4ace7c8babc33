package ort_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

var types = []ort.DataType{ort.Float32, ort.Float64, ort.Float16, ort.Uint8, ort.Int8, ort.Uint16, ort.Int16,
	ort.Int32, ort.Int64, ort.Uint32, ort.Uint64, ort.Bool}

// Each type goes through the library and comes back bit for bit.
func TestEveryType(t *testing.T) {
	for _, d := range types {
		t.Run(d.String(), func(t *testing.T) {
			const n = 37 // odd, so that blocks do not end on an alignment by luck
			s := orttest.Session(t, identityModel(d, n), ort.Options{Threads: 1})
			x, y := orttest.Tensor(t, d, n), orttest.Tensor(t, d, n)
			for i := range x.Bytes() {
				x.Bytes()[i] = byte(i % 2) // valid as a bool too
			}
			if err := s.Run(t.Context(), []*ort.Tensor{x}, []*ort.Tensor{y}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(x.Bytes(), y.Bytes()) || len(y.Bytes()) != n*d.Size() || y.Len() != n {
				t.Errorf("out = %v, want %v", y.Bytes(), x.Bytes())
			}
			if p := uintptr(unsafe.Pointer(&x.Bytes()[0])); p%64 != 0 {
				t.Errorf("memory at %#x is not aligned to 64 bytes", p)
			}
		})
	}
}

func TestViews(t *testing.T) {
	lens := map[ort.DataType]func(*ort.Tensor) int{
		ort.Float32: func(x *ort.Tensor) int { return len(x.Float32()) },
		ort.Float64: func(x *ort.Tensor) int { return len(x.Float64()) },
		ort.Float16: func(x *ort.Tensor) int { return len(x.Float16()) },
		ort.Uint8:   func(x *ort.Tensor) int { return len(x.Uint8()) },
		ort.Int8:    func(x *ort.Tensor) int { return len(x.Int8()) },
		ort.Int32:   func(x *ort.Tensor) int { return len(x.Int32()) },
		ort.Int64:   func(x *ort.Tensor) int { return len(x.Int64()) },
		ort.Bool:    func(x *ort.Tensor) int { return len(x.Bool()) },
	}
	orttest.Runtime(t)
	panics := func(f func(*ort.Tensor) int, x *ort.Tensor) (said any) {
		defer func() { said = recover() }()
		f(x)
		return nil
	}
	for d, view := range lens {
		x := orttest.Tensor(t, d, 2, 3)
		if n := view(x); n != 6 {
			t.Errorf("%v: %d elements, want 6", d, n)
		}
		for other, wrong := range lens {
			if other != d && panics(wrong, x) == nil {
				t.Errorf("%v was read as %v", d, other)
			}
		}
		x.Close()
		x.Close()
		if said := panics(view, x); said == nil || !strings.Contains(said.(string), "after Close") {
			t.Errorf("%v after Close: %v, want a panic that says so", d, said)
		}
	}
}

func TestBadTensors(t *testing.T) {
	orttest.Runtime(t)
	aligned := make([]int64, 4) // 32 bytes, aligned to 8
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&aligned[0])), 32)
	over := func(mem []byte, d ort.DataType, shape ...int64) error {
		_, err := ort.TensorOver(d, mem, shape...)
		return err
	}
	fresh := func(d ort.DataType, shape ...int64) error {
		_, err := ort.NewTensor(d, shape...)
		return err
	}
	spec := ort.Spec{Name: "x", Type: ort.Float32, Shape: []int64{-1, 3, -1}}
	suit := func(free ...int64) error {
		_, err := ort.NewTensorFor(spec, free...)
		return err
	}
	for _, tc := range []struct {
		name string
		err  error
		says string
	}{
		{"scalar", fresh(ort.Float32), "write a scalar as [1]"},
		{"empty", fresh(ort.Float32, 2, 0), "dimension 1 is 0"},
		{"negative", fresh(ort.Float32, -1, 3), "dimension 0 is -1"},
		{"huge", fresh(ort.Float32, 1<<40), "larger than 1024 GiB"},
		{"overflow", fresh(ort.Float32, 1<<31, 1<<31, 1<<31), "larger than"},
		{"string", fresh(8, 3), "string is not supported"},
		{"short memory", over(mem[:31], ort.Uint8, 32), "31 bytes of memory given, want 32"},
		{"no memory", over(nil, ort.Uint8, 32), "0 bytes"},
		{"unaligned", over(mem[2:30], ort.Float32, 7), "not aligned to 4 bytes"},
		{"too few free", suit(5), "1 values given"},
		{"too many free", suit(5, 6, 7), "3 values given"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.says) {
			t.Errorf("%s: error = %v, want %q", tc.name, tc.err, tc.says)
		}
	}
	x, err := ort.NewTensorFor(spec, 5, 6)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if got := x.Shape(); !slices.Equal(got, []int64{5, 3, 6}) {
		t.Errorf("shape for %v = %v, want 5 3 6", spec, got)
	}
}

// A tensor over existing memory is a view in both directions.
func TestTensorOver(t *testing.T) {
	s := orttest.Session(t, identityModel(ort.Uint8, 16), ort.Options{})
	src, dst := []byte("sixteen bytes ok"), make([]byte, 16)
	x, err := ort.TensorOver(ort.Uint8, src, 16)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	y, err := ort.TensorOver(ort.Uint8, dst, 16)
	if err != nil {
		t.Fatal(err)
	}
	defer y.Close()
	if err := s.Run(t.Context(), []*ort.Tensor{x}, []*ort.Tensor{y}); err != nil || string(dst) != string(src) {
		t.Errorf("dst = %q, %v, want %q", dst, err, src)
	}
}

// Forgetting Close is untidy, not fatal: the runtime would end the program for
// memory that is collected while still pinned.
func TestForgottenTensors(t *testing.T) {
	orttest.Runtime(t)
	for range 100 {
		if _, err := ort.NewTensor(ort.Float32, 1000); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		runtime.GC()
	}
}
