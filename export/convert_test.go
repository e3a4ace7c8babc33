package export_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"perceive/camera/scene"
	"perceive/export"
	"perceive/export/onnx"
	"perceive/export/quant"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception/model"
	"perceive/trainer"
	"perceive/trainer/nn"
)

// road is the built-in model with frames to convert it on.
func road(t testing.TB, c export.Conversion) (*models.Manifest, export.Conversion) {
	t.Helper()
	m, err := onnx.Parse(models.Road)
	if err != nil {
		t.Fatal(err)
	}
	man, err := models.FromMetadata(m.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(12) {
		pix, _ := scene.Still(100+i, man.Input.Width, man.Input.Height)
		f := export.Frame{Name: fmt.Sprint("scene ", i), Pix: pix}
		switch i % 3 {
		case 0:
			c.Calibration = append(c.Calibration, f)
		case 1:
			c.Held = append(c.Held, f)
		case 2:
			c.Parity = append(c.Parity, f)
		}
	}
	return man, c
}

func TestConvert(t *testing.T) {
	for _, tc := range []struct {
		c   export.Conversion
		max float64 // of the differences of probabilities, on pictures unlike those of training
	}{
		{export.Conversion{Precision: export.INT8, Target: quant.CPU}, 0.15},
		{export.Conversion{Precision: export.INT8, Target: quant.TensorRT}, 0.25},
		{export.Conversion{Precision: export.FP16}, 0.005},
	} {
		man, c := road(t, tc.c)
		out, err := export.Convert(t.Context(), orttest.Runtime(t), models.Road, man, c)
		if err != nil {
			t.Errorf("%s: %v", tc.c.Precision, err)
			continue
		}
		if p := out.Parity; p.Frames != 4 || !(p.Max < tc.max) || p.Max == 0 {
			t.Errorf("%s %s: parity %+v, want at most %g", tc.c.Precision, tc.c.Target, p, tc.max)
		}
		m, err := model.Load(t.Context(), orttest.Runtime(t), out.File, nil, ort.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		got := m.Manifest()
		m.Close()
		p := got.Precision
		if p == nil || p.Type != tc.c.Precision || p.Frames != 4 || p.Source != man.GraphSHA256 || len(got.Golden) != len(man.Golden) || got.Golden[0].Probabilities[0] == man.Golden[0].Probabilities[0] {
			t.Errorf("%s: the file says %+v, with %d golden pictures", tc.c.Precision, p, len(got.Golden))
		}
		if float64(len(out.File)) > 0.65*float64(len(models.Road)) {
			t.Errorf("%s: %d bytes of %d", tc.c.Precision, len(out.File), len(models.Road))
		}
		if _, err := export.Convert(t.Context(), orttest.Runtime(t), out.File, got, c); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("%s: converted twice: error %v", tc.c.Precision, err)
		}
	}
}

// small is a network of the same family, a hundredth of the size, with random weights.
func small(t testing.TB, c export.Conversion) ([]byte, *models.Manifest, export.Conversion) {
	t.Helper()
	const w, h = 64, 32
	m, l, err := trainer.DeployGraph(nn.Config{Width: w, Height: h, Labels: 2, Channels: [4]int64{8, 8, 8, 8}, Blocks: [4]int64{1, 1, 1, 1}, Neck: 8}, 1)
	if err != nil {
		t.Fatal(err)
	}
	params := make([]float32, l.Size)
	l.Init(params, 1)
	if err := export.Apply(m, export.Freeze(l.Tensors(params)), export.Fold(t.Context(), orttest.Runtime(t)), export.Prune); err != nil {
		t.Fatal(err)
	}
	file, err := onnx.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	man := &models.Manifest{Schema: models.Schema, Name: "small",
		Input:   models.Input{Name: "frame", Type: "uint8", Layout: "NHWC", Color: "BGR", Width: w, Height: h, Fit: models.Letterbox, Pad: 114},
		Outputs: models.Outputs{Probabilities: "probabilities", Maps: "maps"},
		Labels:  []models.Label{{ID: "a", Threshold: 0.5}, {ID: "b", Threshold: 0.5}}}
	for i := range uint64(3) {
		f := []export.Frame{{Name: fmt.Sprint("noise ", i), Pix: pixels(i, 3*w*h)}}
		switch i {
		case 0:
			c.Calibration = f
		case 1:
			c.Held = f
		case 2:
			c.Parity = f
		}
	}
	return file, man, c
}

// A judge that accepts the third candidate gets the two layers that cost most in float,
// and one that accepts none is heard.
func TestConvertKeepsLayersInFloat(t *testing.T) {
	for accepts, want := range map[int]int{3: 2, 0: 8} {
		file, man, c := small(t, export.Conversion{Precision: export.INT8, Target: quant.CPU})
		asked := 0
		c.Judge = func(context.Context, *model.Model, []models.Label) error {
			if asked++; asked == accepts {
				return nil
			}
			return fmt.Errorf("%w: not this one", export.ErrRefused)
		}
		out, err := export.Convert(t.Context(), orttest.Runtime(t), file, man, c)
		if (accepts == 0) != errors.Is(err, export.ErrRefused) {
			t.Errorf("accepting %d: error %v", accepts, err)
			continue
		}
		p := out.Manifest.Precision
		if len(p.Float) != want || len(out.Layers) < want || p.Float[0] != out.Layers[0].Name || out.Tried != asked {
			t.Errorf("accepting %d: %q in float of %d layers, %d tried", accepts, p.Float, len(out.Layers), out.Tried)
		}
		if (out.File == nil) != (accepts == 0) {
			t.Errorf("accepting %d: a file of %d bytes", accepts, len(out.File))
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	for says, spoil := range map[string]func(c *export.Conversion){
		"unproved": func(c *export.Conversion) { c.Held = nil },
		`"int4"`:   func(c *export.Conversion) { c.Precision = "int4" },
		"9 bytes":  func(c *export.Conversion) { c.Calibration[0].Pix = c.Calibration[0].Pix[:9] },
	} {
		file, man, c := small(t, export.Conversion{Precision: export.INT8, Target: quant.CPU})
		spoil(&c)
		if _, err := export.Convert(t.Context(), orttest.Runtime(t), file, man, c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %s", err, says)
		}
	}
}

// BenchmarkPrecision is the built-in model's network alone, batch 1 on one thread, as it
// ships and as it is converted.
func BenchmarkPrecision(b *testing.B) {
	files := map[string][]byte{export.FP32: models.Road}
	for _, precision := range []string{export.FP16, export.INT8} {
		man, c := road(b, export.Conversion{Precision: precision, Target: quant.CPU})
		out, err := export.Convert(b.Context(), orttest.Runtime(b), models.Road, man, c)
		if err != nil {
			b.Fatal(err)
		}
		files[precision] = out.File
	}
	lanes := map[string]*model.Lane{}
	for precision, file := range files {
		m, err := model.Load(b.Context(), orttest.Runtime(b), file, nil, ort.Options{Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		defer m.Close()
		if lanes[precision], err = m.NewLane(); err != nil {
			b.Fatal(err)
		}
		pix, _ := scene.Still(1, 320, 192)
		copy(lanes[precision].Input, pix)
	}
	once := func(b *testing.B, precision string) {
		if err := lanes[precision].Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	for _, precision := range []string{export.FP32, export.FP16, export.INT8} {
		b.Run(precision, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				once(b, precision)
			}
		})
	}
	// In turns, and the shortest time of each: a machine that is busy with other things slows
	// both, but hardly ever all runs of one.
	b.Run("fp32 over int8", func(b *testing.B) {
		least := map[string]time.Duration{export.FP32: time.Hour, export.INT8: time.Hour}
		for b.Loop() {
			for precision := range least {
				start := time.Now()
				once(b, precision)
				least[precision] = min(least[precision], time.Since(start))
			}
		}
		b.ReportMetric(least[export.FP32].Seconds()*1e3, "fp32-ms")
		b.ReportMetric(least[export.INT8].Seconds()*1e3, "int8-ms")
		b.ReportMetric(float64(least[export.FP32])/float64(least[export.INT8]), "×")
	})
}
