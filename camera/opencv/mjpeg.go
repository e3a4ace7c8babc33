//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// mjpegFPS stamps frames that have no time of their own, as FFmpeg does.
const mjpegFPS = 25

// mjpeg reads a file of JPEG pictures one behind the other, as cheap cameras record
// them. FFmpeg reads such files too, but where a picture has another size than the first
// OpenCV 4.6 delivers the one before it again, as if it were new: so they are read here,
// each picture at its own size.
type mjpeg struct {
	info   camera.Info
	file   *os.File
	split  *splitter
	pool   *pool
	seq    uint64
	period time.Duration
	good   bool // one frame was decoded
	end    error
}

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
	m := &mjpeg{
		file: f, split: newSplitter(f), pool: newPool(o.buffers()),
		period: time.Duration(float64(time.Second) / fps),
		info:   camera.Info{URI: path, Kind: "video", FPS: fps, Backend: "JPEG stream through OpenCV " + gocv.OpenCVVersion()},
	}
	if cfg, err := jpeg.DecodeConfig(bytes.NewReader(m.split.peek())); err == nil {
		m.info.Width, m.info.Height = cfg.Width, cfg.Height
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
	data, err := m.split.next()
	if err != nil && !errors.Is(err, errDamaged) {
		m.pool.put(s)
		m.finish(err)
		return nil, m.end
	}
	seq, at := m.seq, time.Duration(m.seq)*m.period
	m.seq++
	if err == nil {
		err = s.decode(data)
	}
	if err != nil {
		m.pool.put(s)
		return nil, &camera.FrameError{Seq: seq, Time: at, Name: fmt.Sprintf("%s at %v", m.info.URI, at.Round(time.Millisecond)), Err: err}
	}
	m.good = true
	s.frame.Seq, s.frame.Time, s.frame.Captured = seq, at, time.Now()
	return s.frame, nil
}

// finish makes err the end of the stream.
func (m *mjpeg) finish(err error) {
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		err = path.Err // the path is in the prefix
	case errors.Is(err, io.EOF) && m.good:
		m.end = io.EOF
		return
	case errors.Is(err, io.EOF):
		err = errNoPicture
	}
	m.end = fmt.Errorf("opencv: video %s: after %d frames: %w", m.info.URI, m.seq, err)
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
