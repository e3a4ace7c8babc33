package hil

import (
	"context"
	"slices"
)

// clipKey is what a clip depends on.
type clipKey struct {
	world         string
	fps           float64
	width, height int
	truth         bool
	golden        string
}

// truth is whether something is held against what is in the pictures.
func (s *Scenario) truth() bool {
	return slices.ContainsFunc(s.Require, func(r Requirement) bool { return r.Kind == "agreement" })
}

// golden is the recording that a camera's answers are held against, empty if there is none.
func (s *Scenario) golden(camera string) string {
	for _, r := range s.Require {
		if r.Golden != "" && r.of(camera) {
			return r.Golden
		}
	}
	return ""
}

// clip is what a camera looks at. The truth takes as long as the pictures, so it is made only
// where something is held against it.
func (b *Bench) clip(ctx context.Context, s *Scenario, c Camera) (*clip, error) {
	truth, golden := s.truth(), s.golden(c.Name)
	key := clipKey{c.World, c.FPS, c.Width, c.Height, truth, golden}
	if b.clips[key] == nil {
		made, err := loadClip(ctx, c, truth && golden == "", b.Open)
		if err == nil && golden != "" {
			err = made.learn(golden)
		}
		if err != nil {
			return nil, err
		}
		if b.clips == nil {
			b.clips = map[clipKey]*clip{}
		}
		b.clips[key] = made
	}
	return b.clips[key], nil
}
