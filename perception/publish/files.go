package publish

import (
	"errors"

	"perceive/perception"
)

// files writes JSON Lines to a series of files that each start with the header. Every line is
// written by itself, so what a crash of the program leaves is whole lines; a crash of the
// machine may cut the last.
//
// On a full disk, and after any error, the part of a line that was written is cut off, and
// the queue tries again: writing goes on when there is room.
//
// All lines of a file are of its header's model: another model begins another file.
type files struct {
	*series
	head *heading
}

// NewFiles makes an output that writes JSON Lines to PREFIX-000001.jsonl and so on. An earlier
// run's files stay; numbers go on after them.
func NewFiles(f FileOptions, h perception.Header, o Options) (*Queue, error) {
	s, err := newSeries(f, ".jsonl")
	if err != nil {
		return nil, err
	}
	head, err := newHeading(h)
	if err != nil {
		return nil, err
	}
	return NewQueue(&files{s, head}, h, o)
}

// Write implements Writer.
func (f *files) Write(line []byte, m *Meta) error {
	full := f.whole > int64(len(f.head.line)) && f.whole+int64(len(line)) > f.MaxBytes
	if f.file != nil && (f.damaged || full || m.newer(f.head.n)) {
		// What a disk refuses at closing is in the file already, or lost with the machine.
		if err := f.close(); err != nil {
			return err
		}
	}
	if f.file == nil {
		if m.newer(f.head.n) {
			f.head = m.head
		}
		if err := f.next(); err != nil {
			return err
		}
		if _, err := f.series.Write(f.head.line); err != nil {
			return errors.Join(err, f.close())
		}
	}
	_, err := f.series.Write(line)
	return err
}

// Close implements Writer.
func (f *files) Close() error { return f.close() }
