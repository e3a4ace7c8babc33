//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"runtime"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// Timeouts of FFmpeg, which else waits 30 s for either.
const (
	openTimeout = 5 * time.Second
	readTimeout = 2 * time.Second
)

// OpenCV's CAP_PROP_OPEN_TIMEOUT_MSEC and CAP_PROP_READ_TIMEOUT_MSEC, which GoCV has no name for.
const (
	capOpenTimeout gocv.VideoCaptureProperties = 53
	capReadTimeout gocv.VideoCaptureProperties = 54
)

// streamThreads is how many threads decode a live stream. With n, FFmpeg works on n frames at a
// time, and each comes n-1 frames late.
const streamThreads = 1

// lateDecoder is said of streams where OpenCV cannot limit the threads: before 4.7 it takes as many
// as there are processors, whatever those that it may use.
const lateDecoder = "decoder threads not limited: each frame comes later by one for each processor but the first"

// ffmpeg opens a stream, and passes over what is old in it.
func (c Camera) ffmpeg(uri string, o Options) (camera.Source, error) {
	limit := o.OpenTimeout
	if limit == 0 {
		limit = openTimeout
	}
	var notes []string
	threads, limited := decoderThreads(streamThreads)
	if !limited && runtime.NumCPU() > 1 {
		notes = []string{lateDecoder}
	}
	cap, err := gocv.VideoCaptureFileWithAPIParams(uri, gocv.VideoCaptureFFmpeg, append([]gocv.VideoCaptureProperties{
		capOpenTimeout, gocv.VideoCaptureProperties(limit.Milliseconds()),
		capReadTimeout, gocv.VideoCaptureProperties(readTimeout.Milliseconds()),
	}, threads...))
	if err != nil {
		cap.Close()
		return nil, errors.New("FFmpeg cannot open it: no answer, no such stream, or a wrong password")
	}
	catchUp(cap, limit)
	return newCapture(cap, c.info("FFmpeg", notes...), camera.ContainerClock, o), nil
}

const (
	// awaited frames in a row show that nothing old is left; fewer could be a busy machine.
	awaited = 3
	// timeless is how many frames without a time of their own may come: a stream's first ones have none.
	timeless = 100
	// usualPeriod is taken for a stream's until its times say.
	usualPeriod = 40 * time.Millisecond
)

// catchUp reads the frames that FFmpeg kept while it found out what is in the stream: they are up
// to seconds old, and come faster than the camera made them. When some in a row had to be waited
// for, the next is of now.
func catchUp(cap *gocv.VideoCapture, limit time.Duration) {
	begin := time.Now()
	last, period := begin, usualPeriod
	var first, stamp time.Duration
	for n, waited, without := 0, 0, 0; waited < awaited && without < timeless && time.Since(begin) < limit; {
		cap.Grab(1) // where it fails, the time stays as it is
		now, next := time.Now(), milliseconds(cap.Get(gocv.VideoCapturePosMsec))
		switch {
		case next <= stamp:
			without++
		case stamp == 0:
			first = next
		default:
			n++
			period = (next - first) / time.Duration(n)
		}
		stamp = max(stamp, next)
		if now.Sub(last) >= period/2 {
			waited++
		} else {
			waited = 0
		}
		last = now
	}
}
