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

var errClosed = errors.New("scene: the source is closed")

// Open starts the drive. Frames are drawn in Next, by the goroutine that calls
// it. The error says which field of c is out of range.
func Open(c Config) (camera.Source, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("scene: %w", err)
	}
	s := &source{cfg: c, drive: newDrive(c), paint: newPainter(c.Width, c.Height), free: make(chan *loan, buffers)}
	for range buffers {
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
	if s.next >= uint64(s.cfg.frames()) {
		return nil, io.EOF
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
	s.paint.render(f.Pix, s.drive, s.cfg.time(s.next), s.next)
	f.Seq, f.Time = s.next, time.Duration(s.cfg.time(s.next)*float64(time.Second))
	f.Captured = time.Now()
	s.next++
	return f, nil
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
		Width: s.cfg.Width, Height: s.cfg.Height, FPS: s.cfg.FPS, Frames: s.cfg.frames(),
		Backend: "scene renderer",
	}
}

// Close ends the source. Lent frames keep their pixels until they are released.
func (s *source) Close() error {
	s.closed = true
	return nil
}

// time is when frame seq is taken, in seconds from the start.
func (c Config) time(seq uint64) float64 { return float64(seq) / c.FPS }
