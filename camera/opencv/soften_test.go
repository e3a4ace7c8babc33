//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"math"
	"testing"
)

// dot is a black picture with one white pixel in its middle.
func dot(n int) []byte {
	pix := make([]byte, 3*n*n)
	for c := range 3 {
		pix[3*(n/2*n+n/2)+c] = 255
	}
	return pix
}

// spread is the variance along x and y of the light in a picture of n×n.
func spread(pix []byte, n int) (x, y float64) {
	var sum float64
	for i := range n * n {
		v := float64(pix[3*i])
		dx, dy := float64(i%n-n/2), float64(i/n-n/2)
		sum, x, y = sum+v, x+v*dx*dx, y+v*dy*dy
	}
	return x / sum, y / sum
}

func TestSoften(t *testing.T) {
	const n, sigma = 41, 2
	var s Softener
	for _, tc := range []struct {
		name  string
		apply func(pix []byte) error
		x, y  float64 // variances
	}{
		{"focus", func(p []byte) error { return s.Focus(p, n, n, sigma) }, 4, 4},
		{"to the right", func(p []byte) error { return s.Motion(p, n, n, sigma, 0) }, 4, 0},
		{"down", func(p []byte) error { return s.Motion(p, n, n, sigma, math.Pi/2) }, 0, 4},
		{"down the right", func(p []byte) error { return s.Motion(p, n, n, sigma, math.Pi/4) }, 2, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pix := dot(n)
			if err := tc.apply(pix); err != nil {
				t.Fatal(err)
			}
			if x, y := spread(pix, n); math.Abs(x-tc.x) > 0.9 || math.Abs(y-tc.y) > 0.9 { // faint light rounds to nothing
				t.Errorf("variance %.2f across and %.2f down, want %g and %g", x, y, tc.x, tc.y)
			}
			grey := bytes.Repeat([]byte{77}, 3*n*n)
			if err := tc.apply(grey); err != nil || grey[0] != 77 || grey[len(grey)/2] != 77 {
				t.Errorf("plain grey changed: %v", err)
			}
		})
	}
	if s.Focus(dot(n), n, n, 0) == nil || s.Focus(dot(n), n, n, math.NaN()) == nil || s.Motion(dot(n), n, n+1, 1, 0) == nil {
		t.Error("no error for a blur of nothing or a picture that does not fit")
	}
}

func TestSoftenJPEG(t *testing.T) {
	const n = 64
	pix := make([]byte, 3*n*n)
	for i := range pix {
		pix[i] = byte(i * 7 % 251)
	}
	far := func(quality int) (d float64) {
		var s Softener
		got := bytes.Clone(pix)
		if err := s.JPEG(got, n, n, quality); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			d += math.Abs(float64(got[i]) - float64(pix[i]))
		}
		return d / float64(len(pix))
	}
	if good, bad := far(95), far(10); good == 0 || bad < 1.2*good {
		t.Errorf("mean error %.2f at quality 95 and %.2f at 10", good, bad)
	}
	if (&Softener{}).JPEG(pix, n, n+1, 50) == nil {
		t.Error("no error for a picture that does not fit")
	}
}
