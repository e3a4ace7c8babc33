package perception_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"perceive/camera"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

// at calls f before a frame is handed over.
type at struct {
	*frames
	seq int
	f   func()
}

func (s at) Next(ctx context.Context) (*camera.Frame, error) {
	if s.next == s.seq {
		s.f()
	}
	return s.frames.Next(ctx)
}

// A model that takes another's place misses no frame, and the old one is freed.
func TestSwapMissesNoFrame(t *testing.T) {
	load := func(change func(*models.Manifest)) *model.Model {
		m, err := model.Load(t.Context(), orttest.Runtime(t), modeltest.File(t, change), nil, ort.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	old, next := load(nil), load(func(m *models.Manifest) { m.Labels[0].Threshold = 0 })
	d := perception.NewDetector(old)
	src := at{&frames{n: 40, end: io.EOF}, 20, func() {
		before, err := d.Swap(next)
		if err != nil || before != old {
			t.Errorf("%v, %v", before, err)
		}
		if err := old.Retire(); err != nil {
			t.Error(err)
		}
	}}
	var got collect
	p := perception.Pipeline{Source: src, Detector: d, Sinks: []perception.Sink{&got}}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got.results) != 40 {
		t.Fatalf("%d results for 40 frames", len(got.results))
	}
	for i, r := range got.results {
		if r.Seq != uint64(i) || r.Status != perception.OK {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	// Frame 1 is dark: off for the old model, on for the new one, whose threshold is 0.
	if got.results[1].Answers[0].State != perception.Off {
		t.Error("the old model did not answer frame 1")
	}
	if _, err := old.NewLane(); err == nil {
		t.Error("the old model is still open")
	}
	if _, err := next.NewLane(); err != nil {
		t.Errorf("the new model: %v", err)
	}
}

func TestSwapKeepsLabels(t *testing.T) {
	d := detector(t)
	m, err := model.Load(t.Context(), orttest.Runtime(t), modeltest.File(t, func(m *models.Manifest) { m.Labels[1].ID = "blue" }), nil, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := d.Swap(m); err == nil || !strings.Contains(err.Error(), "blue") {
		t.Errorf("%v: want the other label's name", err)
	}
}
