// Package supervise watches over a camera: it opens the connection, notices when no frames
// come, leaves reads that block behind, connects again, and accounts for every frame.
//
// # Frames
//
// The frames of all connections are numbered on from one to the next, without gaps, and
// Frame.Time is the time since Open, which always grows. Next reports every number once and in
// order: as a frame, or as a *camera.FrameError that wraps camera.ErrDropped, camera.ErrStale
// or what the connection said of a frame that it could not read.
//
// # Ownership
//
// Who got a frame from Next owns it until Release. At most Config.Lend frames are lent at a
// time: then Next waits for a Release, and the camera goes on (Newest) or waits too (Every). A
// frame stays readable until its Release even when its connection is lost or the source
// closed. A *camera.FrameError is lent only until the next call of Next: its memory is used
// again, so that a burst of dropped frames allocates nothing.
package supervise

import (
	"context"
	"fmt"
	"time"

	"perceive/camera"
)

// Policy says what becomes of frames that come faster than they are asked for.
type Policy string

// The policies.
const (
	// Newest keeps one frame, the latest: for live cameras. The zero Policy is Newest.
	Newest Policy = "newest"
	// Every makes the camera wait: for recordings. Where a camera cannot wait, its driver or
	// the network drops what nobody here counts.
	Every Policy = "every"
)

// ParsePolicy reads the name of a policy.
func ParsePolicy(s string) (Policy, error) {
	if p := Policy(s); p == Newest || p == Every {
		return p, nil
	}
	return "", fmt.Errorf("policy %q: want %s or %s", s, Newest, Every)
}

// Config says how to watch over a camera. Open alone must be set.
type Config struct {
	// Open makes one connection. It and the source that it returns are used by one goroutine;
	// ctx ends when the connection is given up. The source must lend Lend+2 frames at a time:
	// one more waits to be asked for, and one is being read.
	Open func(ctx context.Context) (camera.Source, error)
	// Info is what is known before the first connection; URI names the camera in errors.
	Info camera.Info
	// Policy is Newest if empty.
	Policy Policy
	// MaxAge is how old a frame may be when it is asked for, from Frame.Captured on; 0 is any age.
	MaxAge time.Duration
	// StallAfter without a good frame, the state is Stalled; default 500 ms. A camera that
	// sends less than two frames a second needs more.
	StallAfter time.Duration
	// ReadTimeout is how long a read may take before the connection is given up; default
	// twice StallAfter.
	ReadTimeout time.Duration
	// OpenTimeout is how long opening may take, and the first read after it; default 5 s. The first
	// tries to get a camera back that has been there take no longer than twice what it took then,
	// and 2 s at least.
	OpenTimeout time.Duration
	// MaxAbandoned bounds the connections that were given up and still block in their read:
	// at so many, none is opened until one of the reads returns. Default 3.
	MaxAbandoned int
	// BackoffMin is the pause before the first new attempt, BackoffMax the longest one; each
	// failure doubles it. Defaults 100 ms and 1 s.
	BackoffMin, BackoffMax time.Duration
	// Lend is how many frames may be lent at a time; default 4.
	Lend int
	// OnEvent, if not nil, is called with every event, in order and by one goroutine. Until
	// it returns nothing is watched; it must not call Close.
	OnEvent func(camera.Event)
}

// DefaultLend is how many frames are lent where Config.Lend is 0.
const DefaultLend = 4

// closeGrace is how long Close waits for a read that was cancelled to return.
const closeGrace = 200 * time.Millisecond

func (c Config) withDefaults() Config {
	or := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	if c.Policy == "" {
		c.Policy = Newest
	}
	or(&c.StallAfter, 500*time.Millisecond)
	or(&c.ReadTimeout, 2*c.StallAfter)
	or(&c.OpenTimeout, 5*time.Second)
	or(&c.BackoffMin, 100*time.Millisecond)
	or(&c.BackoffMax, time.Second)
	c.BackoffMax = max(c.BackoffMin, c.BackoffMax)
	if c.MaxAbandoned <= 0 {
		c.MaxAbandoned = 3
	}
	if c.Lend <= 0 {
		c.Lend = DefaultLend
	}
	c.Info.Live = true
	return c
}
