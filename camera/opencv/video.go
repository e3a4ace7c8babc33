//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// Reasons why a file is not a video, beside ErrEmpty and camera.ErrTruncated.
var (
	ErrNotVideo  = errors.New("not a video that FFmpeg can read")
	errClosed    = errors.New("source is closed")
	errDamaged   = errors.New("damaged in the recording")
	errNoPicture = errors.New("none of its frames can be decoded")
)

// lookAhead is how many frames in a row may fail before they count as the end.
// FFmpeg says the same "no" to a damaged frame and to the end of the file, and
// a damaged stretch ends at the next key frame: mostly within 10 seconds.
const lookAhead = 300

// video reads a file through OpenCV's FFmpeg back end.
type video struct {
	info   camera.Info
	cap    *gocv.VideoCapture
	pool   *pool
	period time.Duration // of one frame, 1/FPS
	cut    error         // what the container's structure says about the end

	seq  uint64
	time time.Duration // of the frame delivered last
	good bool          // one frame was decoded
	end  error         // io.EOF or ErrTruncated, for ever

	// lost counts reads that failed. They are reported once a good frame, ahead,
	// shows that they were damaged frames and not the end.
	lost      int
	ahead     *slot
	aheadTime time.Duration
}

// OpenVideo opens a video file with the zero Options.
func OpenVideo(path string) (camera.Source, error) { return Options{}.OpenVideo(path) }

// OpenVideo opens a video file: whatever FFmpeg reads, the first video stream.
//
// Frames are views of the decoder's output (nothing is copied in Go, and nothing
// allocated once warm), and Options.Buffers of them exist: when all are lent, Next waits
// for a Release or for ctx. A read itself happens in C and cannot be cancelled.
//
// Frame.Time is the container's presentation time. The last frames of a stream
// with B-frames, and streams without times, have none: they go on from the
// frame before by 1/FPS. Time always grows.
//
// A frame that cannot be decoded is a *camera.FrameError, and reading goes on. A
// file that its own structure says is cut short ends with an error that wraps
// camera.ErrTruncated, after the last good frame. Rotation in the metadata is applied.
//
// In a stream of JPEG pictures (.mjpeg), width and height can change from frame to
// frame; it has no times of its own and is stamped at Options.FPS. A change of size inside
// any other stream goes unseen: with OpenCV 4.6 and FFmpeg 5.1 the frames behind it keep the
// size of the first and show pixels of old and new ones mixed, without an error (4.7 to
// 4.12 are reported to keep the size too). Cut such a recording where it changes.
func (o Options) OpenVideo(path string) (camera.Source, error) {
	src, err := o.openRecording(path)
	if err != nil {
		return nil, fmt.Errorf("opencv: video %s: %w", path, err)
	}
	return src, nil
}

// openRecording looks at the file before it decides who reads it.
func (o Options) openRecording(path string) (camera.Source, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	cut, pictures, err := inspect(path)
	if err != nil {
		return nil, err
	}
	if pictures {
		return o.openMJPEG(path)
	}
	return o.openVideo(path, cut)
}

func (o Options) openVideo(path string, cut error) (_ *video, err error) {
	// "file:" keeps a colon in a relative path from being read as a protocol.
	quiet()
	name := "file:" + path
	if !filepath.IsAbs(path) {
		name = "file:./" + path
	}
	params, limited := decoderThreads(o.Threads)
	var cap *gocv.VideoCapture
	open := func() {
		if len(params) > 0 {
			cap, err = gocv.VideoCaptureFileWithAPIParams(name, gocv.VideoCaptureFFmpeg, params)
		} else {
			cap, err = gocv.VideoCaptureFileWithAPI(name, gocv.VideoCaptureFFmpeg)
		}
	}
	if limited {
		open()
	} else {
		limited = onCPUs(o.Threads, open)
	}
	if err != nil {
		cap.Close() // GoCV returns an object with the error
		if cut != nil {
			return nil, cut
		}
		return nil, ErrNotVideo
	}
	v := &video{cap: cap, pool: newPool(o.buffers()), cut: cut}
	v.info = camera.Info{
		URI: path, Kind: "video",
		Width:   int(cap.Get(gocv.VideoCaptureFrameWidth)),
		Height:  int(cap.Get(gocv.VideoCaptureFrameHeight)),
		Backend: "FFmpeg through OpenCV " + gocv.OpenCVVersion(),
	}
	if !limited {
		v.info.Backend += ", decoder threads not limited"
	}
	if n := cap.Get(gocv.VideoCaptureFrameCount); n > 0 && n < 1e9 {
		v.info.Frames = int(n)
	}
	rate := 25.0 // FFmpeg's own guess for streams without times
	if fps := cap.Get(gocv.VideoCaptureFPS); fps > 0 && fps <= maxFPS {
		v.info.FPS, rate = fps, fps
	}
	v.period = time.Duration(float64(time.Second) / rate)
	return v, nil
}

// inspect looks at the file before FFmpeg does, for errors that say what is the
// matter. cut is a doubt about the end of a file that may still be read; pictures says
// that it is JPEG pictures one behind the other.
func inspect(path string) (cut error, pictures bool, err error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, false, errors.Unwrap(err) // the path is in the prefix
	case st.IsDir():
		return nil, false, errors.New("this is a folder; a folder of pictures is opened as images")
	case !st.Mode().IsRegular():
		return nil, false, errors.New("this is not a regular file")
	case st.Size() == 0:
		return nil, false, ErrEmpty
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false, errors.Unwrap(err)
	}
	defer f.Close()
	var head [3]byte
	if n, _ := f.ReadAt(head[:], 0); isJPEG(head[:n]) {
		return nil, true, nil
	}
	return checkContainer(f, st.Size()), false, nil
}

func (v *video) Info() camera.Info { return v.info }

// Next implements camera.Source.
func (v *video) Next(ctx context.Context) (*camera.Frame, error) {
	if v.end != nil {
		return nil, v.end
	}
	if v.ahead == nil {
		if err := v.read(ctx); err != nil {
			return nil, err
		}
	}
	seq := v.seq
	v.seq++
	if v.lost > 0 {
		v.lost--
		if seq > 0 {
			v.time += v.period
		}
		return nil, &camera.FrameError{Seq: seq, Time: v.time, Name: fmt.Sprintf("%s at %v", v.info.URI, v.time.Round(time.Millisecond)), Err: errDamaged}
	}
	s := v.ahead
	v.ahead, v.good = nil, true
	if seq == 0 || v.aheadTime > v.time {
		v.time = v.aheadTime
	} else {
		v.time += v.period
	}
	s.frame.Seq, s.frame.Time, s.frame.Captured = seq, v.time, time.Now()
	return s.frame, nil
}

// read decodes until there is a good frame in ahead, counting the others in lost.
func (v *video) read(ctx context.Context) error {
	s, err := v.pool.get(ctx)
	if err != nil {
		return err
	}
	for ; v.lost < lookAhead && ctx.Err() == nil; v.lost++ {
		if !v.cap.Read(&s.mat) || s.mat.Empty() || s.mat.Type() != gocv.MatTypeCV8UC3 {
			continue
		}
		if err := s.show(); err != nil {
			continue
		}
		v.ahead = s
		v.aheadTime = milliseconds(v.cap.Get(gocv.VideoCapturePosMsec))
		return nil
	}
	v.pool.put(s)
	if err := ctx.Err(); err != nil {
		return err
	}
	switch {
	case v.cut != nil:
		v.end = fmt.Errorf("opencv: video %s: after %d frames: %w", v.info.URI, v.seq, v.cut)
	case !v.good:
		v.end = fmt.Errorf("opencv: video %s: %w", v.info.URI, errNoPicture)
	default:
		v.end = io.EOF
	}
	return v.end
}

func milliseconds(ms float64) time.Duration {
	if !(ms > 0) || math.IsInf(ms, 0) {
		return 0
	}
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

// Close implements camera.Source. Frames that are still lent stay readable until
// their Release.
func (v *video) Close() error {
	if v.cap == nil {
		return nil
	}
	v.cap.Close()
	v.cap = nil
	if v.ahead != nil {
		v.pool.put(v.ahead)
		v.ahead = nil
	}
	v.pool.close()
	v.end = fmt.Errorf("opencv: video %s: %w", v.info.URI, errClosed)
	return nil
}
