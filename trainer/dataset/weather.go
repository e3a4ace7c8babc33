package dataset

import (
	"math/rand/v2"
)

// fog takes contrast away, the more the higher in the picture, where the road is far, but
// never all of it: what could be named before can be named still.
func (a Augment) fog(rng *rand.Rand, pix []byte, w, h int) {
	if a.Fog == 0 || rng.Float64() >= a.Fog {
		return
	}
	most, least := uniform(rng, 0.3, 1)*a.FogMax, uniform(rng, 0, 0.5)
	grey := int32(uniform(rng, 120, 230))
	for y := range h {
		// From full strength in the upper half to a part of it at the bottom.
		down := max(0, 2*float64(y)/float64(h)-1)
		d := int32(256 * most * (1 - down*(1-least)))
		row := pix[3*w*y : 3*w*(y+1)]
		for i, v := range row {
			row[i] = byte((int32(v)*(256-d) + grey*d) >> 8)
		}
	}
}

// rain draws streaks, all falling one way, half transparent and one or two pixels wide.
func (a Augment) rain(rng *rand.Rand, pix []byte, w, h int) {
	if a.Rain == 0 || rng.Float64() >= a.Rain {
		return
	}
	slant, grey := uniform(rng, -0.4, 0.4), int32(uniform(rng, 170, 240))
	drops := int(uniform(rng, 0.0005, 0.003) * float64(w*h))
	for range drops {
		x, y := uniform(rng, 0, float64(w)), rng.IntN(h)
		long := 3 + rng.IntN(max(1, h/12))
		clear := int32(uniform(rng, 120, 220)) // of 256
		for ; long > 0 && y < h; long, y, x = long-1, y+1, x+slant {
			if x < 0 || int(x) >= w {
				continue
			}
			p := pix[3*(y*w+int(x)):][:3]
			for c, v := range p {
				p[c] = byte((int32(v)*clear + grey*(256-clear)) >> 8)
			}
		}
	}
}

// cover paints the layout's rectangles, each in one colour with grain: a pillar, a
// wiper, a bag before the lens.
func cover(rng *rand.Rand, pix []byte, w int, hidden []rect) {
	table := normals()
	for _, r := range hidden {
		colour := [3]int32{rng.Int32N(256), rng.Int32N(256), rng.Int32N(256)}
		at := rng.IntN(noiseSize)
		for y := int(r.y0); y < int(r.y1); y++ {
			row := pix[3*(y*w+int(r.x0)) : 3*(y*w+int(r.x1))]
			for i := range row {
				row[i] = byteOf(colour[i%3] + int32(table[(at+i+y*61)%noiseSize]>>3))
			}
		}
	}
}
