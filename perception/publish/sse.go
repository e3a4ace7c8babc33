package publish

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"perceive/perception"
)

const (
	// heartbeat keeps proxies from taking a quiet stream for a dead one.
	heartbeat = 10 * time.Second
	// patience is the default of Options.Patience. A browser that was cut off connects again by itself.
	patience = 30 * time.Second
)

// Events serves lines as Server-Sent Events: "header" first, then "result" with the frame's
// number as id, and "event" for event lines; the data is the line.
type Events struct {
	*hub
	beat time.Duration
}

var _ http.Handler = (*Events)(nil)

// NewEvents makes the output; it is a handler for GET. maxClients 0 means MaxClients.
func NewEvents(h perception.Header, o Options, maxClients int) (*Events, error) {
	u, err := newHub(h, o, maxClients)
	if err != nil {
		return nil, err
	}
	return &Events{u, heartbeat}, nil
}

// ServeHTTP implements http.Handler. It returns when the client goes or the output is closed.
func (e *Events) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	}
	c, err := e.join()
	if err != nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer e.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	control := http.NewResponseController(w)
	send := func(b []byte) error {
		// A writer that knows no deadlines is as good as its client.
		control.SetWriteDeadline(time.Now().Add(e.patience))
		if _, err := w.Write(b); err != nil {
			return err
		}
		return control.Flush()
	}
	if send(appendSSE(nil, "header", c.header)) != nil {
		return
	}
	var buf []byte
	c.serve(req.Context(), func(line []byte, m *Meta) error {
		buf = appendMessage(buf[:0], line, m)
		return send(buf)
	}, e.beat, func() error { return send([]byte(": still here\n\n")) })
}

// appendMessage appends a line as a Server-Sent Event.
func appendMessage(b, line []byte, m *Meta) []byte {
	if m.Kind == Event {
		return appendSSE(b, "event", line)
	}
	b = append(append(b, "id: "...), strconv.FormatUint(m.Seq, 10)...)
	return appendSSE(append(b, '\n'), "result", line)
}

// appendSSE appends the fields of an event. The line brings its end along.
func appendSSE(b []byte, event string, line []byte) []byte {
	b = append(append(append(b, "event: "...), event...), "\ndata: "...)
	return append(append(b, line...), '\n')
}

// Close implements perception.Sink.
func (e *Events) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), DrainTime)
	defer cancel()
	return e.Shutdown(ctx)
}

// Shutdown implements Output. It ends all requests, which http.Server.Shutdown waits for; a
// client that has not read by then is cut off by the server's own Close, or after half a minute.
func (e *Events) Shutdown(ctx context.Context) error {
	err := e.hub.Shutdown(ctx)
	e.wait(ctx)
	return err
}
