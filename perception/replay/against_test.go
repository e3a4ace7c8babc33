package replay_test

import (
	"context"
	"strings"
	"testing"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
	"perceive/perception/replay"
)

// louder is a model whose answers are gain times those of the tiny one, so that for most pictures
// they are no probabilities: it fails on these.
func louder(t *testing.T, gain float32) *perception.Detector {
	t.Helper()
	m, err := model.Load(t.Context(), orttest.Runtime(t), modeltest.Loud(t, gain), nil, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := perception.NewDetector(m)
	t.Cleanup(func() {
		d.Close()
		m.Close()
	})
	return d
}

// A second model that fails is no model that agrees: its failures are counted with the first
// reason, and without any frame compared there is an error.
func TestAgainstCountsFailures(t *testing.T) {
	for _, tc := range []struct {
		gain     float32
		all      bool
		ofFrames int
	}{{1, false, 0}, {1.5, false, -1}, {90, true, 57}} {
		first, second, src := detector(t), louder(t, tc.gain), newDrive()
		h := header(t, first, src)
		a, err := replay.NewAgainst(h, second, setup)
		if err != nil {
			t.Fatal(err)
		}
		out, err := replay.Discard(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := replay.Run(context.Background(), replay.Job{Source: src, Detector: first, Header: h, Out: out, Sinks: []perception.Sink{a}}); err != nil {
			t.Fatal(err)
		}
		if a.Close() != nil || a.Frames+a.Failed != 57 || tc.ofFrames >= 0 && a.Failed != tc.ofFrames || tc.ofFrames < 0 && (a.Failed == 0 || a.Frames == 0) {
			t.Errorf("gain %g: %d frames compared, %d failed", tc.gain, a.Frames, a.Failed)
		}
		if (a.Err() != nil) != tc.all || tc.all && !strings.Contains(a.Err().Error(), "no probability") {
			t.Errorf("gain %g: %v", tc.gain, a.Err())
		}
		var said strings.Builder
		if err := a.Print(&said); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(said.String(), "the second model failed on ") != (a.Failed > 0) || (a.Failed > 0) != strings.Contains(said.String(), "no probability") {
			t.Errorf("gain %g: %s", tc.gain, &said)
		}
	}
}
