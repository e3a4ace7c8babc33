package trainer

import (
	"testing"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/optim"
)

// BenchmarkStep is a whole training step, optimiser included, batch 32 at
// 192×320 on every core.
func BenchmarkStep(b *testing.B) {
	net := Default().net()
	const batch = 32
	e, err := NewEngine(orttest.Runtime(b), net, batch, optim.DefaultAdamW(), LossConfig{1, 1}, 1, ort.Options{Spin: true})
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
	t := 0
	for b.Loop() {
		t++
		l, err := e.Step(b.Context(), t, 1e-4)
		if err != nil {
			b.Fatal(err)
		}
		if t == 1 {
			b.Logf("first step: %+v", l)
		}
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "images/s")
}
