package guard

import (
	"errors"
	"fmt"
	"time"
)

// Config says when a picture shows nothing to go by. A part whose first key is zero is off. Start
// from Default: the zero Config looks for nothing.
type Config struct {
	Black     BlackLimits     `yaml:"black"`
	Saturated SaturatedLimits `yaml:"saturated"`
	Frozen    FrozenLimits    `yaml:"frozen"`
	Blurred   BlurredLimits   `yaml:"blurred"`
	// Hysteresis keeps a fault from flickering: it ends when its measure is this part of the limit
	// beyond it, 0 to 0.9.
	Hysteresis float64 `yaml:"hysteresis"`
}

// BlackLimits: the brightest part of the picture is dark. A night has lamps in it.
type BlackLimits struct {
	// Level is the brightness at or below which the picture is black, 0 to 255; 0 is off.
	Level float64 `yaml:"level"`
	// Part of the picture that may be brighter: a dead pixel, a clock that is drawn in. 0 to 0.5.
	Part float64 `yaml:"part"`
}

// SaturatedLimits: most of the picture is white. The sky may be, and a low sun's glare.
type SaturatedLimits struct {
	// Part of the picture at or above Level from which it is saturated, 0 to 1; 0 is off.
	Part float64 `yaml:"part"`
	// Level is a brightness, 128 to 255.
	Level float64 `yaml:"level"`
}

// FrozenLimits: nothing in the picture changes. A camera that stands still has noise, and
// something moves before it; but a video at rest may repeat its pictures to the last bit for a while.
type FrozenLimits struct {
	// After is how long the picture is the same, by the frames' Time; 0 is off.
	After time.Duration `yaml:"after"`
	// Frames is how many frames are the same at least, so that a source of a picture a
	// minute may show one twice. 2 or more.
	Frames int `yaml:"frames"`
	// Change is how much the most changed spot may differ and be the same still, in levels of
	// brightness (0 to 255): what compression does to a picture that is sent again.
	Change float64 `yaml:"change"`
}

// BlurredLimits: out of focus, wet or covered.
type BlurredLimits struct {
	// Sharpness is the limit below which the picture is blurred: how sharp its sharpest edges
	// are, in percent of their contrast. Fog and night dim edges and leave them sharp. 0 is off.
	Sharpness float64 `yaml:"sharpness"`
	// Contrast is the limit below which the picture is covered: the strongest contrasts between
	// neighbouring spots, in percent of the brightest part. 0 to 100.
	Contrast float64 `yaml:"contrast"`
}

// Default holds limits that real drives stay well away from; docs/guards.md has the distances.
func Default() Config {
	return Config{
		Black:      BlackLimits{Level: 16, Part: 0.01},
		Saturated:  SaturatedLimits{Part: 0.85, Level: 250},
		Frozen:     FrozenLimits{After: 2 * time.Second, Frames: 10, Change: 0.75},
		Blurred:    BlurredLimits{Sharpness: 2.5, Contrast: 2},
		Hysteresis: 0.25,
	}
}

// Validate names every key that is out of its range.
func (c *Config) Validate() error {
	var errs []error
	within := func(key string, v, low, high float64) {
		if !(v >= low && v <= high) { // NaN, too
			errs = append(errs, fmt.Errorf("%s: %g: want %g to %g", key, v, low, high))
		}
	}
	within("hysteresis", c.Hysteresis, 0, 0.9)
	within("black.level", c.Black.Level, 0, 255)
	within("black.part", c.Black.Part, 0, 0.5)
	within("saturated.part", c.Saturated.Part, 0, 1)
	if c.Saturated.Part > 0 {
		within("saturated.level", c.Saturated.Level, 128, 255)
	}
	if c.Frozen.After < 0 {
		errs = append(errs, fmt.Errorf("frozen.after: %v: want a time, or 0 for off", c.Frozen.After))
	}
	if c.Frozen.After > 0 && c.Frozen.Frames < 2 {
		errs = append(errs, fmt.Errorf("frozen.frames: %d: want 2 or more", c.Frozen.Frames))
	}
	within("frozen.change", c.Frozen.Change, 0, 255)
	within("blurred.sharpness", c.Blurred.Sharpness, 0, 100)
	within("blurred.contrast", c.Blurred.Contrast, 0, 100)
	if len(errs) > 0 {
		return fmt.Errorf("guard: %w", errors.Join(errs...))
	}
	return nil
}
