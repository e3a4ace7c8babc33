package dataset

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Augment says how far a training picture may be changed. The zero value changes
// nothing but the letterbox.
type Augment struct {
	// ZoomOut and ZoomIn bound the scale against the letterbox's, log-uniform:
	// 0 < ZoomOut <= 1 <= ZoomIn. Zero means 1.
	ZoomOut float64 `yaml:"zoom_out" json:"zoom_out"`
	ZoomIn  float64 `yaml:"zoom_in" json:"zoom_in"`
	// ZoomInUnlocated is ZoomIn for pictures that hold something without saying
	// where: a crop might cut it away unseen.
	ZoomInUnlocated float64 `yaml:"zoom_in_unlocated" json:"zoom_in_unlocated"`
	// Aspect is the largest change of the aspect ratio, as a factor's logarithm.
	Aspect float64 `yaml:"aspect" json:"aspect"`
	// Flip is the probability of a left-right flip.
	Flip float64 `yaml:"flip" json:"flip"`
	// Brightness, Contrast and Saturation are the largest relative change, 0..1;
	// Tint that of each colour channel.
	Brightness float64 `yaml:"brightness" json:"brightness"`
	Contrast   float64 `yaml:"contrast" json:"contrast"`
	Saturation float64 `yaml:"saturation" json:"saturation"`
	Tint       float64 `yaml:"tint" json:"tint"`
	// Night is the probability of a gamma between 0.7 and 2.2, which mostly darkens.
	Night float64 `yaml:"night" json:"night"`
	// Noise is the largest standard deviation of added noise, in grey levels, on
	// one picture in five.
	Noise float64 `yaml:"noise" json:"noise"`
}

// DefaultAugment is the shipped recipe.
func DefaultAugment() Augment {
	return Augment{ZoomOut: 0.7, ZoomIn: 2.4, ZoomInUnlocated: 1.25, Aspect: 0.12, Flip: 0.5,
		Brightness: 0.4, Contrast: 0.4, Saturation: 0.6, Tint: 0.1, Night: 0.2, Noise: 12}
}

// Validate reports settings outside their ranges, joined.
func (a Augment) Validate() error {
	var errs []error
	in := func(name string, v, lo, hi float64) {
		if !(v >= lo && v <= hi) {
			errs = append(errs, fmt.Errorf("augment: %s: %g is not within %g..%g", name, v, lo, hi))
		}
	}
	in("zoom_out", or1(a.ZoomOut), 0.05, 1)
	in("zoom_in", or1(a.ZoomIn), 1, 20)
	in("zoom_in_unlocated", or1(a.ZoomInUnlocated), 1, 20)
	in("aspect", a.Aspect, 0, 1)
	in("flip", a.Flip, 0, 1)
	in("brightness", a.Brightness, 0, 1)
	in("contrast", a.Contrast, 0, 1)
	in("saturation", a.Saturation, 0, 1)
	in("tint", a.Tint, 0, 1)
	in("night", a.Night, 0, 1)
	in("noise", a.Noise, 0, 100)
	return errors.Join(errs...)
}

func or1(v float64) float64 {
	if v == 0 {
		return 1
	}
	return v
}

// affine maps picture pixels to input pixels: x' = m[0]x+m[1]y+m[2], y' = m[3]x+m[4]y+m[5].
type affine [6]float64

// place draws where a picture of pw×ph lies in an input of w×h.
func (a Augment) place(rng *rand.Rand, pw, ph, w, h int, located bool) affine {
	fit := math.Min(float64(w)/float64(pw), float64(h)/float64(ph))
	zoomIn := or1(a.ZoomIn)
	if !located {
		zoomIn = math.Min(zoomIn, or1(a.ZoomInUnlocated))
	}
	s := fit * math.Exp(uniform(rng, math.Log(or1(a.ZoomOut)), math.Log(zoomIn)))
	aspect := math.Exp(uniform(rng, -a.Aspect, a.Aspect))
	sx, sy := s*aspect, s/aspect
	// The picture slides within the input, or the input within the picture.
	tx := uniform(rng, 0, 1) * (float64(w) - float64(pw)*sx)
	ty := uniform(rng, 0, 1) * (float64(h) - float64(ph)*sy)
	if rng.Float64() < a.Flip {
		return affine{-sx, 0, float64(w) - tx, 0, sy, ty}
	}
	return affine{sx, 0, tx, 0, sy, ty}
}

func uniform(rng *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }

// box maps a box; scale is the picture's against the box's own.
func (m affine) box(b Box, scale float64) (x0, y0, x1, y1 float64) {
	x0, x1 = m[0]*b.X*scale+m[2], m[0]*(b.X+b.W)*scale+m[2]
	y0, y1 = m[4]*b.Y*scale+m[5], m[4]*(b.Y+b.H)*scale+m[5]
	return math.Min(x0, x1), math.Min(y0, y1), math.Max(x0, x1), math.Max(y0, y1)
}

// colour changes a picture's light in place: one look-up table per channel, and
// saturation towards the pixel's own grey.
func (a Augment) colour(rng *rand.Rand, pix []byte) {
	if a.Brightness == 0 && a.Contrast == 0 && a.Saturation == 0 && a.Tint == 0 && a.Night == 0 && a.Noise == 0 {
		return
	}
	gain := uniform(rng, 1-a.Brightness, 1+a.Brightness)
	contrast := uniform(rng, 1-a.Contrast, 1+a.Contrast)
	gamma := 1.0
	if rng.Float64() < a.Night {
		gamma = uniform(rng, 0.7, 2.2)
	}
	mean := meanOf(pix) * gain
	var lut [3][256]float32
	for c := range lut {
		tint := uniform(rng, 1-a.Tint, 1+a.Tint)
		for v := range lut[c] {
			x := (float64(v)*gain-mean)*contrast + mean
			x = math.Max(0, math.Min(255, x*tint))
			lut[c][v] = float32(255 * math.Pow(x/255, gamma))
		}
	}
	sat := float32(uniform(rng, 1-a.Saturation, 1+a.Saturation*0.8))
	noise := float32(0)
	if a.Noise > 0 && rng.Float64() < 0.2 {
		noise = float32(uniform(rng, 0, a.Noise))
	}
	for i := 0; i+2 < len(pix); i += 3 {
		b, g, r := lut[0][pix[i]], lut[1][pix[i+1]], lut[2][pix[i+2]]
		grey := (b + g + r) / 3
		if noise > 0 {
			grey += noise * float32(rng.NormFloat64())
		}
		pix[i], pix[i+1], pix[i+2] = byteOf(grey+(b-grey)*sat), byteOf(grey+(g-grey)*sat), byteOf(grey+(r-grey)*sat)
	}
}

func byteOf(v float32) byte { return byte(max(0, min(255, v+0.5))) }

func meanOf(pix []byte) float64 {
	var sum int
	for _, v := range pix {
		sum += int(v)
	}
	return float64(sum) / float64(max(1, len(pix)))
}
