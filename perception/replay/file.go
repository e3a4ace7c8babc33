package replay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"time"

	"perceive/camera"
	"perceive/perception"
	"perceive/perception/record"
)

// File is a sink that writes a replay's lines and hashes them. Until it is finished its name ends
// in Part: a recording under its own name is whole.
type File struct {
	path  string
	w     io.Writer
	file  *os.File // nil if w is not a file of ours
	lines *perception.Encoder
	hash  hash.Hash
	buf   []byte
	last  time.Time

	kept []perception.Result // that an earlier run had written
	why  string              // nothing was kept of what was there
}

// Part is the end of the name of a recording that is being written.
const Part = ".part"

const (
	bufferBytes = 32 << 10
	flushEvery  = 500 * time.Millisecond
)

// Discard hashes the lines and keeps none.
func Discard(h perception.Header) (*File, error) { return NewFile(io.Discard, h) }

// NewFile writes header and results to w.
func NewFile(w io.Writer, h perception.Header) (*File, error) {
	head, err := headerLine(h)
	if err != nil {
		return nil, err
	}
	f := &File{w: w, hash: sha256.New(), last: time.Now()}
	if f.lines, err = perception.NewEncoder(h); err != nil {
		return nil, err
	}
	_, err = f.w.Write(head)
	return f, wrap(err)
}

// Create starts a recording, or goes on with one that a crash or an interrupt left behind: its
// whole lines are kept if its header is this one.
func Create(path string, h perception.Header) (*File, error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, wrap(err)
		}
		f, err := NewFile(w, h)
		if err != nil {
			w.Close()
			return nil, err
		}
		f.file = w // a device or a pipe: it has its name
		return f, nil
	}
	f := &File{path: path, hash: sha256.New(), last: time.Now()}
	var err error
	if f.lines, err = perception.NewEncoder(h); err != nil {
		return nil, err
	}
	if f.file, err = os.OpenFile(path+Part, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, wrap(err)
	}
	f.w = f.file
	if err := f.resume(h); err != nil {
		f.file.Close()
		return nil, wrap(err)
	}
	return f, nil
}

// resume keeps what is there, as far as it is whole and of this header, and cuts off the rest.
func (f *File) resume(h perception.Header) error {
	head, err := headerLine(h)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(f.file)
	if err != nil {
		return err
	}
	whole := 0
	switch {
	case bytes.HasPrefix(text, head):
		whole = len(head) + f.keep(h, text[len(head):])
	case bytes.IndexByte(text, '\n') >= 0:
		f.why = "it was begun with another model, drive, library or setting"
	}
	if whole == 0 {
		if err := f.file.Truncate(0); err != nil {
			return err
		}
		_, err := f.file.WriteAt(head, 0)
		whole = len(head)
		if err != nil {
			return err
		}
	}
	if err := f.file.Truncate(int64(whole)); err != nil {
		return err
	}
	_, err = f.file.Seek(int64(whole), io.SeekStart)
	return err
}

// keep takes over whole lines up to the first that is not the next frame's, and returns their
// length in bytes.
func (f *File) keep(h perception.Header, text []byte) int {
	n := 0
	for {
		end := bytes.IndexByte(text[n:], '\n')
		if end < 0 {
			return n
		}
		e, err := record.Parse(&h, text[n:n+end])
		if err != nil || e.Result == nil || e.Result.Seq != uint64(len(f.kept)) {
			return n
		}
		f.kept = append(f.kept, *e.Result)
		f.hash.Write(text[n : n+end+1])
		n += end + 1
	}
}

// Resumed is how many frames were there already.
func (f *File) Resumed() int { return len(f.kept) }

// Restarted says why nothing was kept of what an earlier run had written, or nothing.
func (f *File) Restarted() string { return f.why }

// Known is the Pipeline's: the answers of frames that are there already.
func (f *File) Known(r *perception.Result) bool {
	if r.Seq >= uint64(len(f.kept)) {
		return false
	}
	k := &f.kept[r.Seq]
	r.Status, r.Reason = k.Status, k.Reason
	r.Answers = append(r.Answers[:0], k.Answers...)
	return true
}

// Emit implements perception.Sink. It allocates nothing once warm.
func (f *File) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	if r.Seq < uint64(len(f.kept)) {
		if k := &f.kept[r.Seq]; k.Status != r.Status {
			return fmt.Errorf("replay: frame %d was %s and is %s now: remove %s to start again", r.Seq, k.Status, r.Status, f.path+Part)
		}
		return nil
	}
	from := len(f.buf)
	f.buf = f.lines.Append(f.buf, r)
	f.hash.Write(f.buf[from:])
	if len(f.buf) < bufferBytes && time.Since(f.last) < flushEvery {
		return nil
	}
	return f.flush()
}

func (f *File) flush() error {
	f.last = time.Now()
	_, err := f.w.Write(f.buf)
	f.buf = f.buf[:0]
	return wrap(err)
}

// Hash is the SHA-256 of all frame lines so far, in hex.
func (f *File) Hash() string { return hex.EncodeToString(f.hash.Sum(nil)) }

// Close writes what is buffered. The name stays that of an unfinished recording.
func (f *File) Close() error {
	err := f.flush()
	if f.file != nil {
		err = errors.Join(err, wrap(f.file.Close()))
		f.file = nil
	}
	return err
}

// Finish closes a recording that is whole and gives it its name.
func (f *File) Finish() error {
	if err := f.Close(); err != nil || f.path == "" {
		return err
	}
	return wrap(os.Rename(f.path+Part, f.path))
}

// headerLine is the first line of a recording.
func headerLine(h perception.Header) ([]byte, error) {
	text, err := json.Marshal(h)
	return append(slices.Clip(text), '\n'), wrap(err)
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}

// Name is the file's while it is written, empty if there is none.
func (f *File) Name() string {
	if f.path == "" {
		return ""
	}
	return f.path + Part
}
