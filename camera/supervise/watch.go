package supervise

import (
	"errors"
	"fmt"
	"io"
	"time"

	"perceive/camera"
)

// supervise connects, again and again, until the source is closed or has ended.
func (l *live) supervise() {
	defer close(l.finished)
	var left []*conn // given up, and maybe still blocked
	pause := l.cfg.BackoffMin
	for attempt := 1; l.ctx.Err() == nil; attempt++ {
		if left = l.admit(left, attempt); l.ctx.Err() != nil {
			return
		}
		l.tell(camera.Event{State: camera.Connecting, Attempt: attempt})
		c := l.connect(l.patience(attempt))
		reason := l.watch(c, attempt)
		l.mu.Lock()
		l.conn = nil
		first := c.first
		l.mu.Unlock()
		c.cancel()
		left = append(left, c)
		if l.ctx.Err() != nil {
			return
		}
		if !first.IsZero() {
			attempt = 0
			l.took = first.Sub(c.began)
			// One that fails again and again after a few frames is given its pause too.
			if time.Since(first) > l.cfg.BackoffMax {
				pause = l.cfg.BackoffMin
			}
		}
		if l.ended(c) {
			l.tell(camera.Event{State: camera.Lost, Reason: "the source has ended"})
			l.finish() // after the event: who has read io.EOF finds the state Lost
			return
		}
		l.tell(camera.Event{State: camera.Lost, Reason: reason, Attempt: attempt, Backoff: pause})
		l.sleep(pause)
		pause = min(2*pause, l.cfg.BackoffMax)
	}
}

// Of a camera that has been there it is known how long it takes to connect. The first tries to get
// it back wait no longer than twice that: one that hangs in a handshake and is well again right after is
// taken up by the next try.
const (
	quickTries = 3
	quickest   = 2 * time.Second
)

// patience is how long the first frame of a connection may take.
func (l *live) patience(attempt int) time.Duration {
	if l.took == 0 || attempt > quickTries {
		return l.cfg.OpenTimeout
	}
	return min(l.cfg.OpenTimeout, max(quickest, 2*l.took))
}

// sleep waits for d, or until the source is closed.
func (l *live) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.ctx.Done():
	}
}

// ended is whether the connection ended as finite sources do.
func (l *live) ended(c *conn) bool {
	select {
	case <-c.ended:
	default:
		return false
	}
	return l.cfg.Policy == Every && errors.Is(c.err, io.EOF)
}

// finish makes Next say that the source has ended, once it has handed over what was captured.
func (l *live) finish() {
	l.mu.Lock()
	if l.end == nil {
		l.end = io.EOF
	}
	l.mu.Unlock()
	signal(l.wake)
}

// admit waits until few enough abandoned connections are blocked, and returns those that are.
func (l *live) admit(left []*conn, attempt int) []*conn {
	told := false
	for {
		n := 0
		for _, c := range left {
			select {
			case <-c.done:
			default:
				left[n] = c
				n++
			}
		}
		clear(left[n:])
		left = left[:n]
		if n < l.cfg.MaxAbandoned {
			return left
		}
		if !told {
			told = true
			l.tell(camera.Event{State: camera.Lost, Attempt: attempt, Blocked: true,
				Reason: fmt.Sprintf("%d reads that were given up still block: no new connection until one of them returns", n)})
		}
		select {
		case <-l.poke:
		case <-l.ctx.Done():
			return left
		}
	}
}

// watch follows a connection until it ends or has to be given up, and says why.
func (l *live) watch(c *conn, attempt int) (reason string) {
	tick := time.NewTicker(max(time.Millisecond, min(l.cfg.StallAfter, l.cfg.ReadTimeout, l.cfg.OpenTimeout)/5))
	defer tick.Stop()
	state := camera.Connecting
	for {
		select {
		case <-c.ended:
			l.news(c, &state, attempt)
			return why(c.err)
		case <-l.poke:
		case <-tick.C:
		case <-l.ctx.Done():
			return ""
		}
		l.news(c, &state, attempt)
		if reason := l.late(c, &state); reason != "" {
			return reason
		}
	}
}

// news tells of frames that came again, and of what changed about them.
func (l *live) news(c *conn, state *camera.State, attempt int) {
	l.mu.Lock()
	came, note := !c.first.IsZero() && !c.silent, l.note
	l.note = ""
	l.mu.Unlock()
	if came && *state != camera.Streaming || note != "" {
		*state = camera.Streaming
		l.tell(camera.Event{State: camera.Streaming, Reason: note, Attempt: attempt})
	}
}

// late tells when no frames come, and returns why the connection must be given up.
func (l *live) late(c *conn, state *camera.State) (reason string) {
	l.mu.Lock()
	now := time.Now()
	streamed, busy, read, silence := !c.first.IsZero(), c.busy, now.Sub(c.since), now.Sub(c.good)
	stalled := busy && streamed && silence >= l.cfg.StallAfter
	if stalled {
		c.silent = true
	}
	l.mu.Unlock()
	switch {
	case !busy:
		return ""
	case !streamed && read >= c.patience:
		return fmt.Sprintf("no frame within %v of connecting", c.patience)
	case streamed && read >= l.cfg.ReadTimeout:
		reason = fmt.Sprintf("no frame for %v", l.cfg.ReadTimeout)
	}
	if stalled && *state == camera.Streaming {
		*state = camera.Stalled
		l.tell(camera.Event{State: camera.Stalled, Reason: fmt.Sprintf("no good frame for %v", silence.Round(time.Millisecond))})
	}
	return reason
}

// why says what ended a connection, for a person.
func why(err error) string {
	if errors.Is(err, io.EOF) {
		return "the stream ended"
	}
	return err.Error()
}

// tell makes an event the latest one and passes it on.
func (l *live) tell(e camera.Event) {
	e.Time = time.Now()
	l.mu.Lock()
	l.event = e
	l.mu.Unlock()
	if l.cfg.OnEvent != nil {
		l.cfg.OnEvent(e)
	}
}
