package replay

import (
	"context"
	"math"

	"perceive/camera"
	"perceive/perception"
	"perceive/trainer/report"
)

// Trace is a sink that keeps each label's probability over time.
type Trace struct {
	labels []perception.ReplayDecide
	times  []float64 // seconds
	p      [][]float64
}

// NewTrace keeps the labels of a header.
func NewTrace(h perception.Header) *Trace {
	t := &Trace{labels: h.Replay.Decide}
	t.p = make([][]float64, len(t.labels))
	return t
}

// Emit implements perception.Sink. What nobody knows is not a number.
func (t *Trace) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	t.times = append(t.times, r.Time.Seconds())
	for i := range t.p {
		p := math.NaN()
		if i < len(r.Answers) {
			p = float64(r.Answers[i].P)
		}
		t.p[i] = append(t.p[i], p)
	}
	return nil
}

// Close implements perception.Sink.
func (t *Trace) Close() error { return nil }

// points is how many are drawn of a line at most: more than pixels are not seen.
const points = 1500

// charts draw each label, beside the same label of another trace if there is one. Of many
// frames those are drawn where the two are furthest apart.
func (t *Trace) charts(name string, other *Trace, otherName string) []report.Chart {
	var out []report.Chart
	for i, l := range t.labels {
		a, b := report.Series{Name: name}, report.Series{Name: otherName}
		every := max(1, (len(t.times)+points-1)/points)
		for from := 0; from < len(t.times); from += every {
			at := from
			for j := from; other != nil && j < min(from+every, len(t.times), len(other.times)); j++ {
				if math.Abs(t.p[i][j]-other.p[i][j]) > math.Abs(t.p[i][at]-other.p[i][at]) {
					at = j
				}
			}
			a.X, a.Y = append(a.X, t.times[at]), append(a.Y, t.p[i][at])
			if other != nil && at < len(other.times) {
				b.X, b.Y = append(b.X, other.times[at]), append(b.Y, other.p[i][at])
			}
		}
		c := report.Chart{Title: l.Label, X: "seconds", Y: "probability", Low: 0, High: 1, Series: []report.Series{a}}
		if other != nil {
			c.Series = []report.Series{b, a}
		}
		end := 0.0
		if n := len(t.times); n > 0 {
			end = t.times[n-1]
		}
		for _, g := range []struct {
			name string
			at   float32
		}{{"on from", l.Enter}, {"off below", l.Leave}} {
			c.Series = append(c.Series, report.Series{Name: g.name, Guide: true, X: []float64{0, end}, Y: []float64{float64(g.at), float64(g.at)}})
		}
		out = append(out, c)
	}
	return out
}
