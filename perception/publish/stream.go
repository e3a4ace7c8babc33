package publish

import (
	"fmt"
	"io"

	"perceive/perception"
)

// stream writes lines to something that is not ours to close, such as the standard output.
type stream struct {
	w      io.Writer
	header []byte
	part   int // of the line (or header) that comes again after an error, so much is written
}

// NewStream makes an output that writes the header and the lines to w.
func NewStream(w io.Writer, h perception.Header, o Options) (*Queue, error) {
	header, err := headerLine(h)
	if err != nil {
		return nil, err
	}
	return NewQueue(&stream{w: w, header: header}, h, o)
}

func (s *stream) Write(line []byte, _ *Meta) error {
	if s.header != nil {
		if err := s.rest(s.header); err != nil {
			return err
		}
		s.header = nil
	}
	return s.rest(line)
}

// rest writes what is not written yet of a line.
func (s *stream) rest(line []byte) error {
	n, err := s.w.Write(line[s.part:])
	if err != nil {
		s.part += n
		return fmt.Errorf("publish: %w", err)
	}
	s.part = 0
	return nil
}

// Close implements Writer. Where no line came there is still a header.
func (s *stream) Close() error {
	if s.header == nil {
		return nil
	}
	return s.rest(s.header)
}
