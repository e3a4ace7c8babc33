package trainer

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/nn"
)

// BenchmarkStep is a whole training step of each network of the family, optimiser and
// averaging included, batch 32 at 192×320 on every core. docs/pytorch.md has the other
// side.
func BenchmarkStep(b *testing.B) {
	for _, m := range nn.Family {
		b.Run(m.Name, func(b *testing.B) { benchmarkStep(b, m.Name) })
	}
}

func benchmarkStep(b *testing.B, name string) {
	c := Default()
	c.Network, _ = c.Network.Member(name)
	e, err := NewEngine(orttest.Runtime(b), c.task(nil), 1, ort.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	noise(e)
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
	b.ReportMetric(float64(c.Batch)/median, "images/s")
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(r.Maxrss)/1024, "peak-MiB") // of the process: run one network at a time
}
