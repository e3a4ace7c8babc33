package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perceive/camera"
)

// conn is one connection to the camera, read by a goroutine of its own.
type conn struct {
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{} // no more frames come, err says why
	done   chan struct{} // its source is closed too
	err    error         // read after ended

	began    time.Time
	patience time.Duration // for opening, and for the first read

	// Under live.mu.
	busy   bool      // a read (or the opening) is under way, and not a wait for Next
	since  time.Time // when it began
	good   time.Time // when the last good frame came, or what counts as such
	first  time.Time // when the first good frame came; zero before
	silent bool      // the supervisor wants to know of the next good frame
}

// connect starts a connection and makes it the one whose frames count.
func (l *live) connect(patience time.Duration) *conn {
	now := time.Now()
	c := &conn{ended: make(chan struct{}), done: make(chan struct{}), busy: true, since: now, silent: true, began: now, patience: patience}
	c.ctx, c.cancel = context.WithCancel(l.ctx)
	l.mu.Lock()
	if l.end == nil { // not closed in the meantime
		l.conn = c
	}
	l.mu.Unlock()
	go func() {
		defer signal(l.poke)
		defer close(c.done)
		defer c.cancel()
		l.read(c)
	}()
	return c
}

// read passes frames on until the connection fails or is given up.
func (l *live) read(c *conn) {
	src, err := l.cfg.Open(c.ctx)
	if err != nil {
		c.err = err
		close(c.ended)
		return
	}
	defer src.Close()
	defer close(c.ended)
	l.describe(c, src.Info())
	var bad *camera.FrameError
	for {
		f, err := src.Next(c.ctx)
		r := record{n: 1, frame: f}
		switch {
		case err == nil:
		case errors.As(err, &bad):
			r.err, r.name = bad.Err, bad.Name
		default:
			c.err = err
			return
		}
		if !l.captured(c, r) {
			c.err = c.ctx.Err()
			return
		}
	}
}

// describe takes over what a new connection says of itself.
func (l *live) describe(c *conn, info camera.Info) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != c {
		return
	}
	info.URI, info.Kind, info.Live = l.cfg.Info.URI, l.cfg.Info.Kind, true
	l.info = info
	c.since = time.Now()
}

// captured numbers a frame and puts it into the mailbox. It is false when the connection's
// frames no longer count.
func (l *live) captured(c *conn, r record) bool {
	l.mu.Lock()
	if l.cfg.Policy == Every {
		l.await(c)
	}
	if l.conn != c {
		l.mu.Unlock()
		if r.frame != nil {
			r.frame.Release()
		}
		return false
	}
	now := time.Now()
	at := now
	if f := r.frame; f != nil {
		if f.Captured.IsZero() {
			f.Captured = now
		}
		at = f.Captured
		l.look(c, f, now)
	}
	c.since = now
	r.seq = l.next
	r.from = max(at.Sub(l.opened), l.last+1)
	r.to = r.from
	l.next++
	l.last = r.from
	old := l.box.put(r)
	l.mu.Unlock()
	if old != nil {
		old.Release()
	}
	signal(l.wake)
	return true
}

// await waits, with mu held at both ends, until Next has emptied the mailbox or the
// connection is given up. The wait is the reader's fault, not the camera's.
func (l *live) await(c *conn) {
	waited := false
	c.busy = false
	for l.box.len > 0 && l.conn == c {
		waited = true
		l.mu.Unlock()
		select {
		case <-l.taken:
		case <-c.ctx.Done():
		}
		l.mu.Lock()
	}
	c.busy = true
	if waited && !c.good.IsZero() {
		c.good = time.Now()
	}
}

// look notes what a good frame says of the connection.
func (l *live) look(c *conn, f *camera.Frame, now time.Time) {
	c.good = now
	if c.first.IsZero() {
		c.first = now
	}
	if l.width != 0 && (f.Width != l.width || f.Height != l.height) {
		l.note = fmt.Sprintf("from frame %d on, frames are %d×%d instead of %d×%d", l.next, f.Width, f.Height, l.width, l.height)
	}
	l.width, l.height = f.Width, f.Height
	l.info.Width, l.info.Height = f.Width, f.Height
	if c.silent || l.note != "" {
		c.silent = false
		signal(l.poke)
	}
}
