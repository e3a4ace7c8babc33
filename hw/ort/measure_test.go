package ort_test

import (
	"errors"
	"os"
	"testing"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
)

func TestMeasure(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rt := orttest.Runtime(t)
	filled := false
	a, err := rt.Measure(t.Context(), addModel(), ort.Options{}, func(in []*ort.Tensor) error {
		filled = len(in) > 0
		return nil
	})
	if err != nil || a.Nodes[hw.CPU] != 1 || a.Total() != 1 || !filled {
		t.Errorf("%+v, %v, filled %t: want the one node of the model on the CPU", a, err, filled)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("%v was left behind", left)
	}
	spoilt := errors.New("spoilt")
	if _, err := rt.Measure(t.Context(), addModel(), ort.Options{}, func([]*ort.Tensor) error { return spoilt }); !errors.Is(err, spoilt) {
		t.Errorf("error %v, want that of fill", err)
	}
	t.Setenv("TMPDIR", "/dev/null")
	if _, err := rt.Measure(t.Context(), addModel(), ort.Options{}, nil); err == nil {
		t.Error("no error where no profile can be written")
	}
}

// What the proof adds to loading.
func BenchmarkMeasure(b *testing.B) {
	rt := orttest.Runtime(b)
	for _, name := range []string{"road", "road-int8"} {
		file := models.Find(name)
		b.Run(name+"/load", func(b *testing.B) {
			for b.Loop() {
				s, err := rt.NewSession(file, ort.Options{})
				if err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
		})
		b.Run(name+"/measure", func(b *testing.B) {
			for b.Loop() {
				if _, err := rt.Measure(b.Context(), file, ort.Options{}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
