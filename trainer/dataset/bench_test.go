package dataset

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"perceive/camera/opencv"
)

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A picture of 448×256 into an input of 320×192, four labels, with the shipped recipe and
// with parts of it.
func BenchmarkLoader(b *testing.B) {
	opencv.SetThreads(1)
	defer opencv.SetThreads(runtime.NumCPU())
	set, err := Open([]string{"scene:32"}, road)
	if err != nil {
		b.Fatal(err)
	}
	memory, err := OpenCache(b.Context(), set, 448, CacheOptions{})
	if err != nil {
		b.Fatal(err)
	}
	mapped, err := OpenCache(b.Context(), set, 448, CacheOptions{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer mapped.Close()
	all := DefaultAugment()
	geometry := Augment{ZoomOut: all.ZoomOut, ZoomIn: all.ZoomIn, Aspect: all.Aspect, Flip: all.Flip}
	one := func(change func(a *Augment)) Augment { a := geometry; change(&a); return a }
	for _, bc := range []struct {
		name string
		a    Augment
	}{
		{"shipped", all},
		{"mapped", all},
		{"letterbox", Augment{}},
		{"geometry", geometry},
		{"colour", one(func(a *Augment) { a.Brightness, a.Contrast, a.Saturation, a.Tint, a.Night = .4, .4, .6, .1, .2 })},
		{"noise", one(func(a *Augment) { a.Noise = 12 })},
		{"fog", one(func(a *Augment) { a.Fog, a.FogMax = 1, .6 })},
		{"rain", one(func(a *Augment) { a.Rain = 1 })},
		{"blur", one(func(a *Augment) { a.Blur, a.BlurMax = 1, 1.2 })},
		{"jpeg", one(func(a *Augment) { a.JPEG, a.JPEGMin = 1, 30 })},
		{"occlude", one(func(a *Augment) { a.Occlude, a.OccludeMax = 1, .3 })},
		{"mosaic", one(func(a *Augment) { a.Mosaic = 1 })},
	} {
		b.Run(bc.name, func(b *testing.B) {
			c := memory
			if bc.name == "mapped" {
				c = mapped
			}
			l, err := NewLoader(c, LoaderConfig{Width: 320, Height: 192, Batch: 1, Augment: bc.a, Workers: 1}, 1)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				batch, err := l.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				l.Return(batch)
			}
			used := cpu(b) - before
			b.ReportMetric(used.Seconds()*1e3/float64(b.N), "cpu-ms/image")
			b.ReportMetric(float64(b.N)/used.Seconds(), "images/s/core")
		})
	}
}
