package trainer

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"google.golang.org/protobuf/proto"

	"perceive/export/onnx"
	"perceive/internal/realdata"
	"perceive/trainer/nn"
)

// A foreign backbone is fine-tuned, its frozen parts keep the file's numbers, and what
// comes out is a network to deploy.
func TestTransfer(t *testing.T) {
	fastestDet := realdata.Path(t, "onnx/fastestdet/FastestDet.onnx")
	for name, rate := range map[string]float64{"fine-tuned": 0.1, "frozen": 0} {
		t.Run(name, func(t *testing.T) {
			c := tiny()
			c.Network.Backbone = &nn.Backbone{File: fastestDet, Cut: []string{"input.136", "input.376"}, Std: []float64{255, 255, 255}}
			c.Rates = nn.Rates{"backbone": rate}
			c.Steps, c.EvalEvery, c.Rate = 60, 60, 5e-3
			dir := t.TempDir()
			p, err := run(t, c, squares(200, 1), dir, false, Hooks{}, t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if p.Best < 0.7 {
				t.Errorf("ROC AUC %.3f after 60 steps, want at least 0.7", p.Best)
			}
			got, err := LoadRun(dir)
			if err != nil {
				t.Fatal(err)
			}
			l, err := got.layout()
			if err != nil {
				t.Fatal(err)
			}
			n, moved := 0, 0
			for _, q := range l.Params {
				if !strings.HasPrefix(q.Name, "backbone.") {
					continue
				}
				same := slices.EqualFunc(q.Values, got.Params[q.Offset:q.Offset+q.Size], func(a, b float32) bool {
					return math.Abs(float64(a-b)) <= 1e-5*math.Abs(float64(a)) // the moving average rounds
				})
				if n++; !same {
					moved++
				}
			}
			if n < 50 || (moved > 0) != (rate > 0) {
				t.Errorf("%d of the backbone's %d tensors moved at rate %g", moved, n, rate)
			}
			if _, _, err := got.Deploy(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A file may make its kernels of several weights, choose between them, and add the same
// gradient to two: the gradients are those of a batch done at once.
func TestWeightsOfWeights(t *testing.T) {
	fill := func(name string, k float64, dims ...int64) *onnx.Tensor {
		n := int64(1)
		for _, d := range dims {
			n *= d
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(k * math.Sin(float64(i)))
		}
		return onnx.NewTensorFloat32(name, dims, x)
	}
	text, err := onnx.Marshal(&onnx.Model{IrVersion: proto.Int64(8), OpsetImport: []*onnx.OperatorSet{{Version: proto.Int64(17)}},
		Graph: &onnx.Graph{Name: proto.String("g"), Node: []*onnx.Node{
			onnx.NewNode("Add", "sum", []string{"u", "v"}, []string{"sum"}),
			onnx.NewNode("Greater", "up", []string{"sum", "nothing"}, []string{"up"}),
			onnx.NewNode("Where", "kernel", []string{"up", "sum", "nothing"}, []string{"kernel"}),
			onnx.NewNode("Conv", "conv", []string{"x", "sum"}, []string{"conv"}, onnx.Ints("strides", 8, 8)),
			onnx.NewNode("Conv", "again", []string{"x", "kernel"}, []string{"again"}, onnx.Ints("strides", 8, 8)),
			onnx.NewNode("Add", "both", []string{"conv", "again"}, []string{"both"}),
			onnx.NewNode("Add", "p", []string{"both", "place"}, []string{"p"}),
			onnx.NewNode("Add", "q", []string{"p", "spot"}, []string{"q"}),
		}, Initializer: []*onnx.Tensor{fill("u", 0.01, 6, 3, 8, 8), fill("v", 0.01, 6, 3, 8, 8), fill("nothing", 0, 1),
			fill("place", 1, 1, 6, 4, 8), fill("spot", 2, 1, 6, 4, 8)},
			Input:  []*onnx.ValueInfo{onnx.NewValueInfo("x", onnx.Tensor_FLOAT, 1, 3, 32, 64)},
			Output: []*onnx.ValueInfo{onnx.NewValueInfo("q", onnx.Tensor_FLOAT)}}})
	if err != nil {
		t.Fatal(err)
	}
	c := tiny()
	c.Batch, c.Shard = 4, 1 // of one picture, place and spot have the same gradient
	c.Network.Backbone = &nn.Backbone{File: filepath.Join(t.TempDir(), "m.onnx"), Cut: []string{"q"}, Std: []float64{255, 255, 255}}
	if err := os.WriteFile(c.Network.Backbone.File, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Load(); err != nil {
		t.Fatal(err)
	}
	want, _ := trained(t, func() Task { t := c.task(nil); t.Plan = NewPlan(4, 4); return t }(), 1)
	got, _ := trained(t, c.task(nil), 1)
	layout, err := c.task(nil).Layout()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range layout.Params[:4] {
		moment := got[1][p.Offset:][:p.Size]
		for i, v := range want[1][p.Offset:][:p.Size] {
			if !scalar.EqualWithinAbsOrRel(float64(moment[i]), float64(v), 1e-6, 1e-3) {
				t.Fatalf("%s, element %d: mean gradient %g one by one, %g at once", p.Name, i, moment[i], v)
			}
		}
		if slices.Max(moment) == 0 {
			t.Errorf("%s has no gradient", p.Name)
		}
	}
}

// Another run's weights are a start: what fits is taken over, a head of other labels
// begins afresh.
func TestInitFromAnotherRun(t *testing.T) {
	c := tiny()
	c.Steps, c.EvalEvery = 20, 20
	first := t.TempDir()
	if _, err := run(t, c, squares(100, 1), first, false, Hooks{}, t.Context()); err != nil {
		t.Fatal(err)
	}
	from, err := LoadRun(first)
	if err != nil {
		t.Fatal(err)
	}
	c.Init, c.Steps, c.Rate, c.Optimizer.Decay = first, 1, 1e-12, 0
	c.EvalEvery = 1
	second := t.TempDir()
	if _, err := run(t, c, squares(100, 1), second, false, Hooks{}, t.Context()); err != nil {
		t.Fatal(err)
	}
	to, err := LoadRun(second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range to.Params {
		if math.Abs(float64(to.Params[i]-from.Params[i])) > 1e-6 {
			t.Fatalf("element %d is %g after a step at no rate, the first run's is %g", i, to.Params[i], from.Params[i])
		}
	}
	c.Network.Channels = [4]int64{12, 12, 12, 12}
	c.Network.Blocks, c.Network.Neck = [4]int64{}, 12
	c.Labels = []string{"dark"}
	if _, err := run(t, c, squares(100, 1), t.TempDir(), false, Hooks{}, t.Context()); err == nil {
		t.Error("a run of another network was taken for a start")
	}
}

// Labels without a map train, are calibrated and deployed like the others.
func TestPooledLabels(t *testing.T) {
	for _, pooled := range [][]string{{"dark"}, {"light", "dark"}} {
		c := tiny()
		c.Pooled, c.Steps, c.EvalEvery, c.Rate = pooled, 300, 100, 5e-3
		dir := t.TempDir()
		p, err := run(t, c, squares(300, 1), dir, false, Hooks{}, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p.Best < 0.75 {
			t.Errorf("pooled %v: ROC AUC %.3f, want at least 0.75", pooled, p.Best)
		}
		got, err := LoadRun(dir)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := got.Deploy()
		if err != nil {
			t.Fatal(err)
		}
		if outs := len(m.GetGraph().GetOutput()); outs != 1+len(c.Labels)-len(pooled) {
			t.Errorf("pooled %v: %d outputs", pooled, outs)
		}
	}
}
