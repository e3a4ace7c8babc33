package replay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"perceive/camera"
	"perceive/perception"
)

const (
	// moments is how many disagreements a contact sheet shows.
	moments = 12
	// together is how near to each other frames are one moment.
	together = time.Second
)

// Against is a sink that asks a second model about the same frames and keeps where the two
// disagree most. It decides its states by the rule of the first.
type Against struct {
	// Labels are those that both models have; Alone those that only one has.
	Labels []AgainstLabel
	Alone  []string
	// Frames is how many both have answered, Flipped how many of them with another state.
	Frames, Flipped int
	// Failed is how many the first has answered and the second has not, Reason why it did not
	// answer the first of these.
	Failed int
	Reason string
	// Moments are the worst, worst first, once the sink is closed.
	Moments []Moment

	first, second perception.Header
	detector      *perception.Detector
	decider       *perception.Decider
	result        perception.Result
	traces        [2]*Trace
	open          *candidate
}

// AgainstLabel is how far two models are apart about a label; A and B are its places in theirs.
type AgainstLabel struct {
	Label   string
	A, B    int
	Flips   int
	Largest float64
	At      uint64
	sum     float64
}

// Mean is the mean difference of the probabilities.
func (l AgainstLabel) Mean(frames int) float64 { return l.sum / float64(max(1, frames)) }

// NewAgainst compares a run whose header is first with a second detector, which the sink uses
// alone.
func NewAgainst(first perception.Header, second *perception.Detector, s Setup) (*Against, error) {
	a := &Against{first: first, detector: second}
	var err error
	if a.second, err = NewHeader(second, camera.Info{}, s); err != nil {
		return nil, err
	}
	if a.decider, err = NewDecider(a.second); err != nil {
		return nil, err
	}
	a.traces = [2]*Trace{NewTrace(first), NewTrace(a.second)}
	for i, l := range first.Labels {
		j := slices.IndexFunc(a.second.Labels, func(o perception.HeaderLabel) bool { return o.Label == l.Label })
		if j < 0 {
			a.Alone = append(a.Alone, l.Label)
			continue
		}
		a.Labels = append(a.Labels, AgainstLabel{Label: l.Label, A: i, B: j})
	}
	for _, l := range a.second.Labels {
		if !slices.ContainsFunc(first.Labels, func(o perception.HeaderLabel) bool { return o.Label == l.Label }) {
			a.Alone = append(a.Alone, l.Label)
		}
	}
	if len(a.Labels) == 0 {
		return nil, fmt.Errorf("replay: the two models have no label in common: %q", a.Alone)
	}
	return a, nil
}

// Emit implements perception.Sink.
func (a *Against) Emit(ctx context.Context, r *perception.Result, f *camera.Frame) error {
	b := &a.result
	if r.Status == perception.OK && f != nil {
		a.detector.Detect(ctx, f, b)
		if err := ctx.Err(); err != nil {
			return err // which is not the model's failure
		}
		a.decider.Decide(b)
		a.count(b)
	} else {
		b.Seq, b.Time, b.Status, b.Reason, b.Answers = r.Seq, r.Time, r.Status, r.Reason, b.Answers[:0]
	}
	for i, x := range []*perception.Result{r, b} {
		if err := a.traces[i].Emit(ctx, x, f); err != nil {
			return err
		}
	}
	if r.Status != perception.OK || b.Status != perception.OK {
		return nil
	}
	a.Frames++
	return a.see(r, b, f)
}

// count keeps the failures of the second model.
func (a *Against) count(b *perception.Result) {
	if b.Status == perception.OK {
		return
	}
	if a.Failed++; a.Failed == 1 {
		a.Reason = fmt.Sprintf("frame %d: %s", b.Seq, b.Reason)
	}
}

// Err is not nil if nothing was compared: no difference is no verdict then.
func (a *Against) Err() error {
	switch {
	case a == nil || a.Frames > 0:
		return nil
	case a.Failed > 0:
		return fmt.Errorf("replay: the models were compared on no frame: the second failed on all %d, first %s", a.Failed, a.Reason)
	}
	return errors.New("replay: the models were compared on no frame: the first answered none")
}

// see compares two answers to a frame.
func (a *Against) see(r, b *perception.Result, f *camera.Frame) error {
	m := Moment{Seq: r.Seq, Time: r.Time}
	var why []string
	for i := range a.Labels {
		l := &a.Labels[i]
		x, y := &r.Answers[l.A], &b.Answers[l.B]
		d := math.Abs(float64(x.P) - float64(y.P))
		l.sum += d
		if d > l.Largest {
			l.Largest, l.At = d, r.Seq
		}
		m.Delta = max(m.Delta, d)
		if x.State != y.State {
			l.Flips++
			m.Flips++
			why = append(why, fmt.Sprintf("%s %v %.2f | %v %.2f", l.Label, x.State, x.P, y.State, y.P))
		}
	}
	if m.Flips > 0 {
		a.Flipped++
	}
	if m.Delta == 0 && m.Flips == 0 {
		return nil
	}
	if a.open != nil && r.Time-a.open.Time < together && !m.worse(a.open.Moment) {
		return nil
	}
	if a.open != nil && r.Time-a.open.Time >= together {
		if err := a.shut(); err != nil {
			return err
		}
	}
	if m.Why = strings.Join(why, ", "); m.Why == "" {
		m.Why = a.widest(r, b)
	}
	a.open = &candidate{m, copyFrame(f), [2]perception.Result{clone(r), clone(b)}}
	return nil
}

// widest is the label with the largest difference, in words.
func (a *Against) widest(r, b *perception.Result) string {
	at := slices.MaxFunc(a.Labels, func(x, y AgainstLabel) int {
		d := func(l AgainstLabel) float64 { return math.Abs(float64(r.Answers[l.A].P) - float64(b.Answers[l.B].P)) }
		if d(x) < d(y) {
			return -1
		}
		return 1
	})
	return fmt.Sprintf("%s %.2f | %.2f", at.Label, r.Answers[at.A].P, b.Answers[at.B].P)
}

// shut takes the open moment into the list, if it is bad enough.
func (a *Against) shut() error {
	c := a.open
	a.open = nil
	at := slices.IndexFunc(a.Moments, func(m Moment) bool { return c.worse(m) })
	if at < 0 {
		at = len(a.Moments)
	}
	if at >= moments {
		return nil
	}
	if err := c.draw(a.first, a.second); err != nil {
		return err
	}
	a.Moments = slices.Insert(a.Moments, at, c.Moment)
	a.Moments = a.Moments[:min(len(a.Moments), moments)]
	return nil
}

// Close implements perception.Sink.
func (a *Against) Close() error {
	if a.open != nil {
		return a.shut()
	}
	return nil
}
