package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"perceive/camera"
)

var errClosed = errors.New("source is closed")

// live implements camera.Live.
type live struct {
	cfg    Config
	opened time.Time
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	wake     chan struct{} // to Next: something was captured or released, or the source ended
	taken    chan struct{} // to the reader under Every: the mailbox is empty
	poke     chan struct{} // to the supervisor: look at the connection
	finished chan struct{} // the supervisor has returned

	took time.Duration // the supervisor's: from connecting to the first frame, of the latest connection that gave one

	mu       sync.Mutex
	box      mailbox
	conn     *conn // the one whose frames count; nil between connections
	next     uint64
	last     time.Duration // Time of the frame captured last
	width    int           // size of the good frame captured last
	height   int
	note     string // what a person should know of the frames that come now
	counts   camera.Counts
	event    camera.Event
	info     camera.Info
	free     []*loan
	end      error
	reported camera.FrameError // what Next lends with an error
}

var _ camera.Live = (*live)(nil)

// loan is a frame that can be lent, and the connection's frame behind it.
type loan struct {
	frame *camera.Frame
	inner *camera.Frame // nil while it is not lent
}

// Open starts to watch over a camera. It returns at once: State and Config.OnEvent say
// what comes of the attempts to connect. It panics if cfg has no Open.
func Open(cfg Config) camera.Live {
	if cfg.Open == nil {
		panic("supervise: Config.Open is nil")
	}
	cfg = cfg.withDefaults()
	l := &live{
		cfg: cfg, info: cfg.Info, opened: time.Now(), last: -1,
		wake: make(chan struct{}, 1), taken: make(chan struct{}, 1), poke: make(chan struct{}, 1),
		finished: make(chan struct{}),
	}
	l.box.frame = -1
	l.event = camera.Event{Time: l.opened, State: camera.Connecting, Attempt: 1}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	for range cfg.Lend {
		n := &loan{}
		n.frame = camera.WrapFrame(func(*camera.Frame) { l.giveBack(n) })
		l.free = append(l.free, n)
	}
	go l.supervise()
	return l
}

// signal wakes whoever waits on a channel of one place.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Next implements camera.Source. While the camera is lost it waits, until ctx ends.
func (l *live) Next(ctx context.Context) (*camera.Frame, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f, err := l.take(); f != nil || err != nil {
			return f, err
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
}

// take hands over the oldest number that was captured. It returns nil, nil if there is none, or
// no frame free to lend.
func (l *live) take() (*camera.Frame, error) {
	l.mu.Lock()
	r := l.box.front()
	switch {
	case errors.Is(l.end, errClosed), r == nil && l.end != nil:
		defer l.mu.Unlock()
		return nil, l.end
	case r == nil:
		l.mu.Unlock()
		return nil, nil
	}
	stale := r.frame != nil && l.cfg.MaxAge > 0 && time.Since(r.frame.Captured) > l.cfg.MaxAge
	if r.frame != nil && !stale && len(l.free) == 0 {
		l.mu.Unlock()
		return nil, nil
	}
	one := l.box.take()
	if l.box.len == 0 {
		signal(l.taken)
	}
	if one.frame != nil && !stale {
		defer l.mu.Unlock()
		l.counts.Delivered++
		return l.lend(one), nil
	}
	e := &l.reported
	*e = camera.FrameError{Seq: one.seq, Time: one.from, Name: l.cfg.Info.URI, Err: camera.ErrDropped}
	switch {
	case stale:
		l.counts.Stale++
		e.Err = camera.ErrStale
	case one.err != nil:
		l.counts.Unreadable++
		e.Name, e.Err = one.name, one.err
	default:
		l.counts.Dropped++
	}
	l.mu.Unlock()
	if one.frame != nil {
		one.frame.Release()
	}
	return nil, e
}

// lend shows the pixels of a connection's frame in a frame of our own. There is a free one.
func (l *live) lend(r record) *camera.Frame {
	n := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	n.inner = r.frame
	f, in := n.frame, r.frame
	f.Seq, f.Time = r.seq, r.from
	f.Captured, f.Stamp, f.Clock = in.Captured, in.Stamp, in.Clock
	f.Width, f.Height, f.Stride, f.Pix = in.Width, in.Height, in.Stride, in.Pix
	return f
}

// giveBack takes a loan back. A second Release of the same loan does nothing.
func (l *live) giveBack(n *loan) {
	l.mu.Lock()
	in := n.inner
	if in == nil {
		l.mu.Unlock()
		return
	}
	n.inner, n.frame.Pix = nil, nil
	l.free = append(l.free, n)
	l.mu.Unlock()
	in.Release()
	signal(l.wake)
}

// Info implements camera.Source: what is known of the latest connection.
func (l *live) Info() camera.Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.info
}

// Counts implements camera.Live.
func (l *live) Counts() camera.Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts
	c.Captured, c.Waiting = l.next, l.box.waiting
	return c
}

// State implements camera.Live.
func (l *live) State() camera.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.event
}

// Close implements camera.Source. A read that blocks is left behind: its connection is
// closed when it returns. What was captured and not asked for stays Waiting in Counts.
func (l *live) Close() error {
	l.cancel()
	l.mu.Lock()
	l.end = fmt.Errorf("supervise: %s: %w", l.cfg.Info.URI, errClosed)
	old := l.box.drop()
	c := l.conn
	l.conn = nil
	l.mu.Unlock()
	if old != nil {
		old.Release()
	}
	signal(l.wake)
	<-l.finished
	if c != nil {
		select {
		case <-c.done:
		case <-time.After(closeGrace):
		}
	}
	return nil
}
