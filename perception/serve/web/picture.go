package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pictures keeps each source's newest picture for as long as it may be the newest: however many
// ask, a source is encoded only so often.
type pictures struct {
	daemon Daemon
	every  time.Duration
	wait   time.Duration
	mu     *sync.Mutex
	of     map[string]*picture
}

// picture is of one source. Whoever holds busy gets the next one.
type picture struct {
	busy chan struct{} // one place
	jpeg []byte
	seq  uint64
	at   time.Time // of capture
	got  time.Time
}

func newPictures(d Daemon, rate float64, wait time.Duration) pictures {
	return pictures{daemon: d, every: time.Duration(float64(time.Second) / rate), wait: wait, mu: &sync.Mutex{}, of: map[string]*picture{}}
}

// next is the newest picture of a source. The bytes are nobody's to change.
func (p *pictures) next(ctx context.Context, source string) (picture, error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	p.mu.Lock()
	one := p.of[source]
	if one == nil {
		one = &picture{busy: make(chan struct{}, 1)}
		p.of[source] = one
	}
	p.mu.Unlock()
	select {
	case one.busy <- struct{}{}:
		defer func() { <-one.busy }()
	case <-ctx.Done():
		return picture{}, ctx.Err()
	}
	if one.jpeg != nil && time.Since(one.got) < p.every {
		return *one, nil
	}
	jpeg, seq, at, err := p.daemon.Frame(ctx, source)
	if err != nil {
		return picture{}, err
	}
	one.jpeg, one.seq, one.at, one.got = jpeg, seq, at, time.Now()
	return *one, nil
}

// frame serves the newest picture of ?source=NAME, or of the first source.
func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	names := s.daemon.SourceNames()
	name := r.URL.Query().Get("source")
	switch {
	case len(names) == 0:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "there is no picture: no source is open yet")
		return
	case name == "":
		name = names[0]
	case !slices.Contains(names, name):
		fail(w, http.StatusNotFound, fmt.Sprintf("there is no source %q; there is: %s", name, strings.Join(names, ", ")))
		return
	}
	p, err := s.pictures.next(r.Context(), name)
	if err != nil {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, fmt.Sprintf("source %s has no picture: none came within %v (%v); /v1/status says what the camera does", name, s.cfg.PictureWait, err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(p.jpeg)))
	h.Set("X-Seq", strconv.FormatUint(p.seq, 10))
	h.Set("X-Captured", p.at.UTC().Format(time.RFC3339Nano))
	w.Write(p.jpeg)
}
