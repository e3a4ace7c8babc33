package supervise

import (
	"time"

	"perceive/camera"
)

// places is how many records a mailbox holds: 8 s of dropped frames at 30 a second, each with its
// own time.
const places = 256

// record is one captured frame that waits to be asked for, or a run of frames that are gone.
type record struct {
	seq, n   uint64        // the numbers seq to seq+n-1
	from, to time.Duration // times of the first and the last of them
	frame    *camera.Frame // the frame itself, and then n is 1
	err      error         // why it could not be read, and then n is 1; nil if dropped
	name     string        // of the frame that could not be read
}

// mailbox holds the newest frame and a record of all that were captured before it and not yet
// asked for. Their numbers are contiguous. When it is full its oldest records become one
// run, whose first and last times are exact and the others interpolated: no number is ever lost.
// A frame in such a run that could not be read counts as dropped, which it is besides.
//
// It has no lock; its owner has.
type mailbox struct {
	ring    [places]record
	head    int // index of the oldest record
	len     int
	frame   int    // position of the record that has a frame, from the oldest; -1 if none has
	waiting uint64 // sum of n
}

func (m *mailbox) at(i int) *record { return &m.ring[(m.head+i)%places] }

// put appends a record; full mailboxes make room first. A frame that was waiting becomes a
// dropped one when a newer frame is put: it is returned, to be released.
func (m *mailbox) put(r record) (old *camera.Frame) {
	if r.frame != nil {
		old = m.drop()
	}
	if m.len == places {
		m.merge()
	}
	*m.at(m.len) = r
	if r.frame != nil {
		m.frame = m.len
	}
	m.len++
	m.waiting += r.n
	return old
}

// drop turns the frame that waits into a dropped one and returns it.
func (m *mailbox) drop() (old *camera.Frame) {
	if m.frame < 0 {
		return nil
	}
	r := m.at(m.frame)
	old, r.frame = r.frame, nil
	m.frame = -1
	return old
}

// merge makes one run of the two oldest records that are beside each other and hold no frame.
func (m *mailbox) merge() {
	i := 0
	if m.frame == 0 || m.frame == 1 {
		i = m.frame + 1
	}
	a, b := m.at(i), m.at(i+1)
	*b = record{seq: a.seq, n: a.n + b.n, from: a.from, to: b.to}
	for ; i > 0; i-- {
		*m.at(i) = *m.at(i - 1)
	}
	*m.at(0) = record{}
	m.head = (m.head + 1) % places
	m.len--
	if m.frame >= 2 {
		m.frame--
	} // else it moved up by one, and the head with it
}

// front is the oldest record, or nil.
func (m *mailbox) front() *record {
	if m.len == 0 {
		return nil
	}
	return m.at(0)
}

// take removes the first number of the oldest record and returns it as a record of its own.
func (m *mailbox) take() record {
	r := m.at(0)
	one := *r
	one.n, one.to = 1, one.from
	m.waiting--
	if r.n > 1 {
		r.seq++
		r.n--
		r.from += (r.to - r.from) / time.Duration(r.n)
		return one
	}
	*r = record{} // lets go of what it points to
	m.head = (m.head + 1) % places
	m.len--
	m.frame = max(-1, m.frame-1)
	return one
}
