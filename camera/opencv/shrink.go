//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"image"

	"gocv.io/x/gocv"
)

// shrinker halves pictures before they are sampled. Bilinear sampling looks at
// 2×2 pixels: from a larger reduction on it would skip pixels, and thin things
// (poles, far lights) would flicker as they move.
type shrinker struct {
	steps [maxHalvings]gocv.Mat
	made  int
}

// maxHalvings is enough for 65,536 pixels down to one; past it sampling skips pixels.
const maxHalvings = 16

// halve returns src after n halvings and its size; src itself when n is 0.
// The result lives in s until the next call.
func (s *shrinker) halve(src *gocv.Mat, size image.Point, n int) (*gocv.Mat, image.Point, error) {
	for i := range min(n, maxHalvings) {
		if i == s.made {
			s.steps[i] = gocv.NewMat()
			s.made++
		}
		if err := halveOnce(src, &s.steps[i], size); err != nil {
			return nil, size, err
		}
		src, size = &s.steps[i], size.Div(2)
	}
	return src, size, nil
}

// halveOnce means over 2×2 pixels. An odd last row or column is left out: exactly
// 2:1 with INTER_AREA is the case that OpenCV has vectorised.
func halveOnce(src, dst *gocv.Mat, size image.Point) error {
	if size.X%2 == 0 && size.Y%2 == 0 {
		return gocv.Resize(*src, dst, size.Div(2), 0, 0, gocv.InterpolationArea)
	}
	even := src.Region(image.Rectangle{Max: size.Div(2).Mul(2)})
	defer even.Close()
	return gocv.Resize(even, dst, size.Div(2), 0, 0, gocv.InterpolationArea)
}

// resize scales src into dst, whose size is fixed, without aliasing.
func (s *shrinker) resize(src, dst *gocv.Mat, from, to image.Point) error {
	n := 0
	for from.X>>n >= 2*to.X && from.Y>>n >= 2*to.Y {
		n++
	}
	src, size, err := s.halve(src, from, n)
	if err != nil {
		return err
	}
	if size == to {
		return src.CopyTo(dst)
	}
	return gocv.Resize(*src, dst, to, 0, 0, interLinearExact)
}

// Close frees the steps; it may be called twice.
func (s *shrinker) Close() error {
	for i := range s.steps[:s.made] {
		s.steps[i].Close()
	}
	s.made = 0
	return nil
}
