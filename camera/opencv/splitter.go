//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"perceive/camera"
)

const (
	// maxPicture bounds one picture of a stream, and with it the memory of a splitter.
	maxPicture = 64 << 20
	// minPicture is less than any JPEG has: its tables alone are longer.
	minPicture = 100
)

// Markers that only a stream meets, beside those of jpeg.go.
const (
	jpegSOI             = 0xd8
	jpegDRI             = 0xdd
	jpegAPP0, jpegAPP15 = 0xe0, 0xef
	jpegCOM             = 0xfe
)

var errTooLong = fmt.Errorf("a picture that does not end within %d MiB", maxPicture>>20)

// splitter cuts a stream of JPEG pictures into pictures. It walks their markers, so that
// the small picture in the header of a larger one (a thumbnail) is no frame. It
// holds one picture at a time, in a window that grows to the largest.
type splitter struct {
	in       io.Reader
	buf      []byte
	from, to int   // the window is buf[from:to]
	picture  int   // length of the picture at its front that was handed out
	err      error // why nothing more can be read: io.EOF, or a failure
}

func newSplitter(in io.Reader) *splitter { return &splitter{in: in, buf: make([]byte, 1<<18)} }

// next returns the bytes of the next picture; they stay until the next call. The error
// is errDamaged for a picture whose markers are not in order (the next call goes on behind
// it), and otherwise the end: io.EOF, camera.ErrTruncated or what the file says.
//
// Bytes between pictures are passed over: recorders pad, and servers write headers.
func (s *splitter) next() ([]byte, error) {
	s.from += s.picture
	s.picture = 0
	if err := s.seek(); err != nil {
		return nil, err
	}
	n, err := s.walk()
	if err != nil && !errors.Is(err, errDamaged) {
		return nil, err
	}
	s.picture = n
	return s.window()[:n], err
}

// peek returns the first bytes of the stream, enough for the header of a picture.
func (s *splitter) peek() []byte {
	s.has(len(s.buf))
	return s.window()
}

func (s *splitter) window() []byte { return s.buf[s.from:s.to] }

// has reports whether the window holds n bytes, and reads them if it can.
func (s *splitter) has(n int) bool {
	for s.to-s.from < n && s.err == nil {
		if s.to == len(s.buf) && !s.room() {
			return false
		}
		var k int
		k, s.err = s.in.Read(s.buf[s.to:])
		s.to += k
	}
	return s.to-s.from >= n
}

// room makes space behind the window.
func (s *splitter) room() bool {
	old := s.window()
	switch {
	case s.from > 0:
	case len(s.buf) >= maxPicture:
		s.err = errTooLong
		return false
	default:
		s.buf = make([]byte, 2*len(s.buf))
	}
	s.from, s.to = 0, copy(s.buf, old)
	return true
}

// find returns where the next 0xff and a byte behind it are, from at on; false at the end.
func (s *splitter) find(at int) (int, bool) {
	for s.has(at + 2) {
		if i := bytes.IndexByte(s.window()[at:], 0xff); i >= 0 {
			return at + i, s.has(at + i + 2)
		}
		at = len(s.window())
	}
	return at, false
}

// seek moves the window to the start of a picture. It is errDamaged when it passes the end of
// a picture that has no start.
func (s *splitter) seek() error {
	for skipped := 0; s.has(2); {
		w := s.window()
		at := bytes.IndexByte(w[:len(w)-1], 0xff)
		if at < 0 {
			at = len(w) - 1
		}
		s.from += at
		skipped += at
		switch w = w[at:]; {
		case len(w) < 2 || w[0] != 0xff:
			continue
		case w[1] == jpegSOI && s.has(3) && s.window()[2] == 0xff:
			return nil
		case w[1] == jpegEOI && skipped >= minPicture:
			s.from += 2
			return errDamaged
		}
		s.from++
		skipped++
	}
	return s.end(io.EOF)
}

// walk returns the length of the picture at the front of the window.
func (s *splitter) walk() (n int, err error) {
	scanned, pixels := false, false // a scan was met; at is among its pixels
	for at := 2; s.has(at + 2); {
		w := s.window()
		if w[at] != 0xff {
			if !pixels {
				return s.salvage(at)
			}
			var ok bool
			if at, ok = s.find(at); !ok {
				break
			}
			w = s.window()
		}
		code := w[at+1]
		switch {
		case code == 0xff: // any number of them may stand before a marker
			at++
		case code == jpegEOI:
			return at + 2, nil
		case code == jpegSOI: // the rest of this one is missing, here is the next
			return at, errDamaged
		case code == 0 && pixels, code >= jpegRST0 && code <= jpegRST7 && pixels:
			at += 2
		case code < jpegSOF0, code >= jpegRST0 && code <= jpegRST7, scanned && !betweenScans(code):
			return s.salvage(at + 2)
		default:
			if !s.has(at + 4) {
				return s.salvage(at + 2)
			}
			length := int(binary.BigEndian.Uint16(s.window()[at+2:]))
			behind := at + 2 + length
			pixels = code == jpegSOS
			scanned = scanned || pixels
			// A length that is wrong would take the next pictures along.
			if length < 2 || !s.has(behind+1) || !pixels && s.window()[behind] != 0xff {
				return s.salvage(at + 2)
			}
			at = behind
		}
	}
	return 0, s.end(errNoEnd)
}

var errNoEnd = fmt.Errorf("%w: its last picture has no end", camera.ErrTruncated)

// betweenScans are the segments that may follow pixels: tables, the next scan, the number
// of lines, what applications put there and comments.
func betweenScans(code byte) bool {
	return code == jpegDHT || code == jpegDAC || code >= jpegSOS && code <= jpegDRI || code >= jpegAPP0 && code <= jpegAPP15 || code == jpegCOM
}

// salvage looks for the end of a picture whose markers cannot be trusted from at on: an end
// marker, or the start of the next picture, wherever they stand.
func (s *splitter) salvage(at int) (n int, err error) {
	for {
		var ok bool
		if at, ok = s.find(at); !ok {
			return 0, s.end(errNoEnd)
		}
		switch s.window()[at+1] {
		case jpegEOI:
			return at + 2, errDamaged
		case jpegSOI:
			if s.has(at+3) && s.window()[at+2] == 0xff {
				return at, errDamaged
			}
		}
		at++
	}
}

// end is what the stream ends with: ordinary, or what the file said.
func (s *splitter) end(ordinary error) error {
	if errors.Is(s.err, io.EOF) {
		return ordinary
	}
	return s.err
}
