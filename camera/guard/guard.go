// Package guard looks at frames for what makes a network's answer worthless: pictures that are
// black, white, out of focus or covered, and streams that stand still. It looks at a few
// thousand pixels of each frame and allocates nothing.
package guard

import (
	"fmt"
	"time"

	"perceive/camera"
)

// Fault is what is wrong with a picture. The empty Fault is nothing.
type Fault string

// The faults.
const (
	Black     Fault = "black"
	Saturated Fault = "saturated"
	Blurred   Fault = "blurred" // out of focus, or covered
	Frozen    Fault = "frozen"
)

// Config says when what is wrong. A limit of zero turns its check off.
type Config struct {
	// Black: the brightest hundredth of the picture is no brighter, 0 to 255.
	Black int `yaml:"black"`
	// Saturated: the darkest hundredth is no darker, 0 to 255.
	Saturated int `yaml:"saturated"`
	// Covered: brightest and darkest hundredth are no further apart, 0 to 255.
	Covered int `yaml:"covered"`
	// Blurred: the steepest steps (of one place in 500) are no larger part of what the picture has
	// between dark and bright, 0 to 1. A night has few lights, and they are sharp.
	Blurred float64 `yaml:"blurred"`
	// BlurredFor is how long that lasts before it counts: a bump blurs a frame or two.
	BlurredFor time.Duration `yaml:"blurred_for"`
	// Frozen: pictures differ by no more, in the mean of their places, 0 to 255.
	Frozen float64 `yaml:"frozen"`
	// FrozenFor is how long that lasts before it counts.
	FrozenFor time.Duration `yaml:"frozen_for"`
}

// Default is made so that it fires on none of the recordings that are known to be well: the
// margins are in docs/guards.md.
var Default = Config{Black: 24, Saturated: 232, Covered: 16, Blurred: 0.09, BlurredFor: 500 * time.Millisecond, Frozen: 0.02, FrozenFor: 2 * time.Second}

// Faults are the values that cannot be, by key.
func (c Config) Faults() map[string]string {
	out := map[string]string{}
	for key, v := range map[string]float64{"black": float64(c.Black), "saturated": float64(c.Saturated), "covered": float64(c.Covered), "frozen": c.Frozen} {
		if !(v >= 0 && v <= 255) {
			out[key] = fmt.Sprintf("%g is not within 0..255", v)
		}
	}
	if !(c.Blurred >= 0 && c.Blurred <= 1) {
		out["blurred"] = fmt.Sprintf("%g is not within 0..1", c.Blurred)
	}
	for key, v := range map[string]time.Duration{"blurred_for": c.BlurredFor, "frozen_for": c.FrozenFor} {
		if v < 0 || v > time.Hour {
			out[key] = fmt.Sprintf("%v is not within 0s to 1h", v)
		}
	}
	return out
}

// margin is how far behind its limit a measure must be for a fault to end, so that pictures at
// the limit do not flicker: a tenth.
const margin = 0.1

// Measures are what was seen in a picture.
type Measures struct {
	Dark, Bright int     // of the darkest and the brightest hundredth, 0 to 255
	Steps        float64 // the steepest of one place in 500, as a part of what is between dark and bright
	Change       float64 // from the picture before, 0 to 255
}

// Guard looks at the frames of one source, in order.
type Guard struct {
	cfg Config

	samples [2]sample
	now     int
	seen    bool

	blurred, still since
	fault          Fault
	reason         string
	Last           Measures
}

// since is when something began, in the frames' own time.
type since struct {
	at time.Duration
	on bool
}

// lasts is whether something has lasted for a time; is says whether it is so now.
func (s *since) lasts(is bool, now, long time.Duration) bool {
	if !is {
		s.on = false
		return false
	}
	if !s.on {
		s.on, s.at = true, now
	}
	return now-s.at >= long
}

// New makes a guard.
func New(c Config) *Guard { return &Guard{cfg: c} }

// Check says what is wrong with a frame, and why. The reason stays the same text for as long as
// the fault lasts.
func (g *Guard) Check(f *camera.Frame) (Fault, string) {
	before := &g.samples[g.now]
	g.now = 1 - g.now
	s := &g.samples[g.now]
	s.take(f)
	g.measure(s, before)
	next := g.judge(f.Time)
	if next != g.fault {
		g.fault, g.reason = next, g.say(next)
	}
	return g.fault, g.reason
}

func (g *Guard) measure(s, before *sample) {
	m := &g.Last
	m.Dark, m.Bright = below(&s.level, 0.01), below(&s.level, 0.99)
	m.Steps = float64(below(&s.edge, 0.998)) / float64(max(1, below(&s.level, 0.995)-below(&s.level, 0.005)))
	m.Change = 255
	if g.seen {
		m.Change = difference(s, before)
	}
	g.seen = true
}

// judge is what is wrong now. A fault that lasts already needs less.
func (g *Guard) judge(now time.Duration) Fault {
	m, c := &g.Last, &g.cfg
	most := func(f Fault, limit float64) float64 { // of a measure that is too small
		if g.fault == f {
			return limit * (1 + margin)
		}
		return limit
	}
	least := float64(c.Saturated)
	if g.fault == Saturated {
		least = 255 - (255-least)*(1+margin)
	}
	covered := c.Covered > 0 && float64(m.Bright-m.Dark) <= most(Blurred, float64(c.Covered))
	blurred := c.Blurred > 0 && m.Steps <= most(Blurred, c.Blurred)
	long := g.blurred.lasts(covered || blurred, now, c.BlurredFor)
	still := g.still.lasts(c.Frozen > 0 && m.Change <= most(Frozen, c.Frozen), now, c.FrozenFor)
	switch {
	case c.Black > 0 && float64(m.Bright) <= most(Black, float64(c.Black)):
		return Black
	case c.Saturated > 0 && float64(m.Dark) >= least:
		return Saturated
	case still:
		return Frozen
	case long:
		return Blurred
	}
	return ""
}

// say is a fault in words, with what was measured and the limit.
func (g *Guard) say(f Fault) string {
	m, c := &g.Last, &g.cfg
	switch f {
	case Black:
		return fmt.Sprintf("black: the brightest hundredth of the picture is at %d of 255, limit %d", m.Bright, c.Black)
	case Saturated:
		return fmt.Sprintf("saturated: the darkest hundredth of the picture is at %d of 255, limit %d", m.Dark, c.Saturated)
	case Frozen:
		return fmt.Sprintf("frozen: pictures have differed by no more than %g of 255 for %v", c.Frozen, c.FrozenFor)
	case Blurred:
		if m.Bright-m.Dark <= c.Covered {
			return fmt.Sprintf("covered: dark and bright are %d of 255 apart, limit %d", m.Bright-m.Dark, c.Covered)
		}
		return fmt.Sprintf("out of focus: the steepest steps are %.3f of the picture's contrast, limit %g", m.Steps, c.Blurred)
	}
	return ""
}
