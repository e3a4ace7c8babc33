package trainer

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

// withTasks is the default network with n tasks, of which the first four have maps.
func withTasks(n int) Config {
	c := Default()
	for len(c.Labels) < n {
		l := fmt.Sprintf("task%d", len(c.Labels))
		c.Labels, c.Pooled = append(c.Labels, l), append(c.Pooled, l)
	}
	return c
}

// BenchmarkManyTasksTraining is a training step with 100 tasks against one with 4, in turns: the
// ratio of their medians.
func BenchmarkManyTasksTraining(b *testing.B) {
	var run [2]func()
	for i, n := range []int{4, 100} {
		e, err := NewEngine(orttest.Runtime(b), withTasks(n).task(nil), 1, ort.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		noise(e)
		t := 0
		run[i] = func() {
			if t++; t > 0 {
				if _, err := e.Step(b.Context(), t, 1e-4); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	inTurns(b, run)
}

// BenchmarkManyTasksDriving is the same for the deployed network, one frame on one core.
func BenchmarkManyTasksDriving(b *testing.B) {
	var run [2]func()
	for i, n := range []int{4, 100} {
		c := withTasks(n)
		model, l, err := DeployGraph(c.net(), 1)
		if err != nil {
			b.Fatal(err)
		}
		params := make([]float32, l.Size)
		l.Init(params, 1)
		if err := export.Apply(model, export.Freeze(l.Tensors(params)), export.Prune); err != nil {
			b.Fatal(err)
		}
		text, err := onnx.Marshal(model)
		if err != nil {
			b.Fatal(err)
		}
		s := orttest.Session(b, text, ort.Options{Threads: 1})
		var in, out []*ort.Tensor
		for _, spec := range s.Inputs() {
			in = append(in, orttest.Tensor(b, spec.Type, spec.Shape...))
		}
		for _, spec := range s.Outputs() {
			out = append(out, orttest.Tensor(b, spec.Type, spec.Shape...))
		}
		bound, err := s.Bind(in, out)
		if err != nil {
			b.Fatal(err)
		}
		run[i] = func() {
			if err := bound.Run(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	inTurns(b, run)
}

// inTurns reports the median time of both, and their ratio.
func inTurns(b *testing.B, run [2]func()) {
	var took [2][]float64
	for b.Loop() {
		for i := range run {
			begin := time.Now()
			run[i]()
			took[i] = append(took[i], time.Since(begin).Seconds())
		}
	}
	var median [2]float64
	for i := range took {
		slices.Sort(took[i])
		median[i] = took[i][len(took[i])/2]
	}
	b.ReportMetric(median[0]*1e3, "4-tasks-ms")
	b.ReportMetric(median[1]*1e3, "100-tasks-ms")
	b.ReportMetric(median[1]/median[0], "ratio")
}
