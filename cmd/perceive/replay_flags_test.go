package main

import (
	"testing"
)

// A speed is max or a whole factor: what stands behind it is not left out.
func TestReplaySpeed(t *testing.T) {
	for text, want := range map[string]replaySpeed{"max": 0, "1x": 1, "0.5x": 0.5, "2.5x": 2.5, "1000x": 1000} {
		var s replaySpeed = 7
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "x", "1", "2x5", "1xfoo", "1x ", " 1x", "1 x", "1xx", "0x", "-1x", "nanx", "infx", "1e9x", "1e-300x", "1X", "max1x"} {
		var s replaySpeed
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %vx", text, float64(s))
		}
	}
}
