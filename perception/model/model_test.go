package model_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

func load(t *testing.T, file []byte) (*model.Model, error) {
	t.Helper()
	m, err := model.Load(t.Context(), orttest.Runtime(t), file, nil, ort.Options{Threads: 1})
	if err == nil {
		t.Cleanup(func() { m.Close() })
	}
	return m, err
}

func TestLoadAndRun(t *testing.T) {
	m, err := load(t, modeltest.File(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	// Two lanes hold their own frames.
	a, err := m.NewLane()
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.NewLane()
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Input {
		a.Input[i] = 255
	}
	for _, l := range []*model.Lane{a, b} {
		if err := l.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		if got := a.Probabilities[i]; math.Abs(float64(got)-1) > 1e-5 {
			t.Errorf("white: %s = %g, want 1", m.Manifest().Labels[i].ID, got)
		}
		if got := b.Probabilities[i]; got != 0 {
			t.Errorf("black: %s = %g, want 0", m.Manifest().Labels[i].ID, got)
		}
	}
	if len(a.Maps) != 8 || a.MapWidth != 2 || a.MapHeight != 2 {
		t.Errorf("maps %v of %d×%d, want 2 labels of 2×2", a.Maps, a.MapWidth, a.MapHeight)
	}
}

// tamper multiplies one weight by a factor, in the bytes of the file.
func tamper(t *testing.T, file []byte, factor float32) []byte {
	t.Helper()
	old := binary.LittleEndian.AppendUint32(nil, math.Float32bits(1./3))
	at := bytes.Index(file, old)
	if at < 0 {
		t.Fatal("the weight is not in the file")
	}
	out := bytes.Clone(file)
	binary.LittleEndian.PutUint32(out[at:], math.Float32bits(1./3*factor))
	return out
}

func TestLoadRefuses(t *testing.T) {
	bare, err := onnx.Marshal(modeltest.Graph(t))
	if err != nil {
		t.Fatal(err)
	}
	good := modeltest.File(t, nil)
	for _, tc := range []struct {
		name string
		file []byte
		want error
		says string
	}{
		{"no bytes", nil, onnx.ErrNotONNX, "empty"},
		{"no model", []byte("hello, I am a text file"), onnx.ErrNotONNX, "not an ONNX"},
		{"cut short", good[:len(good)/2], onnx.ErrNotONNX, "not an ONNX"},
		{"no contract", bare, models.ErrNoManifest, "perceive export"},
		{"a weight changed by 1 %", tamper(t, good, 1.01), model.ErrChanged, "SHA-256"},
		{"another input size", modeltest.File(t, func(m *models.Manifest) { m.Input.Width, m.Golden = 32, nil }), ort.ErrMismatch, "[1 16 32 3]"},
		{"another input name", modeltest.File(t, func(m *models.Manifest) { m.Input.Name = "image" }), ort.ErrMismatch, `"image"`},
		{"another output", modeltest.File(t, func(m *models.Manifest) { m.Outputs.Probabilities = "p" }), ort.ErrMismatch, `"p"`},
		{"too many labels", modeltest.File(t, func(m *models.Manifest) {
			m.Labels, m.Golden = append(m.Labels, models.Label{ID: "blue"}), nil
		}), ort.ErrMismatch, "float32[1 3]"},
		{"no such maps", modeltest.File(t, func(m *models.Manifest) { m.Outputs.Maps = "heat" }), ort.ErrMismatch, `"heat"`},
		{"another golden result", modeltest.File(t, func(m *models.Manifest) { m.Golden[1].Probabilities[1] = 0.9 }), model.ErrGolden, `"red"`},
		{"a golden picture of another size", modeltest.File(t, func(m *models.Manifest) {
			g, err := models.NewGolden("small", 2, 2, make([]byte, 12), []float32{0, 0}, 1)
			if err != nil {
				t.Fatal(err)
			}
			m.Golden = append(m.Golden, g)
		}), nil, "2×2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.file)
			if err == nil {
				t.Fatal("loaded")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
			if !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q: want one line that says %q", err, tc.says)
			}
		})
	}
}

// The hash alone catches the change; the golden results would, too.
func TestGoldenCatchesAChangedWeight(t *testing.T) {
	file := tamper(t, modeltest.File(t, func(m *models.Manifest) { m.GraphSHA256 = "" }), 1.01)
	if _, err := load(t, file); !errors.Is(err, model.ErrGolden) {
		t.Errorf("error %v, want ErrGolden", err)
	}
}

func TestSidecar(t *testing.T) {
	bare, err := onnx.Marshal(modeltest.Graph(t))
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Load(context.Background(), orttest.Runtime(t), bare, modeltest.Manifest(t), ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	m.Close()
}

func TestRunAllocatesNothing(t *testing.T) {
	m, err := load(t, modeltest.File(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	l, err := m.NewLane()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() {
		if err := l.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}
