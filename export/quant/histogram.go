package quant

import "math"

// bins of a histogram: even, so that zero lies between two.
const bins = 4096

// histogram counts values in equal bins over [−reach, reach]. It is made in one pass:
// a value beyond doubles the reach, and pairs of bins become one.
type histogram struct {
	count     [bins]float64
	reach     float64
	low, high float64 // the least and the greatest value
	n         float64
	bad       int // not numbers, or infinite
}

func (h *histogram) add(values []float32) {
	for _, v := range values {
		x := float64(v)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			h.bad++
			continue
		}
		if h.n == 0 {
			h.low, h.high, h.reach = x, x, 1
		}
		h.low, h.high = min(h.low, x), max(h.high, x)
		for math.Abs(x) > h.reach {
			h.double()
		}
		h.count[min(int((x/h.reach+1)*(bins/2)), bins-1)]++
		h.n++
	}
}

// double the reach: towards zero from both sides.
func (h *histogram) double() {
	const half = bins / 2
	var to [bins]float64
	for i, c := range h.count {
		to[half/2+i/2] += c
	}
	h.count, h.reach = to, 2*h.reach
}

// edge is the lower end of bin i.
func (h *histogram) edge(i int) float64 { return (float64(i)/(bins/2) - 1) * h.reach }

// quantile is the end of the bin below which a part q of the values lies.
func (h *histogram) quantile(q float64) float64 {
	var sum float64
	for i, c := range h.count {
		if sum += c; sum >= q*h.n {
			return h.edge(i + 1)
		}
	}
	return h.reach
}
