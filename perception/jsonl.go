package perception

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"perceive/camera"
)

// JSONL writes JSON Lines: the header, then a line a frame,
//
//	{"seq":17,"t_ms":566.7,"status":"ok","labels":[{"label":"car","p":0.9810,"on":true,
//	 "where":{"peak":{"xy":[416,240],"p":0.9734},"boxes":[{"xywh":[384,208,96,64],"p":0.9734}]}}]}
//
// (one line) with "where" left out where nothing is known of it, and "labels" empty and
// "reason" added where the status is not ok. Nothing in it varies from run to run, so
// that two runs can be compared byte by byte.
type JSONL struct {
	w      io.Writer
	file   *os.File // nil if w is not a file of ours
	labels [][]byte // `{"label":"car","p":`
	buf    []byte
	whole  int64 // bytes of whole lines in the file
	last   time.Time
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
	for _, l := range h.Labels {
		name, err := json.Marshal(l.Label)
		if err != nil {
			return nil, fmt.Errorf("perception: label: %w", err)
		}
		j.labels = append(j.labels, fmt.Appendf(nil, `{"label":%s,"p":`, name))
	}
	j.buf = append(append(j.buf, text...), '\n')
	return j, j.flush()
}

// Emit implements Sink. It allocates nothing once warm.
func (j *JSONL) Emit(_ context.Context, r *Result, _ *camera.Frame) error {
	j.buf = j.appendResult(j.buf, r)
	if len(j.buf) < bufferBytes && time.Since(j.last) < flushEvery {
		return nil
	}
	return j.flush()
}

// appendResult appends a line.
func (j *JSONL) appendResult(b []byte, r *Result) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, r.Seq, 10)
	b = append(b, `,"t_ms":`...)
	b = strconv.AppendFloat(b, float64(r.Time.Round(time.Microsecond*10).Microseconds())/1000, 'f', -1, 64)
	b = append(b, `,"status":"`...)
	b = append(append(b, r.Status...), '"')
	if r.Reason != "" {
		b = append(b, `,"reason":`...)
		text, _ := json.Marshal(r.Reason) // a string cannot fail; and a bad frame is no warm path
		b = append(b, text...)
	}
	b = append(b, `,"labels":[`...)
	for i, a := range r.Answers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, j.labels[i]...)
		b = strconv.AppendFloat(b, float64(a.P), 'f', 4, 64)
		b = append(b, `,"on":`...)
		b = strconv.AppendBool(b, a.On)
		if a.Where.Known() {
			b = appendWhere(b, &a.Where)
		}
		b = append(b, '}')
	}
	return append(b, "]}\n"...)
}

// appendWhere appends the key that says where a label was seen.
func appendWhere(b []byte, w *Where) []byte {
	b = appendInts(append(b, `,"where":{"peak":{"xy":`...), w.Peak.X, w.Peak.Y)
	b = strconv.AppendFloat(append(b, `,"p":`...), float64(w.Peak.P), 'f', 4, 64)
	b = append(b, `},"boxes":[`...)
	for i, box := range w.Boxes {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInts(append(b, `{"xywh":`...), box.Min.X, box.Min.Y, box.Dx(), box.Dy())
		b = strconv.AppendFloat(append(b, `,"p":`...), float64(box.P), 'f', 4, 64)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// appendInts appends an array.
func appendInts(b []byte, v ...int) []byte {
	b = append(b, '[')
	for i, n := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
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
