//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"gocv.io/x/gocv"
)

// Options are what can be chosen about a source. The zero value is good for
// files on a desktop; a method of it opens the source.
type Options struct {
	// Threads limits the video decoder, for machines whose cores have other work.
	// Zero leaves it to the library: one thread per processor. OpenCV takes a
	// limit from 4.7 on; an older one's threads are kept on so many processors, and
	// Info.Backend says so if that cannot be. It has no bearing on OpenCV's own
	// workers, see SetThreads.
	Threads int
	// Buffers is the number of frames that may be lent out at once. Zero means 4:
	// one being decoded, one in the network, one in the sinks, one to spare.
	Buffers int
	// FPS is the rate at which pictures of a folder and of a JPEG stream are stamped;
	// they have no time of their own. Zero means 10 for a folder and 25 for a stream.
	FPS float64
	// OpenTimeout bounds how long FFmpeg may take to open a stream. Zero means 5 s.
	OpenTimeout time.Duration
}

const (
	defaultBuffers  = 4
	defaultImageFPS = 10
	maxFPS          = 1000 // what claims more is a container's time base, not a camera
)

func (o Options) validate() error {
	if o.Threads < 0 || o.Buffers < 0 || !(o.FPS >= 0 && o.FPS <= maxFPS) {
		return fmt.Errorf("threads=%d buffers=%d fps=%g: want 0 or more, and at most %d pictures a second",
			o.Threads, o.Buffers, o.FPS, maxFPS)
	}
	return nil
}

func (o Options) buffers() int {
	if o.Buffers == 0 {
		return defaultBuffers
	}
	return o.Buffers
}

// SetThreads limits OpenCV's own workers (resizing, warping, colour) in the whole
// process; 0 or 1 computes in the calling thread alone. The frame path's pictures
// are small, one thread serves them best when the network has the other cores.
func SetThreads(n int) { gocv.SetNumThreads(max(0, n)) }

// capNThreads is OpenCV's CAP_PROP_N_THREADS, which GoCV has no name for.
const capNThreads gocv.VideoCaptureProperties = 70

// decoderThreads returns the open parameters that limit the decoder to n
// threads, and whether this OpenCV knows them: it refuses to open a file with
// parameters that it does not know.
func decoderThreads(n int) (params []gocv.VideoCaptureProperties, ok bool) {
	if n == 0 {
		return nil, true
	}
	major, rest, _ := strings.Cut(gocv.OpenCVVersion(), ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, _ := strconv.Atoi(major)
	b, _ := strconv.Atoi(minor)
	if a < 4 || a == 4 && b < 7 {
		return nil, false
	}
	return []gocv.VideoCaptureProperties{capNThreads, gocv.VideoCaptureProperties(n)}, true
}

// quiet keeps FFmpeg from writing about every damaged macroblock to standard
// error; what matters becomes an error. OpenCV passes the level on when it opens
// its first video. Whoever sets OPENCV_FFMPEG_LOGLEVEL (48 is everything) or
// OPENCV_FFMPEG_DEBUG gets what they ask for.
//
// Two voices remain: OpenCV's own warnings, whose level OPENCV_LOG_LEVEL is read
// before Go starts and so has to come from the shell or the service file, and
// libpng and OpenCV's picture readers, which write a line about a damaged picture
// and cannot be told not to.
var quiet = sync.OnceFunc(func() {
	const key, nothing = "OPENCV_FFMPEG_LOGLEVEL", "-8" // AV_LOG_QUIET
	_, set := os.LookupEnv(key)
	_, debug := os.LookupEnv("OPENCV_FFMPEG_DEBUG")
	if !set && !debug {
		os.Setenv(key, nothing)
	}
})

// Version is OpenCV's.
func Version() string { return gocv.OpenCVVersion() }
