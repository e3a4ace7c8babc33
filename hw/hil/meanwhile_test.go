package hil

import (
	"slices"
	"testing"
	"time"
)

// What came meanwhile is said of each process, and that nothing came with the reason.
func TestMeanwhile(t *testing.T) {
	of := func(kind string, r *Run) *Run {
		r.Scenario.Faults[0].Kind = kind
		return r
	}
	without := func(r *Run, from, to int) *Run {
		r.Results = slices.Delete(r.Results, from, to)
		return r
	}
	unsent := func(r *Run) *Run {
		for i := 30; i < 60; i++ {
			r.Served[i].Sent = time.Time{}
		}
		return r
	}
	killed := without(of("kill", drive(3, 5, "ok")), 30, 36)
	killed.Injected[0].To = killed.Injected[0].From
	for i := 30; i < len(killed.Results); i++ {
		killed.Results[i].Life = 2
	}
	inFlight := of("kill", drive(3, 5, "ok"))
	for i := 31; i < len(inFlight.Results); i++ {
		inFlight.Results[i].Life = 2
	}
	other := of("black", drive(3, 5, "black"))
	other.Scenario.Faults[0].Camera = "rear"
	for name, c := range map[string]struct {
		r    *Run
		want string
	}{
		"results all along":          {drive(3, 5, "black"), "20 black"},
		"of another camera":          {other, "nothing: no frame was sent"},
		"stopped, and frames sent":   {without(of("stop", drive(3, 5, "ok")), 30, 50), "nothing of 20 frames that were sent"},
		"no camera":                  {without(unsent(of("refuse", drive(3, 5, "ok"))), 30, 50), "nothing: no frame was sent"},
		"one that was on its way":    {without(unsent(of("refuse", drive(3, 5, "ok"))), 31, 50), "1 ok, then nothing: no frame was sent"},
		"killed, and started again":  {killed, "nothing, then started again: 14 ok (in 2s)"},
		"killed, with one under way": {inFlight, "1 ok, then started again: 19 ok"},
		"not heard":                  {of("deaf", drive(3, 5, "ok")), "not heard"},
	} {
		if got := c.r.meanwhile(0); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
