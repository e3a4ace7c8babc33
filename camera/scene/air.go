package scene

import (
	"math"
	"math/rand/v2"
)

// air is light and weather: what it does to colours.
type air struct {
	light, weather string

	ambient, sun rgb // light from everywhere, and from one side
	from         vec // where the sun is, a unit vector
	horizon, top rgb // the sky
	mist         rgb // what distance fades to
	clear        float64
	lamps        float32 // how much lamps outshine the rest: 0 at noon, 1 at night
	wet          float32
	clouds       int
}

// newAir draws light and weather: half the pictures at day, a quarter each at
// dusk and night; every fourth in rain.
func newAir(r *rand.Rand) air {
	a := air{from: vec{0.45, 0.75, -0.5}, clear: 500}
	if r.IntN(2) == 0 {
		a.from.x = -a.from.x
	}
	switch k := r.Float64(); {
	case k < 0.5:
		a.light = "day"
		a.ambient, a.sun = rgb{0.56, 0.58, 0.62}, rgb{0.55, 0.53, 0.47}
		a.horizon, a.top = rgb{0.80, 0.87, 0.93}, rgb{0.30, 0.52, 0.83}
	case k < 0.75:
		a.light, a.lamps = "dusk", 0.5
		a.ambient, a.sun = rgb{0.38, 0.35, 0.42}, rgb{0.34, 0.22, 0.12}
		a.horizon, a.top = rgb{0.93, 0.62, 0.42}, rgb{0.25, 0.28, 0.47}
	default:
		a.light, a.lamps = "night", 1
		a.ambient, a.sun = rgb{0.23, 0.24, 0.31}, rgb{0.03, 0.03, 0.04}
		a.horizon, a.top = rgb{0.13, 0.13, 0.20}, rgb{0.02, 0.03, 0.07}
	}
	switch k := r.Float64(); {
	case k < 0.45:
		a.weather, a.clouds = "clear", 2+r.IntN(5)
	case k < 0.75:
		a.weather, a.clouds = "cloudy", 12
		a.overcast(0.5)
	default:
		a.weather, a.clouds, a.wet = "rain", 8, 1
		a.clear = 160
		a.overcast(0.9)
	}
	gain := 0.9 + 0.2*r.Float32() // the camera's exposure is never quite the same
	a.ambient, a.sun = a.ambient.mul(gain), a.sun.mul(gain)
	a.mist = a.horizon
	return a
}

// overcast takes the sun and the blue away, more with k.
func (a *air) overcast(k float32) {
	a.ambient = a.ambient.add(a.sun.mul(0.3 * k))
	a.sun = a.sun.mul(1 - k)
	cover := a.horizon.mix(a.top, 0.3)
	cover = grey((cover.r + cover.g + cover.b) / 3).mul(0.95)
	a.horizon, a.top = a.horizon.mix(cover, 0.7*k), a.top.mix(cover.mul(0.85), 0.9*k)
}

// lit is the colour of a surface with normal n at a place relative to the lens.
func (a *air) lit(c rgb, n, at vec) rgb {
	e := a.ambient.add(a.sun.mul(float32(max(0, n.dot(a.from)))))
	if a.lamps > 0 {
		// Two headlights: a cone that fades with distance and to the sides.
		side := at.x / (3 + 0.4*at.z)
		beam := math.Exp(-at.z/28-side*side) * max(0.15, -n.z)
		e = e.add(rgb{1, 0.96, 0.85}.mul(a.lamps * 1.1 * float32(beam)))
	}
	return a.haze(c.times(e), at.z)
}

// haze fades a colour that is z metres away.
func (a *air) haze(c rgb, z float64) rgb {
	return c.mix(a.mist, float32(1-math.Exp(-max(0, z)/a.clear)))
}
