package hil

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// blocks are the parts of which the least is taken.
const blocks = 10

// memory is the slope of a line through the second half of what the process used: through the least
// of each of its tenths, because a garbage collector's memory goes up and down. It fails when the
// whole 95 % interval of the slope is above the limit; ten minutes tell some 20 MiB an hour, an
// hour some 1.
func (r *Run) memory(q Requirement) Verdict {
	var x, y []float64
	half := r.Begin.Add(r.End.Sub(r.Begin) / 2)
	for _, p := range r.Polls {
		if p.RSS > 0 && p.Got.After(half) && p.Got.Before(r.End) {
			x, y = append(x, p.Got.Sub(half).Hours()), append(y, float64(p.RSS)/(1<<20))
		}
	}
	if len(x) < 10 {
		return Verdict{Measured: "too few readings of memory", At: r.End}
	}
	x, y = minima(x, y)
	s, error95 := slope(x, y)
	v := amount(s-error95, q.Limit, true, "%.2f MiB/h")
	v.Measured = fmt.Sprintf("%.1f ± %.1f MiB/h (%.1f MiB at the end)", s, error95, y[len(y)-1])
	v.Limit = fmt.Sprintf("no more than %.2f MiB/h, but for chance", q.Limit)
	if !v.Pass {
		v.At = r.End
	}
	return v
}

// minima are the points with the least y in each of ten neighbourhoods.
func minima(x, y []float64) (mx, my []float64) {
	for b := range blocks {
		from, to := b*len(x)/blocks, (b+1)*len(x)/blocks
		if from == to {
			continue
		}
		least := from
		for i := from; i < to; i++ {
			if y[i] < y[least] {
				least = i
			}
		}
		mx, my = append(mx, x[least]), append(my, y[least])
	}
	return mx, my
}

// slope is of the least-squares line, and half its 95 % interval: Student's t with n-2 degrees.
func slope(x, y []float64) (s, error95 float64) {
	a, s := stat.LinearRegression(x, y, nil, false)
	n := float64(len(x))
	var rest, spread float64
	mean := stat.Mean(x, nil)
	for i := range x {
		rest += (y[i] - a - s*x[i]) * (y[i] - a - s*x[i])
		spread += (x[i] - mean) * (x[i] - mean)
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 2}.Quantile(0.975)
	return s, t * math.Sqrt(rest/(n-2)/spread)
}
