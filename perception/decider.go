package perception

import (
	"fmt"
	"sync/atomic"
	"time"

	"perceive/models"
)

// Steady says how one label's state follows its probability.
type Steady struct {
	// Enter is the probability from which the label is on, Leave the one below which it is
	// off again; 0 <= Leave <= Enter <= 1. In between it stays as it was.
	Enter, Leave float32
	// Hold is how long the label stays on at least. There is no such time for off: an alarm
	// does not wait.
	Hold time.Duration
}

// Decider makes states steady over the time of capture: hysteresis for each label. The same
// results, with the same times, give the same states. It belongs to one source.
type Decider struct {
	labels atomic.Pointer[[]Steady]
	expiry time.Duration
	memory []memory
	last   time.Duration // of the last answer
}

// memory is what is held of a label.
type memory struct {
	state State
	since time.Duration
}

// NewDecider makes a decider for labels in the manifest's order. After expiry without an answer
// what was held is forgotten: a label in between its thresholds is then unknown.
func NewDecider(labels []Steady, expiry time.Duration) (*Decider, error) {
	for i, l := range labels {
		if !(0 <= l.Leave && l.Leave <= l.Enter && l.Enter <= 1) || l.Hold < 0 {
			return nil, fmt.Errorf("perception: label %d: enter %g, leave %g, hold %v: want 0 <= leave <= enter <= 1 and no negative time", i, l.Enter, l.Leave, l.Hold)
		}
	}
	if expiry <= 0 {
		return nil, fmt.Errorf("perception: expiry %v: want more than nothing", expiry)
	}
	d := &Decider{expiry: expiry, memory: make([]memory, len(labels))}
	d.labels.Store(&labels)
	return d, nil
}

// SteadyLabels are thresholds to start from: a label is on from its threshold, off below margin
// times that, and stays on for hold at least.
func SteadyLabels(labels []models.Label, margin float32, hold time.Duration) []Steady {
	out := make([]Steady, len(labels))
	for i, l := range labels {
		out[i] = Steady{Enter: l.Threshold, Leave: margin * l.Threshold, Hold: hold}
	}
	return out
}

// Use takes other thresholds for the same labels, from any goroutine: those of a model that took
// another's place. What is held stays.
func (d *Decider) Use(labels []Steady) { d.labels.Store(&labels) }

// Decide sets the states of r's answers. A frame that nobody evaluated says nothing, and
// what is held survives it, for as long as the expiry.
func (d *Decider) Decide(r *Result) {
	if r.Status != OK {
		return
	}
	d.forget(r.Time)
	labels := *d.labels.Load()
	for i := range min(len(r.Answers), len(labels)) {
		a := &r.Answers[i]
		a.State = d.memory[i].step(labels[i], a.P, r.Time)
		if a.State != On {
			a.Where = Where{}
		}
	}
}

// Restore takes over the states that were decided for r before, so that Decide goes on behind it
// as if it had decided them itself.
func (d *Decider) Restore(r *Result) {
	if r.Status != OK {
		return
	}
	d.forget(r.Time)
	for i := range min(len(r.Answers), len(d.memory)) {
		if m := &d.memory[i]; m.state != r.Answers[i].State {
			m.state, m.since = r.Answers[i].State, r.Time
		}
	}
}

// forget drops what was held for too long without an answer.
func (d *Decider) forget(now time.Duration) {
	if now-d.last > d.expiry || now < d.last {
		clear(d.memory)
	}
	d.last = now
}

// step is the next state of a label.
func (m *memory) step(l Steady, p float32, now time.Duration) State {
	next := m.state
	switch {
	case p >= l.Enter:
		next = On
	case p < l.Leave:
		next = Off
	}
	if m.state == On && next == Off && now-m.since < l.Hold {
		next = On
	}
	if next != m.state {
		m.state, m.since = next, now
	}
	return next
}
