package guard

import "time"

// below is a limit below which a fault is: beyond it while the fault lasts.
func (g *Guard) below(f Fault, limit float64) float64 {
	if g.fault == f {
		return limit * (1 + g.cfg.Hysteresis)
	}
	return limit
}

func (g *Guard) black() bool {
	return g.cfg.Black.Level > 0 && g.now.Brightest <= g.below(Black, g.cfg.Black.Level)
}

func (g *Guard) saturated() bool {
	limit := g.cfg.Saturated.Part
	if g.fault == Saturated {
		limit *= 1 - g.cfg.Hysteresis
	}
	return g.cfg.Saturated.Part > 0 && g.now.White >= limit
}

func (g *Guard) frozen() bool {
	c := &g.cfg.Frozen
	return c.After > 0 && g.still.frames >= c.Frames && g.still.last-g.still.since >= c.After
}

func (g *Guard) blurred() bool {
	c := &g.cfg.Blurred
	return c.Sharpness > 0 &&
		(g.now.Sharpness < g.below(Blurred, c.Sharpness) || g.now.Contrast < g.below(Blurred, c.Contrast))
}

// watch compares a picture with the one since which nothing has changed, not with the last one: what
// changes slowly has changed after a while. A picture that differs begins anew, and so does a
// source that begins again.
func (g *Guard) watch(now time.Duration) {
	s := &g.still
	same := s.frames > 0 && s.geometry == g.sample.of && now >= s.last
	g.now.Change = 0
	if same {
		g.now.Change = g.sample.change(&s.patches)
		same = g.now.Change <= g.below(Frozen, g.cfg.Frozen.Change)
	}
	s.last = now
	if same {
		s.frames++
		return
	}
	s.patches, s.geometry, s.since, s.frames = g.sample.patches, g.sample.of, now, 1
}
