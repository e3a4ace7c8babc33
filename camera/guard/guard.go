// Package guard finds pictures that show nothing to go by: black, saturated, frozen, blurred or
// covered. A network gives an answer to such a picture, too, and it is worth nothing.
//
// It looks at the same few pixels of every frame, so its cost does not depend on the
// picture's size, and allocates nothing but the reason's text when a fault begins. Time is the
// frames' own: a replay finds what the drive found.
package guard

import (
	"fmt"
	"time"

	"perceive/camera"
)

// Fault is what is wrong with a picture.
type Fault uint8

// The faults, in the order in which they are looked for.
const (
	None Fault = iota
	Black
	Saturated
	Frozen
	Blurred
)

var faultNames = [...]string{"none", "black", "saturated", "frozen", "blurred"}

func (f Fault) String() string { return faultNames[f] }

// Guard looks at the frames of one source, in order, from one goroutine.
type Guard struct {
	cfg    Config
	sample sample
	still  still
	now    Measures

	fault  Fault
	reason string
}

// still is since when nothing has changed.
type still struct {
	patches [blocks * patches]uint16 // of the first picture
	since   time.Duration
	last    time.Duration // the last picture's time
	frames  int           // the same ones, 0 before the first
	geometry
}

// New makes a guard. The error names the keys that are out of range.
func New(c Config) (*Guard, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Guard{cfg: c}, nil
}

// Measures are those of the last frame.
func (g *Guard) Measures() Measures { return g.now }

// Check says what is wrong with a frame, and why. The reason is that of the frame with
// which the fault began, for as long as it lasts. A picture too small to be sampled passes.
func (g *Guard) Check(f *camera.Frame) (Fault, string) {
	if !g.sample.look(f) {
		g.still.frames = 0
		return g.set(None)
	}
	g.sample.light(&g.cfg, &g.now)
	g.sample.edges(&g.now)
	g.watch(f.Time)
	switch {
	case g.black():
		return g.set(Black)
	case g.saturated():
		return g.set(Saturated)
	case g.frozen():
		return g.set(Frozen)
	case g.blurred():
		return g.set(Blurred)
	}
	return g.set(None)
}

// set keeps the reason's text while a fault lasts: the frame path does not allocate.
func (g *Guard) set(f Fault) (Fault, string) {
	if f != g.fault {
		g.fault, g.reason = f, g.say(f)
	}
	return g.fault, g.reason
}

func (g *Guard) say(f Fault) string {
	c, m := &g.cfg, &g.now
	switch f {
	case Black:
		return fmt.Sprintf("black: the brightest %.3g %% of the picture is at %.0f of 255, limit %.3g", 100*c.Black.Part, m.Brightest, c.Black.Level)
	case Saturated:
		return fmt.Sprintf("saturated: %.0f %% of the picture is at %.3g of 255 or above, limit %.3g %%", 100*m.White, c.Saturated.Level, 100*c.Saturated.Part)
	case Frozen:
		return fmt.Sprintf("frozen: no spot of the picture has changed by more than %.3g of 255 for %v and %d frames, limit %v", c.Frozen.Change, (g.still.last - g.still.since).Round(time.Millisecond), g.still.frames, c.Frozen.After)
	case Blurred:
		if m.Contrast < g.below(Blurred, c.Blurred.Contrast) {
			return fmt.Sprintf("covered: the strongest contrast in the picture is %.2g %% of its brightness, limit %.3g %%", m.Contrast, c.Blurred.Contrast)
		}
		return fmt.Sprintf("blurred: the sharpest edges have %.2g %% of their contrast from pixel to pixel, limit %.3g %%", m.Sharpness, c.Blurred.Sharpness)
	}
	return ""
}
