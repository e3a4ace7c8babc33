package scene

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"perceive/camera"
)

// buffers is the number of frames that may be lent at once: one being drawn, one
// in the network, one in the sinks, one to spare.
const buffers = 4

// liveBuffers are two more: one that waits to be asked for, and one that is drawn meanwhile.
const liveBuffers = buffers + 2

var errClosed = errors.New("scene: the source is closed")

// Open starts the drive. Frames are drawn in Next, by the goroutine that calls
// it. The error says which field of c is out of range.
func Open(c Config) (camera.Source, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("scene: %w", err)
	}
	n := buffers
	if c.Live {
		n = liveBuffers
	}
	s := &source{cfg: c, drive: newDrive(c), paint: newPainter(c.Width, c.Height), free: make(chan *loan, n)}
	for range n {
		l := &loan{}
		l.frame = camera.NewFrame(c.Width, c.Height, func(*camera.Frame) { s.put(l) })
		s.free <- l
	}
	return s, nil
}

type source struct {
	cfg    Config
	drive  *world
	paint  *painter
	free   chan *loan
	next   uint64
	closed bool

	// Of a live scene.
	timer *time.Timer
	due   time.Time // when the next frame is

	mu sync.Mutex // guards the lent flags: frames are released by other goroutines
}

// loan is one frame and whether somebody has it.
type loan struct {
	frame *camera.Frame
	lent  bool
}

func (s *source) Next(ctx context.Context) (*camera.Frame, error) {
	if s.closed {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.next >= uint64(s.cfg.frames()) && !s.cfg.Loop {
		return nil, io.EOF
	}
	if s.cfg.Live {
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
	var l *loan
	select {
	case l = <-s.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	l.lent = true
	s.mu.Unlock()

	f := l.frame
	n := s.next % uint64(s.cfg.frames())
	s.paint.render(f.Pix, s.drive, s.cfg.time(n), n)
	f.Stamp, f.Clock = time.Duration(s.cfg.time(n)*float64(time.Second)), camera.SceneClock
	f.Seq, f.Time = s.next, time.Duration(s.cfg.time(s.next)*float64(time.Second))
	f.Captured = time.Now()
	s.next++
	s.due = s.due.Add(s.period())
	return f, nil
}

func (s *source) period() time.Duration { return time.Duration(float64(time.Second) / s.cfg.FPS) }

// wait waits until the next frame is due. A frame that is late moves those behind it, as a
// camera never sends two at once.
func (s *source) wait(ctx context.Context) error {
	now := time.Now()
	if s.due.Before(now) {
		s.due = now
		return nil
	}
	if s.timer == nil {
		s.timer = time.NewTimer(s.due.Sub(now))
	} else {
		s.timer.Reset(s.due.Sub(now))
	}
	select {
	case <-s.timer.C:
		return nil
	case <-ctx.Done():
		s.timer.Stop()
		return ctx.Err()
	}
}

// put takes a frame back. A second Release of the same loan does nothing.
func (s *source) put(l *loan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.lent {
		l.lent = false
		s.free <- l // never blocks: there are as many places as loans
	}
}

func (s *source) Info() camera.Info {
	return camera.Info{
		URI: s.cfg.URI(), Kind: "scene",
		Width: s.cfg.Width, Height: s.cfg.Height, FPS: s.cfg.FPS, Frames: s.frames(), Live: s.cfg.Live,
		Backend: "scene renderer",
	}
}

// frames is how many are expected, 0 if there is no end.
func (s *source) frames() int {
	if s.cfg.Loop {
		return 0
	}
	return s.cfg.frames()
}

// Close ends the source. Lent frames keep their pixels until they are released.
func (s *source) Close() error {
	s.closed = true
	return nil
}

// time is when frame seq is taken, in seconds from the start.
func (c Config) time(seq uint64) float64 { return float64(seq) / c.FPS }
