//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"sync"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// pool lends Mats as frames. Its size bounds what a source holds: whoever wants
// one frame more than there are waits for a Release.
type pool struct {
	free chan *slot

	mu     sync.Mutex
	closed bool
}

// slot is one Mat and the frame that shows its pixels.
type slot struct {
	frame *camera.Frame
	mat   gocv.Mat
	lent  bool // under pool.mu
}

func newPool(n int) *pool {
	p := &pool{free: make(chan *slot, n)}
	for range n {
		s := &slot{mat: gocv.NewMat()}
		s.frame = camera.WrapFrame(func(*camera.Frame) { p.put(s) })
		p.free <- s
	}
	return p
}

// get waits for a free slot. The caller lends it or puts it back.
func (p *pool) get(ctx context.Context) (*slot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s := <-p.free: // the usual case, without looking at ctx again
		p.take(s)
		return s, nil
	default:
	}
	select {
	case s := <-p.free:
		p.take(s)
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pool) take(s *slot) {
	p.mu.Lock()
	s.lent = true
	p.mu.Unlock()
}

// put takes a slot back. A second Release of the same loan does nothing. The
// memory of a frame that outlives its source goes here, with its Release.
func (p *pool) put(s *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !s.lent {
		return
	}
	s.lent = false
	s.frame.Pix = nil // touching a released frame fails in Go, not in C++
	if p.closed {
		s.mat.Close()
		return
	}
	p.free <- s // never blocks: there are as many places as slots
}

// close frees the memory of all slots that are not lent. Further calls do nothing.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for len(p.free) > 0 {
		(<-p.free).mat.Close()
	}
}

// show points the frame at the Mat's pixels. The Mat is 8-bit BGR without gaps.
func (s *slot) show() error {
	pix, err := s.mat.DataPtrUint8()
	if err != nil {
		return err
	}
	f := s.frame
	f.Width, f.Height = s.mat.Cols(), s.mat.Rows()
	f.Stride = 3 * f.Width
	f.Pix = pix
	return nil
}
