package guard

import (
	"math"
	"slices"
)

// Measures are what a Guard holds against its limits.
type Measures struct {
	// Brightest is the brightness that Black.Part of the picture reaches, 0 to 255.
	Brightest float64
	// White is the part of the picture at or above Saturated.Level, 0 to 1.
	White float64
	// Contrast is between neighbouring spots where it is strongest, in percent of Brightest.
	Contrast float64
	// Sharpness is the detail of the most detailed spots beyond that of the plainest, which
	// is noise, in percent of the contrast.
	Sharpness float64
	// Change is how much the most changed spot differs from the picture since which nothing
	// changed, in levels.
	Change float64
}

// Where in the order of the blocks, from 0 to 1, the strongest and the plainest ones are taken: a
// few may be a wet spot on the lens or a clock that is drawn in.
const (
	strongest = 0.97
	plainest  = 0.20
)

// light measures black and saturated.
func (s *sample) light(c *Config, m *Measures) {
	m.Brightest = s.reached(c.Black.Part)
	white := uint32(0)
	for _, n := range s.bright[min(255, int(math.Ceil(c.Saturated.Level))):] {
		white += n
	}
	m.White = float64(white) / counted
}

// reached is the brightness above which only that part of the picture is.
func (s *sample) reached(part float64) float64 {
	allowed := uint32(part * counted)
	above := uint32(0)
	for v := 255; v > 0; v-- {
		if above += s.bright[v]; above > allowed {
			return float64(v)
		}
	}
	return 0
}

// edges measures blurred and covered. Means over patches hardly see noise, and see edges however
// soft; single pixels see sharp edges and noise, of which there is as much in the plainest blocks.
func (s *sample) edges(m *Measures) {
	for i := range blocks {
		p := (*[patches]uint16)(s.patches[i*patches:])
		s.order[i] = float32(max(p[0], p[1], p[2], p[3])-min(p[0], p[1], p[2], p[3])) / patchPixels
	}
	contrast := s.ranked(strongest)
	s.order = s.detail
	detail := math.Sqrt(s.ranked(strongest)) - math.Sqrt(s.ranked(plainest))
	m.Contrast = 100 * contrast / max(1, m.Brightest)
	m.Sharpness = 100 * detail / max(1, contrast)
}

// ranked is the value of order that the part q of them does not exceed.
func (s *sample) ranked(q float64) float64 {
	slices.Sort(s.order[:])
	return float64(s.order[int(q*(blocks-1))])
}

// change is how much the most changed patch differs, in levels.
func (s *sample) change(before *[blocks * patches]uint16) float64 {
	most := int32(0)
	for i, now := range &s.patches {
		d := int32(now) - int32(before[i])
		most = max(most, d, -d)
	}
	return float64(most) / patchPixels
}
