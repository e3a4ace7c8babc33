package hil

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"perceive/internal/strict"
)

// faults are what is wrong about a scenario.
func (s *Scenario) faults() (out []strict.Fault) {
	bad := func(key, format string, args ...any) {
		out = append(out, strict.Fault{Key: key, Says: fmt.Sprintf(format, args...)})
	}
	if s.Name == "" || strings.ContainsAny(s.Name, " /\\") {
		bad("name", "%q: want a name without spaces and slashes", s.Name)
	}
	if s.Length < time.Second || s.Length > 24*time.Hour {
		bad("length", "%v is not within 1s to 24h", s.Length)
	}
	if len(s.Cameras) == 0 {
		bad("cameras", "none")
	}
	if len(s.Require) == 0 {
		bad("require", "nothing is required: such a scenario cannot fail")
	}
	names := map[string]bool{}
	for i, c := range s.Cameras {
		key := fmt.Sprintf("cameras[%d]", i)
		wrongWire(key, c, bad)
		if c.Name == "" || names[c.Name] {
			bad(key+".name", "%q: want a name of its own", c.Name)
		}
		names[c.Name] = true
		if c.World == "" {
			bad(key+".world", "missing: a recording, or scene://?seed=1")
		}
		if !(c.FPS >= 0.1 && c.FPS <= 120) {
			bad(key+".fps", "%g is not within 0.1 to 120", c.FPS)
		}
		if c.Width != 0 && (c.Width < 240 || c.Width > 4096) || c.Height < 0 || c.Height > 4096 {
			bad(key+".width", "%d×%d: want 240 to 4096 across, where the frame code has room", c.Width, c.Height)
		}
		if c.Quality < 0 || c.Quality > 100 {
			bad(key+".quality", "%d is not within 1 to 100", c.Quality)
		}
	}
	for i, f := range s.Faults {
		s.wrongFault(fmt.Sprintf("faults[%d]", i), f, names, bad)
	}
	for i, r := range s.Require {
		s.wrongRequirement(fmt.Sprintf("require[%d]", i), r, names, bad)
	}
	if s.Fails != "" && !slices.ContainsFunc(s.Require, func(r Requirement) bool { return r.Kind == s.Fails }) {
		bad("fails", "%q is not among the scenario's requirements", s.Fails)
	}
	return out
}

func wrongWire(key string, c Camera, bad func(string, string, ...any)) {
	if _, ok := Media[c.Over]; !ok {
		bad(key+".over", "%q: there is %s", c.Over, Names(Media))
	}
	if c.Over == "v4l2" && !loopback.MatchString(c.Device) {
		bad(key+".device", "%q: want a v4l2loopback device such as /dev/video10", c.Device)
	}
	if c.Over != "v4l2" && c.Device != "" {
		bad(key+".device", "is for over: v4l2")
	}
}

func (s *Scenario) wrongFault(key string, f Fault, names map[string]bool, bad func(string, string, ...any)) {
	if _, ok := Kinds[f.Kind]; !ok {
		bad(key+".kind", "%q: there is %s", f.Kind, Names(Kinds))
	}
	if f.At < 0 || f.At > s.Length || f.For < 0 || f.At+f.For > s.Length {
		bad(key+".at", "%v to %v is not within the scenario's length, %v", f.At, f.At+f.For, s.Length)
	}
	if f.Camera != "" && !names[f.Camera] {
		bad(key+".camera", "there is no camera %q", f.Camera)
	}
	if f.Camera != "" && slices.Contains(onUnit, f.Kind) {
		bad(key+".camera", "%s is a fault of the unit", f.Kind)
	}
	for _, c := range s.Cameras {
		if why := Media[c.Over].cannot[f.Kind]; why != "" && (f.Camera == "" || f.Camera == c.Name) {
			bad(key+".kind", "%s does not go with camera %s, which is over %s: %s", f.Kind, c.Name, c.Over, why)
		}
	}
	wrongAmount(key, f, bad)
	if f.For == 0 && !slices.Contains(once, f.Kind) && Kinds[f.Kind] != "" {
		bad(key+".for", "missing: how long %s goes on", f.Kind)
	}
	if f.File != "" && f.Kind != "model_swap" && f.Kind != "bad_model" {
		bad(key+".file", "%s takes none", f.Kind)
	}
	if f.Delay < 0 || f.Delay > time.Minute {
		bad(key+".delay", "%v is not within 0s to 1m", f.Delay)
	}
	if (f.Kind == "late" || f.Kind == "jitter") && f.Delay == 0 {
		bad(key+".delay", "missing")
	}
	if f.Kind != "late" && f.Kind != "jitter" && f.Delay != 0 {
		bad(key+".delay", "%s takes none", f.Kind)
	}
}

// wrongAmount: an amount is within what its kind can do.
func wrongAmount(key string, f Fault, bad func(string, string, ...any)) {
	most, takes := amounts[f.Kind]
	switch {
	case !takes && f.Amount != 0 && Kinds[f.Kind] != "":
		bad(key+".amount", "%s takes none", f.Kind)
	case takes && !(f.Amount >= 0 && f.Amount <= most):
		bad(key+".amount", "%g is not within 0 to %g, which %s can be", f.Amount, most, f.Kind)
	}
}
