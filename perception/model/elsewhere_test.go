package model_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/internal/realdata"
	"perceive/models"
	"perceive/models/signature"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

// A vehicle that has a key takes what the key has signed, and nothing else.
func TestLoadRequiresTheSignature(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize)))
	file := modeltest.File(t, nil)
	sign := func(file []byte, key ed25519.PrivateKey) []byte {
		out, err := signature.Sign(file, key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tc := range []struct {
		name string
		file []byte
		opts model.Options
		want error
		says string
	}{
		{"signed", sign(file, key), model.Options{}, nil, ""},
		{"not signed", file, model.Options{}, signature.ErrUnsigned, "models sign"},
		{"signed by another", sign(file, other), model.Options{}, signature.ErrKey, "another key"},
		{"changed since", tamper(t, sign(file, key), 1.01), model.Options{}, signature.ErrTampered, "changed after"},
		{"another contract beside it", sign(file, key), model.Options{Manifest: modeltest.Manifest(t)}, nil, "no other"},
		{"changed, then signed", sign(tamper(t, file, 1.01), key), model.Options{}, model.ErrChanged, "SHA-256"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.opts.PublicKey = key.Public().(ed25519.PublicKey)
			m, err := model.LoadWith(t.Context(), orttest.Runtime(t), tc.file, tc.opts)
			if err == nil {
				m.Close()
			}
			if (err == nil) != (tc.says == "") || tc.want != nil && !errors.Is(err, tc.want) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %v that says %q", err, tc.want, tc.says)
			}
		})
	}
}

// A golden result that is missed names the output and the label, for every picture.
func TestProveNamesWhatDiffers(t *testing.T) {
	file := modeltest.File(t, func(m *models.Manifest) { m.Golden[1].Probabilities[1], m.Golden[2].Probabilities[0] = 0.9, 0.8 })
	_, err := load(t, file)
	for _, want := range []string{`output "probabilities"`, `"red": red is 1.000000, want 0.9`, `"white": bright is 1.000000, want 0.8`} {
		if !errors.Is(err, model.ErrGolden) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// elsewhere is a file of another tool: float32 [1,3,2,2] to the mean of each plane, as a logit.
func elsewhere(t *testing.T) ([]byte, *models.Sidecar) {
	t.Helper()
	opset := int64(11)
	m := &onnx.Model{IrVersion: proto.Int64(6), OpsetImport: []*onnx.OperatorSet{{Version: &opset}}, Graph: &onnx.Graph{Name: proto.String("g"),
		Node:   []*onnx.Node{onnx.NewNode("GlobalAveragePool", "", []string{"data"}, []string{"logits"})},
		Input:  []*onnx.ValueInfo{onnx.NewValueInfo("data", onnx.Tensor_FLOAT, 1, 3, 2, 2)},
		Output: []*onnx.ValueInfo{onnx.NewValueInfo("logits", onnx.Tensor_FLOAT, 1, 3, 1, 1)}}}
	file, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	s, err := models.ParseSidecar("e.yaml", []byte(`schema: 1
name: elsewhere
input: {name: data, type: float32, layout: NCHW, color: RGB, width: 2, height: 2, fit: stretch, scale: 1, mean: [10, 10, 10], std: [10, 10, 10]}
outputs: {kind: picture, names: [logits], axis: 1, first: 0, activation: sigmoid}
labels: [{id: red, class: 0, threshold: 0.5}, {id: blue, class: 2, threshold: 0.5}]
`))
	if err != nil {
		t.Fatal(err)
	}
	return file, s
}

func TestLoadFromElsewhere(t *testing.T) {
	file, s := elsewhere(t)
	sum := sha256.Sum256(file)
	s.SHA256 = hex.EncodeToString(sum[:])
	m, err := model.LoadWith(t.Context(), orttest.Runtime(t), file, model.Options{Sidecar: s})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	l, err := m.NewLane()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		l.Input[3*i], l.Input[3*i+2] = 10, 30 // blue: logit 0; red: logit 2
	}
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if red, blue := l.Probabilities[0], l.Probabilities[1]; red < 0.8807 || red > 0.8809 || blue != 0.5 {
		t.Errorf("red %g, blue %g, want σ(2) and σ(0)", red, blue)
	}
	if want, _ := onnx.GraphSHA256(file); m.Manifest().GraphSHA256 != want {
		t.Errorf("hash %s, want that of the file as it came", m.Manifest().GraphSHA256)
	}
	s.SHA256 = strings.Repeat("0", 64)
	if _, err := model.LoadWith(t.Context(), orttest.Runtime(t), file, model.Options{Sidecar: s}); !errors.Is(err, model.ErrChanged) {
		t.Errorf("another file: %v", err)
	}
}

func TestRunOfAModelFromElsewhereAllocatesNothing(t *testing.T) {
	file, s := elsewhere(t)
	m, err := model.LoadWith(t.Context(), orttest.Runtime(t), file, model.Options{Sidecar: s})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
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

// A weight in another file is refused by name, whoever wrote the model.
func TestLoadRefusesExternalData(t *testing.T) {
	g := modeltest.Graph(t)
	w := g.Graph.Initializer[0]
	w.RawData, w.DataLocation = nil, onnx.Tensor_EXTERNAL.Enum()
	w.ExternalData = []*onnx.StringEntry{{Key: proto.String("location"), Value: proto.String("weights.bin")}}
	file, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	_, err = model.Load(t.Context(), orttest.Runtime(t), file, modeltest.Manifest(t), ort.Options{})
	if err == nil || !strings.Contains(err.Error(), "weights.bin") || !strings.Contains(err.Error(), w.GetName()) {
		t.Errorf("error %v", err)
	}
}

// The detectors whose contracts ship answer as the contracts say, where they lie beside
// the checkout.
func TestPeersLoad(t *testing.T) {
	files := realdata.Glob(t, "onnx/*/*.onnx")
	found := 0
	for _, path := range files {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(file)
		s, err := models.PeerOf(hex.EncodeToString(sum[:]))
		if err != nil {
			t.Fatal(err)
		}
		if s == nil {
			continue
		}
		found++
		m, err := model.LoadWith(t.Context(), orttest.Runtime(t), file, model.Options{Sidecar: s})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		l, err := m.NewLane()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for i, p := range l.Probabilities {
			if !(p >= 0 && p < 0.5) {
				t.Errorf("%s: %s in a black picture: %g", path, m.Manifest().Labels[i].ID, p)
			}
		}
		m.Close()
	}
	if found == 0 {
		t.Error("none of the models of others is one whose contract ships")
	}
}
