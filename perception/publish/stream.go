package publish

import (
	"fmt"
	"io"

	"perceive/perception"
)

// stream writes lines to something that is not ours to close, such as the standard output.
type stream struct {
	w     io.Writer
	first []byte // what comes before the next line: the header, or what was missed of it; else nil
	told  int    // the heading that was written
	part  int    // of what comes again after an error, so much is written
}

// NewStream makes an output that writes the header and the lines to w.
func NewStream(w io.Writer, h perception.Header, o Options) (*Queue, error) {
	head, err := newHeading(h)
	if err != nil {
		return nil, err
	}
	return NewQueue(&stream{w: w, first: head.line}, h, o)
}

func (s *stream) Write(line []byte, m *Meta) error {
	s.first = append(s.first, m.missed(&s.told)...)
	if len(s.first) > 0 {
		if err := s.rest(s.first); err != nil {
			return err
		}
		s.first = nil
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
	if len(s.first) == 0 {
		return nil
	}
	return s.rest(s.first)
}
