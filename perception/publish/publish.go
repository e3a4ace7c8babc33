// Package publish is the ways of results out of the daemon: lines on a stream, in files, to a
// Unix socket and over HTTP, MCAP recordings with pictures, and metrics. Each is a
// perception.Sink with a bounded queue of its own, so that a consumer that is slow, stands still
// or fails never holds up the frame path; what it misses is counted, and said to it in its place.
package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"perceive/perception"
)

// Output is a way out. All methods but Close and Shutdown may be called from several
// goroutines: the pipelines of several cameras share one.
type Output interface {
	perception.Sink
	// Event puts a line between the results: {"event":KIND,"time":NOW, and the fields}. The
	// fields must make a JSON object; nil is none.
	Event(kind string, fields any) error
	// Model says that the results to come are of another model: the event "model", with the
	// fields of its header. Whoever begins to read later gets that header first, and files begin
	// anew with it. It must not be called side by side with itself.
	Model(h perception.Header) error
	Stats() Stats
	// Shutdown writes what waits, until ctx ends, and closes the output. It is called once.
	// Close is the same with a deadline of DrainTime.
	Shutdown(ctx context.Context) error
}

// Stats is how an output fares.
type Stats struct {
	Name string
	// Written and Dropped count lines. Dropped ones were not written, because the consumer was
	// too slow or failed.
	Written, Dropped uint64
	// Waiting lines are in the queue.
	Waiting int
	// Pictures were written, PicturesDropped were due and found no free memory.
	Pictures, PicturesDropped uint64
	// Error is what keeps the output from working now, empty if it works.
	Error string
}

// DrainTime is how long Close waits for what is queued to be written.
const DrainTime = 2 * time.Second

// CameraEvent has the fields of the event "camera": a change of a live source's state.
type CameraEvent struct {
	Source    string `json:"source"`
	State     string `json:"state"`
	Reason    string `json:"reason,omitempty"`
	Attempt   int    `json:"attempt,omitempty"`
	BackoffMS int64  `json:"backoff_ms,omitempty"`
}

// stamp is how times are written: UTC, to the microsecond.
const stamp = "2006-01-02T15:04:05.000000Z"

// appendEvent appends an event's line.
func appendEvent(b []byte, kind string, at time.Time, fields any) ([]byte, error) {
	text := []byte("{}")
	name, err := json.Marshal(kind)
	if err == nil && fields != nil {
		text, err = json.Marshal(fields)
	}
	if err == nil && (len(text) < 2 || text[0] != '{') {
		err = errors.New("the fields are no JSON object")
	}
	if err != nil {
		return b, fmt.Errorf("publish: event %q: %w", kind, err)
	}
	b = append(append(b, `{"event":`...), name...)
	b = at.UTC().AppendFormat(append(b, `,"time":"`...), stamp)
	b = append(b, '"')
	if len(text) > 2 {
		b = append(b, ',')
	}
	return append(append(b, text[1:]...), '\n'), nil
}

// appendLost appends the line that stands where lines are missing.
func appendLost(b []byte, n uint64, at time.Time) []byte {
	b = at.UTC().AppendFormat(append(b, `{"event":"lost","time":"`...), stamp)
	return fmt.Appendf(b, "\",\"count\":%d}\n", n)
}
