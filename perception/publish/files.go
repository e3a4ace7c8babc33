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
type files struct {
	*series
	header []byte
}

// NewFiles makes an output that writes JSON Lines to PREFIX-000001.jsonl and so on. An earlier
// run's files stay; numbers go on after them.
func NewFiles(f FileOptions, h perception.Header, o Options) (*Queue, error) {
	s, err := newSeries(f, ".jsonl")
	if err != nil {
		return nil, err
	}
	header, err := headerLine(h)
	if err != nil {
		return nil, err
	}
	return NewQueue(&files{s, header}, h, o)
}

// Write implements Writer.
func (f *files) Write(line []byte, _ *Meta) error {
	if f.file != nil && (f.damaged || f.whole > int64(len(f.header)) && f.whole+int64(len(line)) > f.MaxBytes) {
		// What a disk refuses at closing is in the file already, or lost with the machine.
		if err := f.close(); err != nil {
			return err
		}
	}
	if f.file == nil {
		if err := f.next(); err != nil {
			return err
		}
		if _, err := f.series.Write(f.header); err != nil {
			return errors.Join(err, f.close())
		}
	}
	_, err := f.series.Write(line)
	return err
}

// Close implements Writer.
func (f *files) Close() error { return f.close() }
