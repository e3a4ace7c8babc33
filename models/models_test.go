package models_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"perceive/models"
)

func good() *models.Manifest {
	return &models.Manifest{Schema: 1, Name: "road", Created: time.Unix(0, 0).UTC(),
		Input:   models.Input{Name: "frame", Type: "uint8", Layout: "NHWC", Color: "BGR", Width: 320, Height: 192, Fit: models.Letterbox, Pad: 114},
		Outputs: models.Outputs{Probabilities: "probabilities"},
		Labels:  []models.Label{{ID: "car", Threshold: 0.5}},
	}
}

func TestRoundTrip(t *testing.T) {
	text, err := good().JSON()
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.FromMetadata(map[string]string{models.MetadataKey: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.JSON()
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("%v: %s, want %s", err, again, text)
	}
	if ids := m.LabelIDs(); len(ids) != 1 || ids[0] != "car" {
		t.Errorf("labels %v", ids)
	}
	if _, err := models.FromMetadata(nil); !errors.Is(err, models.ErrNoManifest) {
		t.Errorf("no metadata: %v", err)
	}
}

// A fact that is missing is an error, never a guess.
func TestValidate(t *testing.T) {
	for says, spoil := range map[string]func(*models.Manifest){
		"schema":              func(m *models.Manifest) { m.Schema = 2 },
		"name: missing":       func(m *models.Manifest) { m.Name = "" },
		"input.name":          func(m *models.Manifest) { m.Input.Name = "" },
		"uint8 NHWC BGR":      func(m *models.Manifest) { m.Input.Color = "RGB" },
		"size 0×192":          func(m *models.Manifest) { m.Input.Width = 0 },
		"input.fit":           func(m *models.Manifest) { m.Input.Fit = "crop" },
		"outputs.probab":      func(m *models.Manifest) { m.Outputs.Probabilities = "" },
		"labels: none":        func(m *models.Manifest) { m.Labels = nil },
		"labels[0].id":        func(m *models.Manifest) { m.Labels[0].ID = "" },
		"twice":               func(m *models.Manifest) { m.Labels = append(m.Labels, m.Labels[0]) },
		"labels[0].threshold": func(m *models.Manifest) { m.Labels[0].Threshold = 2 },
		"golden[0]":           func(m *models.Manifest) { m.Golden = []models.Golden{{}} },
	} {
		m := good()
		spoil(m)
		if _, err := m.JSON(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
	if _, err := models.Parse(bytes.Repeat([]byte{' '}, 17<<20)); err == nil || !strings.Contains(err.Error(), "17 MiB") {
		t.Errorf("a large one: %v", err)
	}
	if _, err := models.Parse([]byte(`{"schema":1,"colour":"pink"}`)); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestGoldenKeepsEveryPixel(t *testing.T) {
	pix := make([]byte, 3*5*4)
	for i := range pix {
		pix[i] = byte(i * 7)
	}
	g, err := models.NewGolden("ramp", 5, 4, pix, []float32{1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Pixels(5, 4)
	if err != nil || !bytes.Equal(got, pix) {
		t.Errorf("%v: %v, want %v", err, got, pix)
	}
	if _, err := g.Pixels(4, 5); err == nil || !strings.Contains(err.Error(), "5×4") {
		t.Errorf("another size: %v", err)
	}
	if _, err := models.NewGolden("short", 5, 5, pix, nil, 0); err == nil {
		t.Error("too few bytes: no error")
	}
}

// Whatever the text, Parse ends in a manifest that is valid or in an error.
func FuzzParse(f *testing.F) {
	text, _ := good().JSON()
	f.Add(text)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := models.Parse(text); err == nil && m.Validate() != nil {
			t.Error("an invalid manifest was accepted")
		}
	})
}
