package perception_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

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

func load(t *testing.T, change func(*models.Manifest)) *model.Model {
	t.Helper()
	m, err := model.Load(t.Context(), orttest.Runtime(t), modeltest.File(t, change), nil, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// always is a model for which every frame is bright.
func always(m *models.Manifest) { m.Labels[0].Threshold = 0 }

func open(m *model.Model) bool {
	l, err := m.NewLane()
	if err == nil {
		l.Close()
	}
	return err == nil
}

// A model that takes another's place misses no frame, and the old one is freed: also where the
// camera gives nothing, which a swap in the middle of Next is.
func TestSwapMissesNoFrame(t *testing.T) {
	old, next := load(t, nil), load(t, always)
	d := perception.NewDetector(old)
	var got collect
	src := at{&frames{n: 40, end: io.EOF}, 21, func() {
		s, err := d.Swap(t.Context(), next, func() {
			if n := len(got.results); n != 21 || d.Model() != next {
				t.Errorf("between the models: %d results are out, and the model is %p", n, d.Model())
			}
		})
		if err != nil {
			t.Error(err)
			return
		}
		if !open(old) || !open(next) {
			t.Error("both models are to be there until Commit")
		}
		if err := s.Commit(); err != nil {
			t.Error(err)
		}
		if open(old) {
			t.Error("the old model is still open while the camera gives nothing")
		}
	}}
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
		// Up to frame 12 they are dark: off for the old model. Frame 26 is black again, as a byte
		// overflows: on for the new model, whose threshold is 0.
		if i < 12 && r.Answers[0].State != perception.Off || i >= 21 && r.Answers[0].State != perception.On {
			t.Errorf("result %d is of the other model: %+v", i, r.Answers)
		}
	}
	if !open(next) {
		t.Error("the new model is closed")
	}
}

// What was swapped can be swapped back, whatever pipelines have begun and ended meanwhile.
func TestSwapUndo(t *testing.T) {
	old, next := load(t, nil), load(t, always)
	d := perception.NewDetector(old)
	run := func(seq int, f func()) collect {
		var got collect
		p := perception.Pipeline{Source: at{&frames{n: 8, end: io.EOF}, seq, f}, Detector: d, Sinks: []perception.Sink{&got}}
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return got
	}
	var s *perception.Swap
	run(4, func() {
		var err error
		if s, err = d.Swap(t.Context(), next, nil); err != nil {
			t.Error(err)
		}
	})
	got := run(4, func() {
		if err := s.Undo(nil); err != nil {
			t.Error(err)
		}
	})
	if open(next) || !open(old) || d.Model() != old {
		t.Error("the model before is to be the one that is open")
	}
	for i, r := range got.results {
		want := perception.On
		if i >= 4 {
			want = perception.Off
		}
		if r.Answers[0].State != want {
			t.Errorf("result %d: %+v, want %v", i, r.Answers, want)
		}
	}
	if err := s.Commit(); err != nil || !open(old) {
		t.Errorf("%v: an undone change was made final", err)
	}
}

// A model of which no lanes can be made takes over nowhere: the one that Model names is the one
// that answers.
func TestSwapForAllOrNone(t *testing.T) {
	old, next := load(t, nil), load(t, always)
	d := perception.NewDetector(old)
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	var got collect
	p := perception.Pipeline{Detector: d, Sinks: []perception.Sink{&got}, Source: at{&frames{n: 8, end: io.EOF}, 4, func() {
		if _, err := d.Swap(t.Context(), next, func() { t.Error("said to be changed") }); err == nil {
			t.Error("a model without lanes took over")
		}
	}}}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d.Model() != old || len(got.results) != 8 || got.results[7].Answers[0].State != perception.Off {
		t.Errorf("%d results, the last one %+v", len(got.results), got.results[len(got.results)-1])
	}
}

// A frame that does not come out keeps a change from being made, for as long as it is waited for,
// and other frames are kept back no longer.
func TestSwapWaitsForFrames(t *testing.T) {
	old, next := load(t, nil), load(t, always)
	d := perception.NewDetector(old)
	in, out := make(chan struct{}), make(chan struct{})
	p := perception.Pipeline{Source: &frames{n: 8, end: io.EOF}, Detector: d, Progress: func(r *perception.Result) {
		if r.Seq == 0 {
			close(in)
			<-out
		}
	}}
	done := make(chan error, 1)
	go func() { done <- p.Run(t.Context()) }()
	<-in
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.Swap(ctx, next, nil); err == nil || !strings.Contains(err.Error(), "do not end") {
		t.Errorf("%v: want that frames do not end", err)
	}
	close(out)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if d.Model() != old {
		t.Error("it was changed")
	}
	if s, err := d.Swap(t.Context(), next, nil); err != nil || s.Commit() != nil || open(old) {
		t.Errorf("%v: a second try is to work", err)
	}
}

func TestSwapKeepsLabels(t *testing.T) {
	d := detector(t)
	m := load(t, func(m *models.Manifest) { m.Labels[1].ID = "blue" })
	if _, err := d.Swap(t.Context(), m, nil); err == nil || !strings.Contains(err.Error(), "blue") {
		t.Errorf("%v: want the other label's name", err)
	}
}
