package dataset

import (
	"errors"
	"fmt"
)

// Augment says how far a training picture may be changed. The zero value changes
// nothing but the letterbox.
//
// What changes where things are, changes the labels with them: see view. What changes
// how things look stays within what a person could still name.
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
	// Mosaic is the probability that four pictures share the input.
	Mosaic float64 `yaml:"mosaic" json:"mosaic"`
	// Occlude is the probability of one to three plain rectangles over the picture, each
	// side at most OccludeMax of the input's. A picture that holds something without
	// saying where gets none: it might be under one.
	Occlude    float64 `yaml:"occlude" json:"occlude"`
	OccludeMax float64 `yaml:"occlude_max" json:"occlude_max"`
	// Brightness, Contrast and Saturation are the largest relative change, 0..1;
	// Tint that of each colour channel.
	Brightness float64 `yaml:"brightness" json:"brightness"`
	Contrast   float64 `yaml:"contrast" json:"contrast"`
	Saturation float64 `yaml:"saturation" json:"saturation"`
	Tint       float64 `yaml:"tint" json:"tint"`
	// Night is the probability of a gamma between 0.7 and 2.2, which mostly darkens.
	Night float64 `yaml:"night" json:"night"`
	// Fog and Rain are probabilities; FogMax is the part of the contrast that fog takes
	// at most.
	Fog    float64 `yaml:"fog" json:"fog"`
	FogMax float64 `yaml:"fog_max" json:"fog_max"`
	Rain   float64 `yaml:"rain" json:"rain"`
	// Blur is the probability of a picture out of focus or moved, by a standard deviation
	// of at most BlurMax input pixels.
	Blur    float64 `yaml:"blur" json:"blur"`
	BlurMax float64 `yaml:"blur_max" json:"blur_max"`
	// Noise is the largest standard deviation of added noise, in grey levels, on
	// one picture in five.
	Noise float64 `yaml:"noise" json:"noise"`
	// JPEG is the probability that the picture is compressed once more, with a quality
	// from JPEGMin to 90.
	JPEG    float64 `yaml:"jpeg" json:"jpeg"`
	JPEGMin float64 `yaml:"jpeg_min" json:"jpeg_min"`
}

// DefaultAugment is the shipped recipe.
func DefaultAugment() Augment {
	return Augment{ZoomOut: 0.7, ZoomIn: 2.4, ZoomInUnlocated: 1.25, Aspect: 0.12, Flip: 0.5,
		Occlude: 0.1, OccludeMax: 0.3,
		Brightness: 0.4, Contrast: 0.4, Saturation: 0.6, Tint: 0.1, Night: 0.2,
		Fog: 0.05, FogMax: 0.6, Rain: 0.05, Blur: 0.1, BlurMax: 1.2, Noise: 12, JPEG: 0.1, JPEGMin: 30}
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
	in("brightness", a.Brightness, 0, 1)
	in("contrast", a.Contrast, 0, 1)
	in("saturation", a.Saturation, 0, 1)
	in("tint", a.Tint, 0, 1)
	in("noise", a.Noise, 0, 100)
	// A probability, and a strength that counts only where the probability is not zero.
	none := func(string, float64) {}
	within := func(lo, hi float64) func(string, float64) {
		return func(name string, v float64) { in(name, v, lo, hi) }
	}
	for _, v := range []struct {
		name     string
		p        float64
		strength func(string, float64)
		key      string
		v        float64
	}{
		{"flip", a.Flip, none, "", 0}, {"mosaic", a.Mosaic, none, "", 0}, {"night", a.Night, none, "", 0}, {"rain", a.Rain, none, "", 0},
		{"occlude", a.Occlude, within(0.02, 0.8), "occlude_max", a.OccludeMax},
		{"fog", a.Fog, within(0, 0.8), "fog_max", a.FogMax},
		{"blur", a.Blur, within(0, 10), "blur_max", a.BlurMax},
		{"jpeg", a.JPEG, within(1, 90), "jpeg_min", a.JPEGMin},
	} {
		in(v.name, v.p, 0, 1)
		if v.p > 0 {
			v.strength(v.key, v.v)
		}
	}
	return errors.Join(errs...)
}

func or1(v float64) float64 {
	if v == 0 {
		return 1
	}
	return v
}
