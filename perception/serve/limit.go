package serve

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// limiter is a slog.Handler that lets the same message pass once in a time, and says then how
// often it was held back: a camera that fails a hundred times a second must not fill the disk
// (jetbot#114: a log of tens of gigabytes). A message is the same if its text, its level and
// its first two attributes are: which camera, and its state.
type limiter struct {
	slog.Handler
	every time.Duration
	seen  *seen
}

type seen struct {
	mu   sync.Mutex
	last map[string]*held
}

type held struct {
	at time.Time
	n  int
}

// most is how many different messages are remembered.
const most = 1000

// Limit wraps a handler.
func Limit(h slog.Handler, every time.Duration) slog.Handler {
	return &limiter{h, every, &seen{last: map[string]*held{}}}
}

// Handle implements slog.Handler.
func (l *limiter) Handle(ctx context.Context, r slog.Record) error {
	key := r.Level.String() + r.Message
	n := 0
	r.Attrs(func(a slog.Attr) bool {
		key += a.String()
		n++
		return n < 2
	})
	l.seen.mu.Lock()
	if len(l.seen.last) > most {
		clear(l.seen.last)
	}
	h := l.seen.last[key]
	if h == nil {
		h = &held{}
		l.seen.last[key] = h
	}
	if r.Time.Sub(h.at) < l.every {
		h.n++
		l.seen.mu.Unlock()
		return nil
	}
	back := h.n
	h.at, h.n = r.Time, 0
	l.seen.mu.Unlock()
	if back > 0 {
		r.AddAttrs(slog.Int("held_back", back))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l *limiter) WithAttrs(a []slog.Attr) slog.Handler {
	return &limiter{l.Handler.WithAttrs(a), l.every, l.seen}
}

// WithGroup implements slog.Handler.
func (l *limiter) WithGroup(name string) slog.Handler {
	return &limiter{l.Handler.WithGroup(name), l.every, l.seen}
}
