package publish

import (
	"encoding/json"
	"fmt"
	"time"

	"perceive/perception"
)

// heading is what is said of the model that results are of. Lines carry it, so that it is true also
// where the line that says it was lost.
type heading struct {
	n     int    // 0 is the one of the start
	line  []byte // the header, as the first line
	event []byte // the same as an event between results; nil of the first
}

func newHeading(h perception.Header) (*heading, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("publish: header: %w", err)
	}
	return &heading{line: append(text, '\n')}, nil
}

// after is the heading that follows this one.
func (h *heading) after(next perception.Header, at time.Time) (*heading, error) {
	out, err := newHeading(next)
	if err != nil {
		return nil, err
	}
	out.n = h.n + 1
	out.event, err = appendEvent(nil, "model", at, next)
	return out, err
}

// newer says whether a line is of a later model than the n-th.
func (m *Meta) newer(n int) bool { return m.head != nil && m.head.n > n }

// missed notes that a reader who knows of the model told gets this line. It returns the word on the
// line's model, where that was lost on its way.
func (m *Meta) missed(told *int) []byte {
	if !m.newer(*told) {
		return nil
	}
	*told = m.head.n
	if m.word {
		return nil
	}
	return m.head.event
}

// Model implements Output.
func (q *Queue) Model(h perception.Header) error {
	now := time.Now()
	next, err := q.head.Load().after(h, now)
	if err != nil {
		return err
	}
	q.ring.push(next.event, &Meta{Kind: Event, Sent: now, head: next, word: true})
	q.head.Store(next) // not before: a line must not come before the word on its model
	return nil
}
