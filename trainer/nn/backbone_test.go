package nn_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/floats/scalar"

	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/internal/realdata"
	"perceive/trainer/autodiff"
	"perceive/trainer/graph"
	"perceive/trainer/internal/ref"
	"perceive/trainer/nn"
)

// foreign are backbones that other tools exported, beside the project; they are not part
// of it.
var foreign = []nn.Backbone{
	{File: "yolox_nano/yolox_nano.onnx", Cut: []string{"1061", "1103", "1145"}}, // SiLU, depthwise, from PyTorch
	{File: "nanodet/nanodet_m_416.onnx", Cut: []string{"528", "743"}, // channel shuffles, LeakyReLU, from PyTorch
		Mean: []float64{103.53, 116.28, 123.675}, Std: []float64{57.375, 57.12, 58.395}},
	{File: "fastestdet/FastestDet.onnx", Cut: []string{"input.136", "input.376"}, Std: []float64{255, 255, 255}}, // from PyTorch
	{File: "picodet/picodet_s_416_coco.onnx", Cut: []string{"concat_5.tmp_0"}, Color: "rgb", // squeeze and excite, HardSwish, from Paddle
		Mean: []float64{123.675, 116.28, 103.53}, Std: []float64{58.395, 57.12, 57.375}},
}

func foreignFile(t *testing.T, b nn.Backbone) nn.Backbone {
	t.Helper()
	b.File = realdata.Path(t, filepath.Join("onnx", b.File))
	return b
}

// The gradient of a whole backbone of somebody else's, by all of its parameters and at
// another picture size than it was exported for, along a random direction d: ONNX
// Runtime's g·d against (L(p+hd) − L(p−hd))/2h of the float64 reference.
func TestForeignBackboneGradient(t *testing.T) {
	const h, tol = 1e-8, 1e-4 // a larger step meets kinks: all of 200,000 parameters move
	for _, b := range foreign {
		t.Run(filepath.Base(b.File), func(t *testing.T) {
			trunk, err := nn.LoadBackbone(foreignFile(t, b))
			if err != nil {
				t.Fatal(err)
			}
			model, params, frame := pulled(t, trunk)
			rng := rand.New(rand.NewPCG(5, 6))
			got := run(t, model, params, frame)
			g := model.GetGraph() // the reference needs the loss alone
			g.Node = slices.DeleteFunc(g.Node, func(n *onnx.Node) bool { return strings.HasPrefix(n.GetName(), "grad") })
			loss := func(d []float64, k float64) float64 {
				v := ref.New(len(params))
				for i, p := range params {
					v.Data[i] = float64(p) + k*d[i]
				}
				f := ref.New(1, 64, 64, 3)
				for i, x := range frame {
					f.Data[i] = float64(x)
				}
				env, err := ref.Eval(model, map[string]ref.Tensor{"params": v, "frame": f})
				if err != nil {
					t.Fatal(err)
				}
				return env["loss"].Data[0]
			}
			d := make([]float64, len(params))
			for i := range d {
				d[i] = rng.NormFloat64() * math.Abs(float64(params[i]))
			}
			want := (loss(d, h) - loss(d, -h)) / (2 * h)
			if have := floats.Dot(got, d); !scalar.EqualWithinRel(have, want, tol) {
				t.Errorf("along a direction the gradient is %g, differences say %g", have, want)
			}
		})
	}
}

// pulled is the graph of a weighted sum of a backbone's features at 64×64 and its
// gradient, with the file's own parameters and a picture of noise.
func pulled(t *testing.T, trunk *nn.Trunk) (*onnx.Model, []float32, []byte) {
	t.Helper()
	_, layout := declared(t, trunk)
	b := graph.New("backbone")
	vector := b.Input("params", onnx.Tensor_FLOAT, layout.Size)
	rng := rand.New(rand.NewPCG(1, 2))
	var loss graph.Value
	for i, f := range trunk.Features(nn.Bind(b, layout, vector), b.Input("frame", onnx.Tensor_UINT8, 1, 64, 64, 3)) {
		w := make([]float32, b.Size(f))
		for j := range w {
			w[j] = float32(rng.NormFloat64()) / float32(len(w))
		}
		sum := b.ReduceSum(b.Mul(f, b.Float32(w, b.Shape(f)...)), 0, 1, 2, 3)
		if i > 0 {
			sum = b.Add(loss, sum)
		}
		loss = sum
	}
	loss = b.Reshape(loss, 1)
	g := autodiff.Gradients(b, loss, []graph.Value{vector})
	b.Output("loss", loss)
	b.Output("gradient", g[0])
	m, err := b.Model()
	if err != nil {
		t.Fatal(err)
	}
	params := make([]float32, layout.Size)
	layout.Init(params, 1)
	frame := make([]byte, 64*64*3)
	for i := range frame {
		frame[i] = byte(rng.IntN(256))
	}
	return m, params, frame
}

func declared(t *testing.T, trunk *nn.Trunk) (nn.Module, *nn.Layout) {
	t.Helper()
	m, layout := nn.Declare(graph.New("layout"))
	trunk.Features(m, m.Input("frame", onnx.Tensor_UINT8, 1, 64, 64, 3))
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	return m, layout
}

func run(t *testing.T, model *onnx.Model, params []float32, frame []byte) []float64 {
	t.Helper()
	text, err := onnx.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	s := orttest.Session(t, text, ort.Options{Threads: 1})
	in := []*ort.Tensor{orttest.Tensor(t, ort.Float32, int64(len(params))), orttest.Tensor(t, ort.Uint8, 1, 64, 64, 3)}
	copy(in[0].Float32(), params)
	copy(in[1].Uint8(), frame)
	out := []*ort.Tensor{orttest.Tensor(t, ort.Float32, 1), orttest.Tensor(t, ort.Float32, int64(len(params)))}
	if err := s.Run(t.Context(), in, out); err != nil {
		t.Fatal(err)
	}
	g := make([]float64, len(params))
	for i, v := range out[1].Float32() {
		g[i] = float64(v)
	}
	return g
}

// What cannot serve is refused with the file and what to do.
func TestBackboneRefuses(t *testing.T) {
	good := foreignFile(t, foreign[0])
	garbage := filepath.Join(t.TempDir(), "garbage.onnx")
	if err := os.WriteFile(garbage, []byte("not a model"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		spoil func(*nn.Backbone)
		says  string
	}{
		"no file":          {func(b *nn.Backbone) { b.File += "x" }, "yolox_nano.onnxx"},
		"no model":         {func(b *nn.Backbone) { b.File = garbage }, "garbage.onnx"},
		"no cut":           {func(b *nn.Backbone) { b.Cut = nil }, "no value named"},
		"a cut not there":  {func(b *nn.Backbone) { b.Cut = []string{"nowhere"} }, "convolutions make"},
		"colour":           {func(b *nn.Backbone) { b.Color = "cmyk" }, "bgr"},
		"two means":        {func(b *nn.Backbone) { b.Mean = []float64{1, 2} }, "want 3"},
		"zero deviation":   {func(b *nn.Backbone) { b.Std = []float64{1, 0, 1} }, "not above 0"},
		"another file now": {func(b *nn.Backbone) { b.SHA256 = strings.Repeat("0", 64) }, "has changed"},
	} {
		b := good
		tc.spoil(&b)
		if _, err := nn.LoadBackbone(b); !errors.Is(err, nn.ErrBackbone) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v does not say %q", name, err, tc.says)
		}
	}
}
