package replay

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// compare says in what a result is not as the golden's, in the order in which one wants to know.
func (c *Comparison) compare(want, got *perception.Result) (reasons []string) {
	differ := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	if want.Time != asWritten(got.Time) {
		differ("time is %v, golden %v", asWritten(got.Time), want.Time)
	}
	if want.Status != got.Status || len(want.Answers) != len(got.Answers) {
		differ("status is %s, golden %s", got.Status, want.Status)
		return reasons
	}
	if want.Reason != got.Reason {
		differ("reason is %q, golden %q", got.Reason, want.Reason)
	}
	for i := range want.Answers {
		w, g, l := &want.Answers[i], &got.Answers[i], &c.Labels[i]
		p := rounded(g.P)
		delta := math.Abs(float64(p) - float64(w.P))
		if delta > l.Largest {
			l.Largest, l.At = delta, got.Seq
		}
		if w.State != g.State {
			l.Flips++
			if l.apart = c.excused(i, w, g, l.apart); l.apart {
				l.Excused++
			} else {
				differ("%s is %v (%.4f), golden %v (%.4f)", l.Label, g.State, p, w.State, w.P)
			}
		} else {
			l.apart = false
		}
		if delta > c.Tolerance.P+1e-9 {
			differ("%s has p %.4f, golden %.4f", l.Label, p, w.P)
		}
		if what := c.place(&w.Where, &g.Where); what != "" && w.State == g.State {
			differ("%s: %s", l.Label, what)
		}
	}
	return reasons
}

// excused is whether the tolerance allows another state: at a threshold, or since one was crossed.
func (c *Comparison) excused(label int, want, got *perception.Answer, apart bool) bool {
	band := c.Tolerance.Band
	if band <= 0 {
		return false
	}
	d := c.Golden.Header.Replay.Decide[label]
	for _, p := range []float32{want.P, got.P} {
		if math.Abs(float64(p-d.Enter)) <= band || math.Abs(float64(p-d.Leave)) <= band {
			return true
		}
	}
	return apart
}

// place says in what two places are different.
func (c *Comparison) place(want, got *perception.Where) string {
	most := c.Tolerance.Where
	switch {
	case most < 0:
		return ""
	case want.Known() != got.Known():
		return "is placed in one of them only"
	case far(want.Peak.Point, got.Peak.Point) > most || c.off(want.Peak.P, got.Peak.P):
		return fmt.Sprintf("its peak is %v with %.4f, golden %v with %.4f", got.Peak.Point, got.Peak.P, want.Peak.Point, want.Peak.P)
	case len(want.Boxes) != len(got.Boxes):
		return fmt.Sprintf("it has %d boxes, golden %d", len(got.Boxes), len(want.Boxes))
	}
	for i := range want.Boxes {
		w, g := want.Boxes[i], got.Boxes[i]
		if far(w.Min, g.Min) > most || far(w.Max, g.Max) > most || c.off(w.P, g.P) {
			return fmt.Sprintf("its box %d is %v with %.4f, golden %v with %.4f", i+1, g.Rectangle, g.P, w.Rectangle, w.P)
		}
	}
	return ""
}

// off is whether a probability is too far from a golden one.
func (c *Comparison) off(want, got float32) bool {
	return math.Abs(float64(want)-float64(rounded(got))) > c.Tolerance.P+1e-9
}

// far is the larger distance of two points along an axis.
func far(a, b image.Point) int {
	d := a.Sub(b)
	return max(d.X, -d.X, d.Y, -d.Y)
}

// rounded is a probability as a recording has it.
func rounded(p float32) float32 {
	var text [16]byte
	v, _ := strconv.ParseFloat(string(strconv.AppendFloat(text[:0], float64(p), 'f', 4, 64)), 32)
	return float32(v)
}

// asWritten is a time as a recording has it.
func asWritten(d time.Duration) time.Duration {
	return d.Round(10 * time.Microsecond).Truncate(time.Microsecond)
}

// clone copies a result out of the loop's memory.
func clone(r *perception.Result) perception.Result {
	out := *r
	out.Answers = slices.Clone(r.Answers)
	for i := range out.Answers {
		out.Answers[i].Where.Boxes = slices.Clone(out.Answers[i].Where.Boxes)
	}
	return out
}

// copyFrame copies a picture out of its source's memory; nil stays nil.
func copyFrame(f *camera.Frame) *camera.Frame {
	if f == nil {
		return nil
	}
	out := camera.NewFrame(f.Width, f.Height, nil)
	out.Seq, out.Time = f.Seq, f.Time
	for y := range f.Height {
		copy(out.Pix[y*out.Stride:][:3*f.Width], f.Pix[y*f.Stride:])
	}
	return out
}
