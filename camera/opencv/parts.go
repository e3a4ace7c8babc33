//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// maxPart bounds a part of a stream; a 4K picture of the best quality has less than half.
	maxPart = 32 << 20
	// maxHeader bounds the lines of a part's header.
	maxHeader = 64
)

var (
	errPartTooLong = fmt.Errorf("a part of the stream is longer than %d MiB", maxPart>>20)
	errHeader      = errors.New("a part of the stream has a header that is none")
	errNoBoundary  = fmt.Errorf("the stream's boundary does not come within %d MiB", maxPart>>20)
)

// parts cuts a multipart body (RFC 2046 section 5.1) into its parts, as MJPEG cameras send them.
// mime/multipart makes a reader, a header and a map for every part; this holds one
// buffer, which grows to the largest part.
//
// It is as lenient as cameras need: lines may end without a carriage return, the boundary
// may be declared with its two hyphens, and a Content-Length that is wrong costs a part or two.
type parts struct {
	in       *bufio.Reader
	boundary []byte // with the two hyphens
	buf      []byte
	// inside is true behind a boundary line, where the next header starts.
	inside bool
}

// part is one part; its body stays until the next call.
type part struct {
	body  []byte
	stamp time.Duration // X-Timestamp, since 1970
	timed bool          // there was one
}

func newParts(in io.Reader, boundary string) *parts {
	return &parts{in: bufio.NewReaderSize(in, 1<<16), boundary: []byte("--" + strings.TrimPrefix(boundary, "--")), buf: make([]byte, 0, 1<<18)}
}

// next returns the next part. io.EOF is the end that the sender declared; a stream that
// breaks off is io.ErrUnexpectedEOF.
func (p *parts) next() (part, error) {
	var out part
	if !p.inside {
		if err := p.skip(); err != nil {
			return out, early(err)
		}
	}
	p.inside = false
	length, err := p.header(&out)
	if err != nil {
		return out, early(err)
	}
	p.buf = p.buf[:0]
	if length >= 0 {
		err = p.exactly(length)
	} else {
		err = p.scan()
	}
	out.body = p.buf
	return out, early(err)
}

// errLast marks the boundary behind the last part.
var errLast = errors.New("last boundary")

// early tells the end that the sender declared from the one that it did not.
func early(err error) error {
	switch {
	case errors.Is(err, errLast):
		return io.EOF
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// line reads to the end of a line, or as much of it as the reader's buffer holds; whole says which.
func (p *parts) line() (text []byte, whole bool, err error) {
	text, err = p.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return text, false, nil
	}
	return text, true, err
}

// delimits is whether a line is a boundary, and whether it is the last one.
func (p *parts) delimits(line []byte) (is, last bool) {
	rest, ok := bytes.CutPrefix(line, p.boundary)
	if !ok {
		return false, false
	}
	rest = bytes.TrimRight(rest, " \t\r\n")
	return len(rest) == 0 || string(rest) == "--", string(rest) == "--"
}

// skip reads past the next boundary.
func (p *parts) skip() error {
	start := true // of a line
	for n := 0; n <= maxPart; {
		text, whole, err := p.line()
		if is, last := p.delimits(text); start && is && (err == nil || last) {
			if last {
				return errLast
			}
			return nil
		}
		if err != nil {
			return err
		}
		start = whole
		n += len(text)
	}
	return errNoBoundary
}

// header reads to the empty line. length is -1 where the sender does not say it.
func (p *parts) header(out *part) (length int, err error) {
	length = -1
	for range maxHeader {
		text, whole, err := p.line()
		if err != nil {
			return 0, err
		}
		if !whole {
			return 0, errHeader
		}
		text = bytes.TrimRight(text, " \t\r\n")
		if len(text) == 0 {
			return length, nil
		}
		key, value, ok := bytes.Cut(text, []byte(":"))
		if !ok {
			continue // some cameras write their greeting here
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(key, []byte("Content-Length")):
			n, ok := digits(value)
			if ok && n > maxPart {
				return 0, errPartTooLong
			}
			if ok && n > 0 {
				length = int(n)
			}
		case bytes.EqualFold(key, []byte("X-Timestamp")):
			out.stamp, out.timed = parseStamp(value)
		}
	}
	return 0, errHeader
}

// exactly reads a body whose length is known.
func (p *parts) exactly(n int) error {
	if cap(p.buf) < n {
		p.buf = make([]byte, 0, max(n, 2*cap(p.buf)))
	}
	p.buf = p.buf[:n]
	_, err := io.ReadFull(p.in, p.buf)
	return err
}

// scan reads a body up to the line that is the next boundary. The line break before it
// belongs to the boundary.
func (p *parts) scan() error {
	start := true
	for {
		text, whole, err := p.line()
		if is, last := p.delimits(text); start && is && (err == nil || last) {
			p.buf = bytes.TrimSuffix(p.buf, []byte("\n"))
			p.buf = bytes.TrimSuffix(p.buf, []byte("\r"))
			if last && len(p.buf) == 0 {
				return errLast
			}
			if last { // hand out this part first: the next call meets the end of the body
				p.in.Reset(ended{})
				return nil
			}
			p.inside = true
			return nil
		}
		if err != nil {
			return err
		}
		if len(p.buf)+len(text) > maxPart {
			return errPartTooLong
		}
		p.buf = append(p.buf, text...)
		start = whole
	}
}

// ended is a body behind its last boundary.
type ended struct{}

func (ended) Read([]byte) (int, error) { return 0, errLast }

// digits reads decimal digits; false if there are none, others, or too many.
func digits(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// milliseconds1973 is 10¹¹: as milliseconds the spring of 1973, as seconds the year 5138.
const milliseconds1973 = 100_000_000_000

// parseStamp reads a time since 1970: seconds with a fraction ("1700000000.25"), or
// milliseconds where the number is 10¹¹ or more.
func parseStamp(b []byte) (time.Duration, bool) {
	whole, fraction, _ := bytes.Cut(b, []byte("."))
	n, ok := digits(whole)
	if !ok {
		return 0, false
	}
	unit := int64(time.Second)
	if n >= milliseconds1973 {
		unit = int64(time.Millisecond)
	}
	if n > int64(1<<63-1)/unit-1 {
		return 0, false
	}
	at := n * unit
	for _, c := range fraction {
		if c < '0' || c > '9' {
			return 0, false
		}
		unit /= 10
		at += int64(c-'0') * unit
	}
	return time.Duration(at), true
}
