package publish

import (
	"sync"
	"time"
)

// Kind says what a line is about.
type Kind uint8

// The kinds of lines.
const (
	Result Kind = iota
	Event
)

// Meta is what a Writer is told of a line beside its bytes.
type Meta struct {
	Kind   Kind
	Source string
	Seq    uint64
	// Sent is when the line was made, Captured when the frame that it is about was; a zero
	// Captured is not known.
	Sent, Captured time.Time
	// Picture is the frame, if the output asked for pictures and this one's turn had come.
	Picture *Picture

	// head is what is said of the line's model, nil where it does not matter; word: this line says it.
	head *heading
	word bool

	// stands is how many lost lines an event "lost" stands for: 0 of other lines.
	stands uint64
}

// weight is how many lines are lost with this one.
func (m *Meta) weight() uint64 { return max(m.stands, 1) }

// Picture is a copy of a frame: rows of 3·Width bytes, blue-green-red, from the top.
type Picture struct {
	Width, Height int
	Pix           []byte
}

// item is one line on its way.
type item struct {
	line []byte
	meta Meta
}

// ring is a bounded queue of lines with memory of its own. When it is full the oldest line
// goes: who reads late is then late by the length of the queue at most, and what it reads next
// is as new as can be. How many went is said to the reader in their place.
type ring struct {
	mu      sync.Mutex
	free    []*item // a stack, so that few items are in use and warm
	waiting []*item // circular: first and count
	first   int
	count   int
	lost    uint64 // since the reader last asked
	dropped uint64 // in all
	closed  bool
	wake    chan struct{} // holds one value when there is something to look at
	// spare takes back the picture of a line that is dropped or done; nil if there are none.
	spare chan *Picture
}

func newRing(n int) *ring {
	r := &ring{waiting: make([]*item, n), wake: make(chan struct{}, 1)}
	for range n {
		r.free = append(r.free, &item{})
	}
	return r
}

// take lends an item to fill, nil if all are in other hands or the ring is closed: then the
// line, whose weight is given, is lost, and counted.
func (r *ring) take(weight uint64) *item {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free); n > 0 && !r.closed {
		it := r.free[n-1]
		r.free = r.free[:n-1]
		return it
	}
	if r.count == 0 || r.closed {
		r.lose(weight)
		return nil
	}
	it := r.shift()
	r.lose(it.meta.weight())
	r.release(it)
	return it
}

// put queues an item that take lent.
func (r *ring) put(it *item) {
	r.mu.Lock()
	if r.closed {
		r.lose(it.meta.weight())
		r.release(it)
		r.free = append(r.free, it)
	} else {
		r.waiting[(r.first+r.count)%len(r.waiting)] = it
		r.count++
	}
	r.mu.Unlock()
	r.signal()
}

// push queues a copy of a line.
func (r *ring) push(line []byte, meta *Meta) {
	it := r.take(meta.weight())
	if it == nil {
		return
	}
	it.line = append(it.line[:0], line...)
	it.meta = *meta
	it.meta.Picture = nil // its memory is not ours
	r.put(it)
}

// next returns the oldest line and how many were lost before it; nil if there is none, and
// closed, with what is lost since, if none will come.
func (r *ring) next() (it *item, lost uint64, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == 0 && !r.closed {
		return nil, 0, false
	}
	lost, r.lost = r.lost, 0
	if r.count == 0 {
		return nil, lost, true
	}
	return r.shift(), lost, false
}

// done takes an item back from the reader.
func (r *ring) done(it *item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release(it)
	r.free = append(r.free, it)
}

// close ends the taking of lines; those that wait can still be read.
func (r *ring) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.signal()
}

// counts says how many lines wait, and how many were dropped in all.
func (r *ring) counts() (waiting int, dropped uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count, r.dropped
}

// lose counts what is lost. Dropped counts lines, of which one that stands for others is one.
func (r *ring) lose(weight uint64) {
	r.lost += weight
	r.dropped++
}

func (r *ring) shift() *item {
	it := r.waiting[r.first]
	r.first = (r.first + 1) % len(r.waiting)
	r.count--
	return it
}

func (r *ring) release(it *item) {
	if it.meta.Picture != nil {
		r.spare <- it.meta.Picture // has room: it holds as many as there are
		it.meta.Picture = nil
	}
}

func (r *ring) signal() {
	select {
	case r.wake <- struct{}{}:
	default: // there is a signal already
	}
}
