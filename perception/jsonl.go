package perception

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"perceive/camera"
)

// JSONL writes JSON Lines: the header, then a line a frame (see Encoder). Nothing in it
// varies from run to run, so that two runs can be compared byte by byte, unless it is live.
type JSONL struct {
	w     io.Writer
	file  *os.File // nil if w is not a file of ours
	lines *Encoder
	buf   []byte
	whole int64 // bytes of whole lines in the file
	last  time.Time
}

const (
	// bufferBytes are written at once, and after flushEvery at the latest, so that who
	// follows the file sees results in good time.
	bufferBytes = 32 << 10
	flushEvery  = 500 * time.Millisecond
)

// CreateJSONL starts a file with its header. An existing file is replaced; what is no
// file (a pipe, a device) is written to.
func CreateJSONL(path string, h Header) (*JSONL, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("perception: detections: %w", err)
	}
	j, err := NewJSONL(f, h)
	if err != nil {
		f.Truncate(0) // on a full disk, rather an empty file than half a header
		f.Close()
		return nil, err
	}
	j.file = f
	return j, nil
}

// NewJSONL writes the header, and then results, to w.
func NewJSONL(w io.Writer, h Header) (*JSONL, error) {
	j := &JSONL{w: w, last: time.Now()}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("perception: header: %w", err)
	}
	if j.lines, err = NewEncoder(h); err != nil {
		return nil, err
	}
	j.buf = append(append(j.buf, text...), '\n')
	return j, j.flush()
}

// Emit implements Sink. It allocates nothing once warm.
func (j *JSONL) Emit(_ context.Context, r *Result, _ *camera.Frame) error {
	j.buf = j.lines.Append(j.buf, r)
	if len(j.buf) < bufferBytes && time.Since(j.last) < flushEvery {
		return nil
	}
	return j.flush()
}

// flush writes the whole lines that are buffered. When the disk is full the file is
// cut back to its last whole line.
func (j *JSONL) flush() error {
	j.last = time.Now()
	n := len(j.buf)
	_, err := j.w.Write(j.buf)
	j.buf = j.buf[:0]
	if err == nil {
		j.whole += int64(n)
		return nil
	}
	if j.file != nil {
		j.file.Truncate(j.whole)
	}
	return fmt.Errorf("perception: detections: %w", err)
}

// Close writes what is buffered and closes the file.
func (j *JSONL) Close() error {
	var err error
	if len(j.buf) > 0 {
		err = j.flush()
	}
	if j.file == nil {
		return err
	}
	if cerr := j.file.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("perception: detections: %w", cerr)
	}
	return err
}
