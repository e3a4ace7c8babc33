package trainer

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"perceive/trainer/nn"
)

// fastestDet is a detector that another tool exported, beside the project.
const fastestDet = "../../shared/data/onnx/fastestdet/FastestDet.onnx"

// A foreign backbone is fine-tuned, its frozen parts keep the file's numbers, and what
// comes out is a network to deploy.
func TestTransfer(t *testing.T) {
	if _, err := os.Stat(fastestDet); err != nil {
		t.Skipf("the file is not beside the project: %v", err)
	}
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
