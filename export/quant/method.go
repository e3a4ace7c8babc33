package quant

import (
	"fmt"
	"math"
)

// Method makes a range of what was observed.
type Method struct {
	Name  string
	Range func(h *histogram) Range
}

// Methods are the known ones. None is best for every network, so they are compared on
// frames: see the caller's error.
//
// Percentile clips what is beyond in either tail. Entropy is the clipping with the least
// Kullback-Leibler divergence of the 8-bit distribution from the observed one (Migacz,
// "8-bit inference with TensorRT", GTC 2017).
func Methods() []Method {
	return []Method{
		{"min-max", func(h *histogram) Range { return Range{h.low, h.high} }},
		percentile(99.999), percentile(99.99), percentile(99.9),
		{"entropy", entropy},
	}
}

func percentile(p float64) Method {
	return Method{fmt.Sprintf("percentile %g", p), func(h *histogram) Range {
		return Range{max(h.low, h.quantile(1-p/100)-2*h.reach/bins), min(h.high, h.quantile(p/100))}
	}}
}

// levels are the integers on one side of zero.
const levels = 128

// entropy looks at magnitudes, and clips both sides at one.
func entropy(h *histogram) Range {
	const half = bins / 2
	mass := make([]float64, half)
	for i := range mass {
		mass[i] = h.count[half+i] + h.count[half-1-i]
	}
	// Exact zeros, which rectifiers give in masses, cost nothing at any scale.
	mass[0] = 0
	top := half
	for top > levels && mass[top-1] == 0 {
		top--
	}
	best, least := top, math.Inf(1)
	for n := levels; n <= top; n += max(1, top/256) {
		if d := divergence(mass[:top], n); d < least {
			best, least = n, d
		}
	}
	limit := float64(best) / half * h.reach
	return Range{max(h.low, -limit), min(h.high, limit)}
}

// divergence of what is left when magnitudes are clipped to the first n bins and
// quantised to levels.
func divergence(mass []float64, n int) float64 {
	p := append([]float64(nil), mass[:n]...)
	for _, m := range mass[n:] {
		p[n-1] += m
	}
	// q spreads each level's mass evenly over its bins that hold any.
	q := make([]float64, n)
	for l := range levels {
		from, to := l*n/levels, (l+1)*n/levels
		var sum, held float64
		for i := from; i < to; i++ {
			if sum += mass[i]; mass[i] > 0 {
				held++
			}
		}
		for i := from; i < to; i++ {
			if mass[i] > 0 {
				q[i] = sum / held
			}
		}
	}
	var sp, sq float64
	for i := range p {
		sp, sq = sp+p[i], sq+q[i]
	}
	if sp == 0 || sq == 0 {
		return math.Inf(1)
	}
	var d float64
	for i := range p {
		if p[i] == 0 {
			continue
		}
		// A bin that clipping filled and quantisation knows nothing of is as unlikely as can be.
		d += p[i] / sp * math.Log(p[i]/sp/max(q[i]/sq, 1e-9))
	}
	return d
}
