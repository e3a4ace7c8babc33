// Package orttest opens ONNX Runtime for tests.
package orttest

import (
	"os"
	"testing"

	"perceive/hw/ort"
)

// Runtime opens the runtime that all tests of a process share: the library that
// PERCEIVE_ORT_LIB names, else the one that `make deps` put under the module's
// root. A machine without it fails the test: a test that does not run proves
// nothing.
func Runtime(t testing.TB) *ort.Runtime {
	t.Helper()
	rt, err := ort.Open(ort.Config{Library: os.Getenv("PERCEIVE_ORT_LIB")})
	if err != nil {
		t.Fatalf("%v (run make deps)", err)
	}
	t.Cleanup(func() { rt.Close() })
	return rt
}

// Session makes a session that is closed with the test.
func Session(t testing.TB, model []byte, opts ort.Options) *ort.Session {
	t.Helper()
	s, err := Runtime(t).NewSession(model, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Tensor makes a tensor that is closed with the test.
func Tensor(t testing.TB, d ort.DataType, shape ...int64) *ort.Tensor {
	t.Helper()
	x, err := ort.NewTensor(d, shape...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}
