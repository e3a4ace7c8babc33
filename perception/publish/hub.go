package publish

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"perceive/perception"
)

// MaxClients is how many clients an output serves at a time, if nothing else is asked for.
const MaxClients = 16

// hub gives every line to each of its clients, each with a queue of its own.
type hub struct {
	*Queue
	max      int
	patience time.Duration

	mu      sync.Mutex
	head    *heading // of the lines that clients get now
	clients map[*client]struct{}
	gone    Stats // sums over clients that left
	closed  bool
	active  sync.WaitGroup // clients
}

// client is one who listens.
type client struct {
	header  []byte // its first line
	told    int    // the heading that it knows
	ring    *ring
	mu      sync.Mutex
	written uint64
}

// newHub makes a hub; o.Lines is the length of each client's queue.
func newHub(h perception.Header, o Options, most int) (*hub, error) {
	head, err := newHeading(h)
	if err != nil {
		return nil, err
	}
	if most == 0 {
		most = MaxClients
	}
	if o.Patience == 0 {
		o.Patience = patience
	}
	if o.PictureRate > 0 {
		return nil, errors.New("publish: " + o.Name + ": lines have no pictures")
	}
	u := &hub{head: head, max: most, patience: o.Patience, clients: map[*client]struct{}{}}
	u.Queue, err = NewQueue(fanout{u}, h, o)
	return u, err
}

// fanout is the hub as its queue's Writer.
type fanout struct{ u *hub }

func (f fanout) Write(line []byte, m *Meta) error {
	f.u.mu.Lock()
	defer f.u.mu.Unlock()
	if m.newer(f.u.head.n) {
		f.u.head = m.head
	}
	for c := range f.u.clients {
		c.ring.push(line, m)
	}
	return nil
}

func (f fanout) Close() error {
	f.u.mu.Lock()
	defer f.u.mu.Unlock()
	f.u.closed = true
	for c := range f.u.clients {
		c.ring.close()
	}
	return nil
}

// join lets a client listen from now on; leave must follow.
func (u *hub) join() (*client, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, fmt.Errorf("publish: %s: the program is about to end", u.name)
	}
	if len(u.clients) >= u.max {
		return nil, fmt.Errorf("publish: %s: there are %d clients, and no more are taken", u.name, u.max)
	}
	c := &client{header: u.head.line, told: u.head.n, ring: newRing(len(u.ring.waiting))}
	u.clients[c] = struct{}{}
	u.active.Add(1)
	return c, nil
}

func (u *hub) leave(c *client) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.clients, c)
	written, dropped, _ := c.counts()
	u.gone.Written += written
	u.gone.Dropped += dropped
	u.active.Done()
}

// counts says how a client fares. What waits when it leaves it did not want.
func (c *client) counts() (written, dropped uint64, waiting int) {
	c.mu.Lock()
	written = c.written
	c.mu.Unlock()
	waiting, dropped = c.ring.counts()
	return written, dropped, waiting
}

// Stats implements Output: Written, Dropped and Waiting are sums over the clients.
func (u *hub) Stats() Stats {
	s := u.Queue.Stats()
	u.mu.Lock()
	defer u.mu.Unlock()
	s.Written, s.Dropped = u.gone.Written, s.Dropped+u.gone.Dropped
	for c := range u.clients {
		written, dropped, waiting := c.counts()
		s.Written += written
		s.Dropped += dropped
		s.Waiting += waiting
	}
	return s
}

// serve hands a client's lines to write until it fails, ctx ends or the hub is closed. It calls
// idle, if not nil, when nothing came for so long.
func (c *client) serve(ctx context.Context, write func(line []byte, m *Meta) error, every time.Duration, idle func() error) error {
	beat := time.NewTicker(every)
	defer beat.Stop()
	var note []byte
	for quiet := true; ; {
		it, lost, closed := c.ring.next()
		if lost > 0 {
			now := time.Now()
			note = appendLost(note[:0], lost, now)
			if err := write(note, &Meta{Kind: Event, Sent: now}); err != nil {
				return err
			}
		}
		if closed {
			return nil
		}
		if it != nil {
			var err error
			if word := it.meta.missed(&c.told); word != nil {
				err = write(word, &Meta{Kind: Event, Sent: it.meta.Sent})
			}
			if err == nil {
				err = write(it.line, &it.meta)
			}
			c.ring.done(it)
			if err != nil {
				return err
			}
			c.mu.Lock()
			c.written++
			c.mu.Unlock()
			quiet = false
			continue
		}
		select {
		case <-c.ring.wake:
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			if quiet && idle != nil {
				if err := idle(); err != nil {
					return err
				}
			}
			quiet = true
		}
	}
}
