//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
	"perceive/internal/mcap"
)

// mcapStep is how far behind the last frame one is stamped whose time does not grow: the wall
// clock of a recording can be set back.
const mcapStep = time.Millisecond

// recording reads the pictures of one camera in an MCAP file.
type recording struct {
	info camera.Info
	path string
	file *os.File
	pool *pool

	next func() (*mcap.Message, bool)
	stop func()
	read func() error // what the messages ended with

	seq   uint64
	first time.Time
	last  time.Duration
	end   error
}

// OpenMCAP opens the pictures of one camera in an MCAP recording, as the daemon makes them:
// messages of the type foxglove.CompressedImage in JSON. The name may be empty where the file has one
// camera; with several the error wraps ErrCamera and lists them. The file is read once to see
// what it holds, and a second time by Next.
//
// Frame.Time is the time since the first picture by the recording's clock, always growing. A picture
// that cannot be decoded is a *camera.FrameError. A file that a crash cut short ends with io.EOF behind its last whole
// chunk, and Info.Note says so; a damaged one ends with an error that names the byte.
func (o Options) OpenMCAP(path, name string) (camera.Source, error) {
	src, err := o.openMCAP(path, name)
	if err != nil {
		return nil, fmt.Errorf("opencv: recording %s: %w", path, err)
	}
	return src, nil
}

func (o Options) openMCAP(path, name string) (_ *recording, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	cameras, end := scan(f)
	if len(cameras) == 0 && end != nil {
		return nil, end
	}
	if name, err = choose(cameras, name); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Unwrap(err)
	}
	has := cameras[name]
	r := &recording{path: path, file: f, pool: newPool(o.buffers()), first: has.first, last: -mcapStep}
	r.next, r.stop, r.read = pictures(f, name)
	r.info = camera.Info{URI: path, Kind: "mcap", Width: has.width, Height: has.height, Frames: has.frames,
		Backend: "pictures of MCAP through OpenCV " + gocv.OpenCVVersion()}
	if len(cameras) > 1 {
		r.info.URI += "?camera=" + url.QueryEscape(name)
	}
	if took := has.last.Sub(has.first).Seconds(); took > 0 {
		r.info.FPS = min(float64(has.frames-1)/took, maxFPS)
	}
	if errors.Is(end, mcap.ErrTruncated) {
		r.info.Note = end.Error()
	}
	return r, nil
}

func (r *recording) Info() camera.Info { return r.info }

// Next implements camera.Source.
func (r *recording) Next(ctx context.Context) (*camera.Frame, error) {
	if r.end != nil {
		return nil, r.end
	}
	s, err := r.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	m, ok := r.next()
	if !ok {
		r.pool.put(s)
		r.finish()
		return nil, r.end
	}
	seq := r.seq
	r.seq++
	r.last = max(m.Published.Sub(r.first), r.last+mcapStep)
	data, err := pictureOf(m.Data)
	if err == nil {
		err = s.decode(data)
	}
	if err != nil {
		r.pool.put(s)
		return nil, &camera.FrameError{Seq: seq, Time: r.last, Name: fmt.Sprintf("%s at %v", r.path, r.last.Round(time.Millisecond)), Err: err}
	}
	f := s.frame
	f.Seq, f.Time, f.Captured, f.Stamp, f.Clock = seq, r.last, time.Now(), r.last, camera.ContainerClock
	return f, nil
}

// finish makes of how the messages ended how the source does.
func (r *recording) finish() {
	switch err := r.read(); {
	case err == nil, errors.Is(err, mcap.ErrTruncated):
		r.end = io.EOF
	default:
		r.end = fmt.Errorf("opencv: recording %s: after %d frames: %w", r.path, r.seq, err)
	}
}

// Close implements camera.Source. Frames that are still lent stay readable until their Release.
func (r *recording) Close() error {
	if r.file == nil {
		return nil
	}
	r.stop()
	r.pool.close()
	r.end = fmt.Errorf("opencv: recording %s: %w", r.path, errClosed)
	err := r.file.Close()
	r.file = nil
	return err
}
