package hil

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// httpWire is MJPEG over HTTP, as network cameras serve it.
type httpWire struct {
	addr, path string

	mu      sync.Mutex
	clients map[chan []byte]struct{}
	server  *http.Server
	door    net.Listener
	closes  bool // connections are accepted and closed
}

// queued is how many pictures wait for a client before one is lost: so many that a bench that was held up
// for two seconds and catches up loses none.
const queued = 64

// boundary parts the pictures of a stream.
const boundary = "perceive-bench"

func openHTTP(c Camera, _, _ int) (wire, error) {
	l, err := c.listen()
	if err != nil {
		return nil, err
	}
	w := &httpWire{addr: l.Addr().String(), path: "/" + c.Name + ".mjpeg", clients: map[chan []byte]struct{}{}}
	w.listen(l)
	return w, nil
}

func (h *httpWire) url() string { return "http://" + h.addr + h.path }

func (h *httpWire) listen(l net.Listener) {
	h.door = l
	h.server = &http.Server{Handler: http.HandlerFunc(h.serve), ReadHeaderTimeout: 5 * time.Second}
	go h.server.Serve(l)
}

// serve is one connection.
func (h *httpWire) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	if h.closes {
		h.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	parts := make(chan []byte, queued)
	h.clients[parts] = struct{}{}
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.clients, parts)
		h.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	for {
		select {
		case <-r.Context().Done():
			return
		case p, ok := <-parts:
			if !ok {
				panic(http.ErrAbortHandler) // hang up without a farewell
			}
			if _, err := w.Write(p); err != nil || out.Flush() != nil {
				return
			}
		}
	}
}

func (h *httpWire) send(p picture) {
	text := part(p)
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		select {
		case c <- text:
		default: // the unit does not read: the frame is lost, as a camera's is
		}
	}
}

func (h *httpWire) reaches() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients) > 0
}

func (h *httpWire) broken() error { return nil }

func (h *httpWire) cut(on bool) {
	h.mu.Lock()
	h.closes = on
	h.mu.Unlock()
	h.hangUp()
}

func (h *httpWire) refuse(ctx context.Context, on bool) error {
	if on {
		return h.shut()
	}
	l, err := reopen(ctx, h.addr)
	if l == nil {
		return err
	}
	h.listen(l)
	return nil
}

// shut closes the port and all connections. The port by itself: a server that has not begun to serve does not.
func (h *httpWire) shut() error {
	h.hangUp()
	h.door.Close()
	return h.server.Close()
}

// hangUp ends all connections.
func (h *httpWire) hangUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		close(c)
		delete(h.clients, c)
	}
}

// Close implements wire.
func (h *httpWire) Close() error { return h.shut() }

// part is one picture of a multipart stream. The sender's time is in seconds, as mjpg-streamer has it.
func part(p picture) []byte {
	head := fmt.Sprintf("--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: %s\r\n\r\n", boundary, len(p.jpeg), stamp(p.made))
	return append(append([]byte(head), p.jpeg...), "\r\n"...)
}

func stamp(t time.Time) string { return fmt.Sprintf("%010d.%06d", t.Unix(), t.Nanosecond()/1000) }
