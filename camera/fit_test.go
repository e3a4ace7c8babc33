package camera_test

import (
	"math"
	"strings"
	"testing"

	"perceive/camera"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestPlace(t *testing.T) {
	for _, tc := range []struct {
		fit  camera.Fit
		want camera.Placement
	}{
		{"", camera.Placement{Scale: 0.5, ScaleY: 0.5, Y: 14, Width: 320, Height: 180}},
		{camera.Letterbox, camera.Placement{Scale: 0.5, ScaleY: 0.5, Y: 14, Width: 320, Height: 180}},
		{camera.Corner, camera.Placement{Scale: 0.5, ScaleY: 0.5, Width: 320, Height: 180}},
		{camera.Stretch, camera.Placement{Scale: 0.5, ScaleY: 208. / 360, Width: 320, Height: 208}},
	} {
		got, err := tc.fit.Place(640, 360, 320, 208)
		if err != nil || got != tc.want {
			t.Errorf("%q: %+v, want %+v (%v)", tc.fit, got, tc.want, err)
		}
		x, y := got.ToInput(640, 360)
		if !near(x, float64(got.X+got.Width)) || !near(y, float64(got.Y+got.Height)) {
			t.Errorf("%q: the far corner is at %g, %g of %+v", tc.fit, x, y, got)
		}
		if fx, fy := got.ToFrame(x, y); !near(fx, 640) || !near(fy, 360) {
			t.Errorf("%q: there and back: %g, %g", tc.fit, fx, fy)
		}
	}
	if _, err := camera.Fit("crop").Place(1, 1, 1, 1); err == nil || !strings.Contains(err.Error(), "crop") {
		t.Errorf("an unknown fit: %v", err)
	}
	if _, err := camera.Place(0, 1, 1, 1); err == nil {
		t.Error("a frame without a size was placed")
	}
}
