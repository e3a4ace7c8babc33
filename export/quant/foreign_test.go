package quant_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/export/quant"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/internal/realdata"
	"perceive/trainer"
	"perceive/trainer/nn"
)

// transferred is a network on a backbone that another tool exported, ready to convert.
func transferred(t *testing.T, b nn.Backbone) *onnx.Model {
	t.Helper()
	b.File = realdata.Path(t, filepath.Join("onnx", b.File))
	trunk, err := nn.LoadBackbone(b)
	if err != nil {
		t.Fatal(err)
	}
	m, l, err := trainer.DeployGraph(nn.Config{Width: 96, Height: 64, Labels: 2, Neck: 8, Backbone: &b, Trunk: trunk}, 1)
	if err != nil {
		t.Fatal(err)
	}
	params := make([]float32, l.Size)
	l.Init(params, 1)
	if err := export.Apply(m, export.Freeze(l.Tensors(params)), export.Fold(t.Context(), orttest.Runtime(t)),
		export.Identities, export.Prune, export.FoldBatchNorm, export.Prune); err != nil {
		t.Fatal(err)
	}
	return m
}

// wide are the numbers of the maps as logits in float64, all 2·8·12 of each frame; the two
// probabilities in front are of another scale.
func wide(v []float32) (out []float64) {
	const each = 2 + 2*8*12
	for i, x := range v {
		if i%each >= 2 {
			out = append(out, math.Log(float64(x)/(1-float64(x))))
		}
	}
	return out
}

// Networks with swish, shuffles, squeeze and excite, in int8 and fp16: whatever has no
// integer kernel stays in float, and the answers stay near. The heads are random, so the
// limits are those of wiring, not of quality.
func TestForeign(t *testing.T) {
	var frames [][]byte
	r := rand.New(rand.NewPCG(1, 1))
	for range 12 {
		f, level := make([]byte, 3*96*64), 128.0
		for i := range f {
			level = min(max(level+r.NormFloat64()*20, 0), 255)
			f[i] = byte(level)
		}
		frames = append(frames, f)
	}
	for _, b := range []nn.Backbone{
		{File: "yolox_nano/yolox_nano.onnx", Cut: []string{"1061", "1103", "1145"}},
		{File: "nanodet/nanodet_m_416.onnx", Cut: []string{"528", "743"}, Mean: []float64{103.53, 116.28, 123.675}, Std: []float64{57.375, 57.12, 58.395}},
		{File: "fastestdet/FastestDet.onnx", Cut: []string{"input.136", "input.376"}, Std: []float64{255, 255, 255}},
		{File: "picodet/picodet_s_416_coco.onnx", Cut: []string{"concat_5.tmp_0"}, Color: "rgb", Mean: []float64{123.675, 116.28, 103.53}, Std: []float64{58.395, 57.12, 57.375}},
	} {
		t.Run(filepath.Base(b.File), func(t *testing.T) {
			want := results(t, transferred(t, b), ort.Options{}, frames[:4])
			m := transferred(t, b)
			seen, err := quant.Observe(t.Context(), orttest.Runtime(t), m, slices.Values(frames[4:]))
			if err != nil {
				t.Fatal(err)
			}
			ranges, err := seen.Ranges(quant.Methods()[0])
			if err != nil {
				t.Fatal(err)
			}
			// Behind activations of up to 500, picodet's first depthwise layer loses the small ones: the
			// search for costly layers names it first.
			float := map[string]bool{"backbone/Conv_1": b.Color == "rgb"}
			for _, tc := range []struct {
				name  string
				pass  []export.Pass
				limit float64
			}{
				{"int8", []export.Pass{quant.Frame, quant.Int8(quant.Config{Target: quant.CPU, Ranges: ranges, Float: float})}, 0.03},
				{"int8 for TensorRT", []export.Pass{quant.Int8(quant.Config{Target: quant.TensorRT, Ranges: ranges, Float: float})}, 0.03},
				{"fp16", []export.Pass{quant.Half(seen.Reach, nil)}, 0.0002},
			} {
				m := transferred(t, b)
				if err := export.Apply(m, append(tc.pass, export.Prune)...); err != nil {
					t.Fatal(err)
				}
				// Random heads answer nearly the same to everything: what counts is the error
				// in parts of what is different.
				got := results(t, m, ort.Options{}, frames[:4])
				if c := stat.Correlation(wide(want), wide(got), nil); !(1-c < tc.limit) {
					t.Errorf("%s: results correlate by %.5f, want %.5f", tc.name, c, 1-tc.limit)
				}
			}
		})
	}
}
