package publish

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// Writer is what a Queue writes to, from one goroutine.
type Writer interface {
	// Write writes a line, its end included. After an error the same line comes again, later.
	// Both are valid until Write returns.
	Write(line []byte, m *Meta) error
	// Close completes the output.
	Close() error
}

// Flusher is a Writer that holds lines back. Flush is called every flushTime; an error of it
// is reported, and Flush or Write tried again.
type Flusher interface{ Flush() error }

const (
	flushTime              = 500 * time.Millisecond
	firstPause, longestGap = 50 * time.Millisecond, 5 * time.Second
)

// Options say how much a Queue holds.
type Options struct {
	// Name is for Stats.
	Name string
	// Lines is the length of the queue; 0 means 256: 2 s of four cameras at 30 frames a second.
	Lines int
	// PictureRate is how many pictures a second of each source the writer gets, at most; 0 is none.
	PictureRate float64
	// Pictures is how many may wait; 0 means 4. Each takes 3 bytes a pixel.
	Pictures int
	// Patience is how long a client of a Socket or of Events may let its connection stand full
	// before it is cut off; 0 means 30 s.
	Patience time.Duration
}

// Queue is a Sink that never waits for its Writer. Emit copies; once warm it allocates nothing.
// When the queue is full its oldest line goes (see ring).
//
// Where a write fails the line is kept and tried again, at first soon, then every 5 s; meanwhile
// the queue fills and then loses lines as if the writer were slow. So an output goes on by
// itself when its trouble is over.
type Queue struct {
	name     string
	w        Writer
	lines    *perception.Encoder
	ring     *ring
	pictures *pacer // nil: none wanted
	head     atomic.Pointer[heading]

	written, pics, unwritten atomic.Uint64
	trouble, held            atomic.Pointer[string] // what keeps Write, and Flush, from working
	note                     []byte                 // memory of the line that says what is lost
	stop                     chan struct{}          // ends pauses
	done                     chan struct{}          // the goroutine has ended
	closing                  error                  // of the writer; read after done
}

var _ Output = (*Queue)(nil)

// NewQueue starts the goroutine that writes to w, which belongs to the queue from here on.
func NewQueue(w Writer, h perception.Header, o Options) (*Queue, error) {
	lines, err := perception.NewEncoder(h)
	if err != nil {
		return nil, err
	}
	lines.Live = true
	if o.Lines == 0 {
		o.Lines = 256
	}
	q := &Queue{name: o.Name, w: w, lines: lines, ring: newRing(o.Lines), stop: make(chan struct{}), done: make(chan struct{})}
	if o.PictureRate > 0 {
		if o.Pictures == 0 {
			o.Pictures = 4
		}
		q.pictures = newPacer(o.PictureRate, o.Pictures)
		q.ring.spare = q.pictures.spare
	}
	head, err := newHeading(h)
	if err != nil {
		return nil, err
	}
	q.head.Store(head)
	go q.run()
	return q, nil
}

// Emit implements perception.Sink. It never fails.
func (q *Queue) Emit(_ context.Context, r *perception.Result, f *camera.Frame) error {
	it := q.ring.take(1)
	if it == nil {
		return nil
	}
	it.line = q.lines.Append(it.line[:0], r)
	it.meta = Meta{Kind: Result, Source: r.Source, Seq: r.Seq, Sent: time.Now(), Captured: r.Captured, head: q.head.Load()}
	if q.pictures != nil && f != nil {
		it.meta.Picture = q.pictures.copy(r, f)
	}
	q.ring.put(it)
	return nil
}

// Event implements Output.
func (q *Queue) Event(kind string, fields any) error {
	now := time.Now()
	line, err := appendEvent(nil, kind, now, fields)
	if err != nil {
		return err
	}
	q.ring.push(line, &Meta{Kind: Event, Sent: now, head: q.head.Load()})
	return nil
}

// Stats implements Output.
func (q *Queue) Stats() Stats {
	s := Stats{Name: q.name, Written: q.written.Load(), Pictures: q.pics.Load()}
	s.Waiting, s.Dropped = q.ring.counts()
	s.Dropped += q.unwritten.Load()
	if q.pictures != nil {
		s.PicturesDropped = q.pictures.missed.Load()
	}
	if t := q.trouble.Load(); t != nil {
		s.Error = *t
	} else if t := q.held.Load(); t != nil {
		s.Error = *t
	}
	return s
}

// Close implements perception.Sink.
func (q *Queue) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), DrainTime)
	defer cancel()
	return q.Shutdown(ctx)
}

// Shutdown implements Output. A writer that has not returned from Write by then is left to
// itself: there is no way to end it.
func (q *Queue) Shutdown(ctx context.Context) error {
	q.ring.close()
	select {
	case <-q.done:
	case <-ctx.Done():
		close(q.stop)
		select {
		case <-q.done:
		case <-time.After(time.Second):
			return fmt.Errorf("publish: %s: the consumer does not take what is written: %d lines are lost", q.name, q.Stats().Waiting+1)
		}
	}
	var lost error
	if n := q.unwritten.Load(); n > 0 {
		lost = fmt.Errorf("publish: %s: %d lines were not written in time", q.name, n)
		if t := q.trouble.Load(); t != nil {
			lost = fmt.Errorf("%w: %s", lost, *t)
		}
	}
	return errors.Join(lost, q.closing)
}

// run writes lines until the ring is closed and empty.
func (q *Queue) run() {
	defer close(q.done)
	tick := time.NewTicker(flushTime)
	defer tick.Stop()
	for flushed := time.Now(); ; {
		if f, ok := q.w.(Flusher); ok && time.Since(flushed) >= flushTime {
			flushed = time.Now()
			report(&q.held, f.Flush())
		}
		it, lost, closed := q.ring.next()
		switch {
		case closed:
			if lost > 0 {
				q.lost(lost)
			}
			q.closing = q.w.Close()
			return
		case it == nil:
			select {
			case <-q.ring.wake:
			case <-tick.C:
			}
			continue
		case lost > 0:
			q.lost(lost)
		}
		if q.write(it.line, &it.meta) {
			q.written.Add(1)
			if it.meta.Picture != nil {
				q.pics.Add(1)
			}
		} else {
			q.unwritten.Add(1)
		}
		q.ring.done(it)
	}
}

// lost writes the line that stands for lines that are missing.
func (q *Queue) lost(n uint64) {
	now := time.Now()
	q.note = appendLost(q.note[:0], n, now)
	q.write(q.note, &Meta{Kind: Event, Sent: now, stands: n})
}

// write tries until the line is written; false if time was up first.
func (q *Queue) write(line []byte, m *Meta) bool {
	for pause := firstPause; ; pause = min(2*pause, longestGap) {
		err := q.w.Write(line, m)
		report(&q.trouble, err)
		if err == nil {
			return true
		}
		select {
		case <-q.stop:
			return false
		case <-time.After(pause):
		}
	}
}

// report keeps the present trouble for Stats.
func report(to *atomic.Pointer[string], err error) {
	if err == nil {
		to.Store(nil)
		return
	}
	text := err.Error()
	to.Store(&text)
}
