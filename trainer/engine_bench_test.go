package trainer

import (
	"slices"
	"testing"
	"time"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

// BenchmarkStep is a whole training step, optimiser included, batch 32 at
// 192×320 on every core.
func BenchmarkStep(b *testing.B) {
	task := Default().task(nil)
	batch := float64(task.Plan.Batch)
	e, err := NewEngine(orttest.Runtime(b), task, 1, ort.Options{Spin: true})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	for i := range e.Frames {
		e.Frames[i] = byte(i * 7)
	}
	for i := range e.MapWeight {
		e.MapWeight[i] = 1
	}
	// The first steps pay for memory; the median is what a run sees.
	var took []float64
	for t := 1; b.Loop(); t++ {
		begin := time.Now()
		if _, err := e.Step(b.Context(), t, 1e-4); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin).Seconds())
	}
	slices.Sort(took)
	median := took[len(took)/2]
	b.ReportMetric(median*1e3, "median-ms")
	b.ReportMetric(batch/median, "images/s")
}
