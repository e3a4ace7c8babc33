//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// errNoMore is all that OpenCV says when a camera is unplugged or a stream breaks off.
var errNoMore = errors.New("the camera gives no more frames")

// maxMissed reads in a row may fail before the connection counts as broken: a damaged picture
// and a camera that is gone look the same to OpenCV.
const maxMissed = 3

// capture reads a live camera through one of OpenCV's back ends. A read happens in C and
// cannot be cancelled: a supervisor leaves it behind.
type capture struct {
	info   camera.Info
	cap    *gocv.VideoCapture
	clock  camera.Clock // whose time CAP_PROP_POS_MSEC is; NoClock where it is nobody's
	pool   *pool
	opened time.Time
	seq    uint64
	last   time.Duration
	end    error

	// missed counts reads that failed before a good one, which waits in ahead: they were
	// frames that are reported first.
	missed int
	ahead  *slot
	at     time.Duration // of ahead
	taken  time.Time
	stamp  time.Duration
}

func newCapture(cap *gocv.VideoCapture, info camera.Info, clock camera.Clock, o Options) *capture {
	info.Live = true
	info.Width, info.Height = int(cap.Get(gocv.VideoCaptureFrameWidth)), int(cap.Get(gocv.VideoCaptureFrameHeight))
	if fps := cap.Get(gocv.VideoCaptureFPS); fps > 0 && fps <= maxFPS {
		info.FPS = fps
	}
	return &capture{info: info, cap: cap, clock: clock, pool: newPool(o.buffers()), opened: time.Now(), last: -1}
}

func (c *capture) Info() camera.Info { return c.info }

// Next implements camera.Source.
func (c *capture) Next(ctx context.Context) (*camera.Frame, error) {
	if c.end != nil {
		return nil, c.end
	}
	if c.ahead == nil {
		if err := c.read(ctx); err != nil {
			return nil, err
		}
	}
	seq := c.seq
	c.seq++
	if c.missed > 0 {
		c.missed--
		c.last = max(c.last+1, c.at-time.Millisecond)
		return nil, &camera.FrameError{Seq: seq, Time: c.last, Name: c.info.URI, Err: errDamaged}
	}
	f := c.ahead.frame
	c.ahead = nil
	c.last = max(c.last+1, c.at)
	f.Seq, f.Time, f.Captured = seq, c.last, c.taken
	f.Stamp, f.Clock = c.stamp, c.clock
	if c.stamp == 0 {
		f.Clock = camera.NoClock
	}
	return f, nil
}

// read waits for the next good frame and puts it into ahead.
func (c *capture) read(ctx context.Context) error {
	s, err := c.pool.get(ctx)
	if err != nil {
		return err
	}
	for ; c.missed < maxMissed && ctx.Err() == nil; c.missed++ {
		if !c.cap.Read(&s.mat) || s.mat.Empty() || s.mat.Type() != gocv.MatTypeCV8UC3 || s.show() != nil {
			continue
		}
		c.ahead = s
		c.taken = time.Now()
		c.at = c.taken.Sub(c.opened)
		if c.clock != camera.NoClock {
			c.stamp = milliseconds(c.cap.Get(gocv.VideoCapturePosMsec))
		}
		return nil
	}
	c.pool.put(s)
	if err := ctx.Err(); err != nil {
		return err
	}
	c.end = fmt.Errorf("opencv: %s: after %d frames: %w", c.info.URI, c.seq, errNoMore)
	return c.end
}

// Close implements camera.Source; it stops the pipeline or the device, and must not be
// called while a read is under way. Frames that are still lent stay readable until their Release.
func (c *capture) Close() error {
	if c.cap == nil {
		return nil
	}
	c.cap.Close()
	c.cap = nil
	if c.ahead != nil {
		c.pool.put(c.ahead)
		c.ahead = nil
	}
	c.pool.close()
	c.end = fmt.Errorf("opencv: %s: %w", c.info.URI, errClosed)
	return nil
}
