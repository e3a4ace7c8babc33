package perception

import (
	"errors"

	"perceive/camera"
)

// Guard says whether a frame is worth the network's time. A status other than OK becomes the
// frame's, with the reason; the network does not see it. A guard is asked about each frame
// of one source, in order, from one goroutine.
type Guard interface {
	Check(f *camera.Frame) (Status, string)
}

// lost is the status of a frame that a source took and did not hand over.
func lost(err error) Status {
	switch {
	case errors.Is(err, camera.ErrDropped):
		return Dropped
	case errors.Is(err, camera.ErrStale):
		return Stale
	}
	return Unreadable
}

// guard asks the guards, and is whether all of them let the frame pass.
func (p *Pipeline) guard(f *camera.Frame, r *Result) bool {
	for _, g := range p.Guards {
		if status, reason := g.Check(f); status != OK {
			r.fail(status, reason)
			return false
		}
	}
	return true
}
