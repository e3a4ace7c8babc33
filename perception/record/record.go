// Package record reads recordings: the JSON Lines that perceive run and the daemon's outputs
// write, of this and of the earlier schema.
package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"perceive/perception"
)

// ErrCut reports a recording whose last line is not whole, as a crash leaves it. What came
// before is good; there is nothing to repair.
var ErrCut = errors.New("the last line was cut, by a crash most likely; all before it is good")

// maxLine is the longest line that is read, bytes: thousands of labels, each with all its boxes.
const maxLine = 8 << 20

// Entry is one line after the header: a result or an event.
type Entry struct {
	// Line is its number in the file, from 1.
	Line int
	// Result has answers in the order of the header's labels, if its status is OK. It is nil
	// where the line is an event.
	Result *perception.Result
	// Age is how old the frame was when the result was published, 0 if the line does not say.
	Age time.Duration
	// Event is nil where the line is a result.
	Event *Event
}

// Event is what was said between results.
type Event struct {
	Kind string    `json:"event"`
	Time time.Time `json:"time"`
	// Fields are the whole line.
	Fields json.RawMessage `json:"-"`
}

// Reader reads one recording.
type Reader struct {
	// Header is the recording's first line, and after an event "model" that one: what goes with the
	// results that are read next.
	Header perception.Header

	name  string
	lines *bufio.Reader
	n     int
	buf   []byte
}

// NewReader reads the header. The name is for errors. A recording that ends before its first line
// does gives ErrCut.
func NewReader(r io.Reader, name string) (*Reader, error) {
	rec := &Reader{name: name, lines: bufio.NewReader(r)}
	line, err := rec.line()
	if err == io.EOF {
		return nil, fmt.Errorf("record: %s is empty: a recording begins with its header", name)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &rec.Header); err != nil {
		return nil, rec.wrong(fmt.Errorf("no header: %w", err))
	}
	if s := rec.Header.Schema; s < 1 || s > perception.ResultSchema {
		return nil, rec.wrong(fmt.Errorf("schema %d: this program reads 1 to %d", s, perception.ResultSchema))
	}
	seen := map[string]bool{}
	for _, l := range rec.Header.Labels {
		if l.Label == "" || seen[l.Label] {
			return nil, rec.wrong(fmt.Errorf("the header's labels: %q is empty or there twice", l.Label))
		}
		seen[l.Label] = true
	}
	return rec, nil
}

// Next returns the next line. The error is io.EOF at the end, and wraps ErrCut where the last
// line is not whole; any other names the file and the line.
func (r *Reader) Next() (Entry, error) {
	line, err := r.line()
	if err != nil {
		return Entry{}, err
	}
	e, err := Parse(&r.Header, line)
	e.Line = r.n
	if err == nil && e.Event != nil && e.Event.Kind == "model" {
		err = r.change(e.Event.Fields)
	}
	if err != nil {
		return Entry{}, r.wrong(err)
	}
	return e, nil
}

// change takes the header of another model, which answers the same labels.
func (r *Reader) change(text []byte) error {
	next := perception.Header{}
	if err := json.Unmarshal(text, &next); err != nil {
		return fmt.Errorf("event model: %w", err)
	}
	same := func(a, b perception.HeaderLabel) bool { return a.Label == b.Label }
	if next.Schema != r.Header.Schema || !slices.EqualFunc(next.Labels, r.Header.Labels, same) {
		return fmt.Errorf("event model: schema %d and labels %v: the header's are %d and %v", next.Schema, next.Labels, r.Header.Schema, r.Header.Labels)
	}
	r.Header = next
	return nil
}

// All gives the lines up to the end or the first error.
func (r *Reader) All() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			e, err := r.Next()
			if err == io.EOF || !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// line reads a line, without its end. What has no end is cut, unless it is JSON in itself: then
// only the end is missing.
func (r *Reader) line() ([]byte, error) {
	r.buf = r.buf[:0]
	r.n++
	for {
		part, err := r.lines.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(r.buf, "\r\n"), nil
		case err == bufio.ErrBufferFull && len(r.buf) <= maxLine:
		case err == bufio.ErrBufferFull:
			return nil, r.wrong(fmt.Errorf("longer than %d bytes: this is no recording", maxLine))
		case err != io.EOF:
			return nil, r.wrong(err)
		case len(r.buf) == 0:
			return nil, io.EOF
		case json.Valid(r.buf):
			return r.buf, nil
		default:
			return nil, r.wrong(ErrCut)
		}
	}
}

func (r *Reader) wrong(err error) error { return fmt.Errorf("record: %s:%d: %w", r.name, r.n, err) }

// ReadFile reads a whole recording, and returns the header of its first line. Of one that was cut it returns what is there, with the error.
func ReadFile(path string) (perception.Header, []Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return perception.Header{}, nil, fmt.Errorf("record: %w", err)
	}
	defer f.Close()
	r, err := NewReader(f, path)
	if err != nil {
		return perception.Header{}, nil, err
	}
	head := r.Header
	var all []Entry
	for e, err := range r.All() {
		if err != nil {
			return head, all, err
		}
		all = append(all, e)
	}
	return head, all, nil
}
