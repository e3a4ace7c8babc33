//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"unsafe"

	"gocv.io/x/gocv"
)

// Warper moves, scales, turns and shears pictures, for augmentation. The zero
// value is ready; a Warper belongs to one goroutine.
type Warper struct {
	half  shrinker
	views views
	m     [6]float64
}

// Warp draws src, sh rows of sw BGR pixels, into dst, h rows of w pixels. A point
// (x, y) of src comes to lie at
//
//	(m[0]·x + m[1]·y + m[2], m[3]·x + m[4]·y + m[5])
//
// in dst. Points are measured in pixels from the top left corner of the top left
// pixel, as boxes are, so the same m moves the labels. What src does not cover is
// filled with pad.
//
// Sampling is bilinear; a reduction to a half or less is preceded by halving, as
// in Fitter.Fit.
func (wp *Warper) Warp(dst []byte, w, h int, src []byte, sw, sh int, m [6]float64, pad uint8) error {
	det := m[0]*m[4] - m[1]*m[3]
	if det == 0 || math.IsNaN(det) || math.IsInf(det, 0) || math.IsNaN(m[2]+m[5]) || math.IsInf(m[2]+m[5], 0) {
		return errors.New("opencv: warp: the matrix cannot be inverted")
	}
	defer wp.views.done()
	from, err := wp.views.bgr(src, sw, sh, 3*sw)
	if err != nil {
		return fmt.Errorf("opencv: warp: source: %w", err)
	}
	to, err := wp.views.bgr(dst, w, h, 3*w)
	if err != nil {
		return fmt.Errorf("opencv: warp: destination: %w", err)
	}

	n := 0
	for s := math.Sqrt(math.Abs(det)); s <= 0.5 && min(sw, sh)>>(n+1) > 0; s *= 2 {
		n++
	}
	from, _, err = wp.half.halve(from, image.Pt(sw, sh), n)
	if err != nil {
		return fmt.Errorf("opencv: warp: %w", err)
	}
	for _, i := range []int{0, 1, 3, 4} {
		m[i] = math.Ldexp(m[i], min(n, maxHalvings))
	}

	// OpenCV counts from the middle of the top left pixel: x - 1/2.
	m[2] += 0.5*(m[0]+m[1]) - 0.5
	m[5] += 0.5*(m[3]+m[4]) - 0.5
	wp.m = m
	wp.views.pin.Pin(&wp.m)
	mat, err := gocv.NewMatFromBytes(2, 3, gocv.MatTypeCV64FC1, unsafe.Slice((*byte)(unsafe.Pointer(&wp.m)), unsafe.Sizeof(wp.m)))
	if err != nil {
		return fmt.Errorf("opencv: warp: %w", err)
	}
	fillWith := color.RGBA{R: pad, G: pad, B: pad}
	if err := gocv.WarpAffineWithParams(*from, to, *wp.views.keep(mat), image.Pt(w, h),
		gocv.InterpolationLinear, gocv.BorderConstant, fillWith); err != nil {
		return fmt.Errorf("opencv: warp: %w", err)
	}
	return nil
}

// Close frees the working memory; it may be called twice.
func (wp *Warper) Close() error { return wp.half.Close() }
