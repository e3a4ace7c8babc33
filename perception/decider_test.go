package perception_test

import (
	"slices"
	"testing"
	"time"

	"perceive/perception"
)

func TestStatesAreSteady(t *testing.T) {
	const u, off, on = perception.Unknown, perception.Off, perception.On
	// Frames are 100 ms apart; a negative probability is a frame that nobody evaluated.
	for name, c := range map[string]struct {
		p      []float32
		hold   time.Duration
		expiry time.Duration
		want   []perception.State
	}{
		"enter and leave":          {p: []float32{.1, .5, .6, .5, .4, .3, .5}, want: []perception.State{off, off, on, on, on, off, off}},
		"in between from nothing":  {p: []float32{.5, .5, .6}, want: []perception.State{u, u, on}},
		"on at the threshold":      {p: []float32{.6, .4, .39}, want: []perception.State{on, on, off}},
		"hold":                     {p: []float32{.9, .1, .1, .1, .1}, hold: 250 * time.Millisecond, want: []perception.State{on, on, on, off, off}},
		"an alarm does not wait":   {p: []float32{.1, .9, .1, .9}, want: []perception.State{off, on, off, on}},
		"survives a missing frame": {p: []float32{.9, -1, .5}, want: []perception.State{on, u, on}},
		"expires":                  {p: []float32{.9, -1, -1, -1, .5}, expiry: 300 * time.Millisecond, want: []perception.State{on, u, u, u, u}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.expiry == 0 {
				c.expiry = time.Second
			}
			d, err := perception.NewDecider([]perception.Steady{{Enter: .6, Leave: .4, Hold: c.hold}}, c.expiry)
			if err != nil {
				t.Fatal(err)
			}
			var got []perception.State
			for i, p := range c.p {
				r := perception.Result{Status: perception.OK, Time: time.Duration(i) * 100 * time.Millisecond, Answers: []perception.Answer{{P: p}}}
				if p < 0 {
					r.Status, r.Answers = perception.Black, nil
				}
				d.Decide(&r)
				s := perception.Unknown
				if r.Status == perception.OK {
					s = r.Answers[0].State
				}
				got = append(got, s)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v: got %v, want %v", c.p, got, c.want)
			}
		})
	}
}

func TestImpossibleThresholds(t *testing.T) {
	for _, l := range []perception.Steady{{Enter: .4, Leave: .6}, {Enter: 1.1}, {Leave: -.1}, {Hold: -1}} {
		if _, err := perception.NewDecider([]perception.Steady{l}, time.Second); err == nil {
			t.Errorf("%+v is taken", l)
		}
	}
	if _, err := perception.NewDecider(nil, 0); err == nil {
		t.Error("no expiry is taken")
	}
}
