//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// mjpeg reads a file of JPEG pictures one behind the other, as cheap cameras record
// them. FFmpeg reads such files too, but where a picture has another size than the first
// OpenCV 4.6 delivers the one before it again, as if it were new: so they are read here,
// each picture at its own size.
type mjpeg struct {
	info camera.Info
	file *os.File
	in   *bufio.Reader
	pool *pool
	buf  []byte
	// inMarker: the 0xff of the next marker is in buf already.
	inMarker bool
	seq      uint64
	period   time.Duration
	end      error
}

const (
	// mjpegFPS stamps frames that have no time of their own, as FFmpeg does.
	mjpegFPS = 25
	// maxPicture bounds one picture of a stream.
	maxPicture = 64 << 20
)

var (
	errNoMarker  = errors.New("its JPEG markers are damaged")
	errPictureTo = fmt.Errorf("a picture of more than %d MiB", maxPicture>>20)
)

// openMJPEG opens a file that begins with a JPEG picture.
func (o Options) openMJPEG(path string) (*mjpeg, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	fps := o.FPS
	if fps == 0 {
		fps = mjpegFPS
	}
	m := &mjpeg{file: f, in: bufio.NewReaderSize(f, 256<<10), pool: newPool(o.buffers()), period: time.Duration(float64(time.Second) / fps),
		info: camera.Info{URI: path, Kind: "video", FPS: fps, Backend: "JPEG stream through OpenCV " + gocv.OpenCVVersion()}}
	if head, _ := m.in.Peek(256 << 10); len(head) > 0 {
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(head)); err == nil {
			m.info.Width, m.info.Height = cfg.Width, cfg.Height
		}
	}
	return m, nil
}

func (m *mjpeg) Info() camera.Info { return m.info }

// Next implements camera.Source.
func (m *mjpeg) Next(ctx context.Context) (*camera.Frame, error) {
	if m.end != nil {
		return nil, m.end
	}
	s, err := m.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	err = m.picture()
	if err != nil && !errors.Is(err, errNoMarker) {
		m.pool.put(s)
		m.end = io.EOF
		if !errors.Is(err, io.EOF) {
			m.end = fmt.Errorf("opencv: video %s: after %d frames: %w", m.info.URI, m.seq, err)
		}
		return nil, m.end
	}
	seq, at := m.seq, time.Duration(m.seq)*m.period
	m.seq++
	if err == nil {
		s.mat.Close()
		s.mat = gocv.NewMat()
		if err = decode(m.buf, &s.mat); err == nil {
			err = s.show()
		}
	}
	if err != nil {
		m.pool.put(s)
		return nil, &camera.FrameError{Seq: seq, Time: at, Name: fmt.Sprintf("%s at %v", m.info.URI, at.Round(time.Millisecond)), Err: err}
	}
	s.frame.Seq, s.frame.Time, s.frame.Captured = seq, at, time.Now()
	return s.frame, nil
}

// picture reads the next picture, from its start to its end marker, into buf. It is
// errNoMarker for bytes that are no picture; the stream then stands at the next one.
func (m *mjpeg) picture() error {
	m.buf = m.buf[:0]
	start, err := m.in.Peek(2)
	if len(start) == 0 {
		return io.EOF
	}
	if err != nil || start[0] != 0xff || start[1] != jpegSOI {
		return m.resync()
	}
	if err := m.take(2); err != nil {
		return err
	}
	for {
		marker, err := m.marker()
		if err != nil {
			return err
		}
		switch {
		case marker == jpegEOI:
			return nil
		case marker >= jpegRST0 && marker <= jpegRST7, marker == jpegTEM: // these have no length
		default:
			if err := m.segment(); err != nil {
				return err
			}
		}
		if marker == jpegSOS {
			if err := m.scan(); err != nil {
				return err
			}
		}
	}
}

// Markers that only a stream meets, beside those of jpeg.go.
const (
	jpegSOI = 0xd8
	jpegTEM = 0x01
)

// take moves n bytes of the file to buf.
func (m *mjpeg) take(n int) error {
	if len(m.buf)+n > maxPicture {
		return errPictureTo
	}
	at := len(m.buf)
	m.buf = append(m.buf, make([]byte, n)...)
	if _, err := io.ReadFull(m.in, m.buf[at:]); err != nil {
		return fmt.Errorf("%w: its last picture has no end", camera.ErrTruncated)
	}
	return nil
}

// marker takes a marker: any number of 0xff, and the code.
func (m *mjpeg) marker() (byte, error) {
	if !m.inMarker {
		if err := m.take(1); err != nil {
			return 0, err
		}
		if m.buf[len(m.buf)-1] != 0xff {
			return 0, m.resync()
		}
	}
	m.inMarker = false
	for {
		if err := m.take(1); err != nil {
			return 0, err
		}
		if code := m.buf[len(m.buf)-1]; code != 0xff {
			return code, nil
		}
	}
}

// segment takes what follows a marker: two bytes of length, which count themselves.
func (m *mjpeg) segment() error {
	if err := m.take(2); err != nil {
		return err
	}
	n := int(m.buf[len(m.buf)-2])<<8 | int(m.buf[len(m.buf)-1])
	if n < 2 {
		return m.resync()
	}
	return m.take(n - 2)
}

// scan takes coded pixels up to the marker behind them: 0xff in them is followed by 0, or
// is a restart marker.
func (m *mjpeg) scan() error {
	for {
		chunk, err := m.in.ReadSlice(0xff)
		m.buf = append(m.buf, chunk...)
		if len(m.buf) > maxPicture {
			return errPictureTo
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		next, perr := m.in.Peek(1)
		if err != nil || perr != nil {
			return fmt.Errorf("%w: its last picture has no end", camera.ErrTruncated)
		}
		if c := next[0]; c != 0 && (c < jpegRST0 || c > jpegRST7) {
			m.inMarker = true // its 0xff is taken
			return nil
		}
	}
}

// resync goes to the next start of a picture, or to the end.
func (m *mjpeg) resync() error {
	for {
		head, err := m.in.Peek(3)
		if err != nil {
			m.in.Discard(len(head))
			return errNoMarker
		}
		if head[0] == 0xff && head[1] == jpegSOI && head[2] == 0xff {
			return errNoMarker
		}
		m.in.Discard(1)
	}
}

// Close implements camera.Source. Frames that are still lent stay readable until their
// Release.
func (m *mjpeg) Close() error {
	if m.file == nil {
		return nil
	}
	m.pool.close()
	m.end = fmt.Errorf("opencv: video %s: %w", m.info.URI, errClosed)
	err := m.file.Close()
	m.file = nil
	return err
}
