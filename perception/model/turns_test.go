package model_test

import (
	"testing"
	"time"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

// Every frame counts once, whatever the turns; a lane that has fewer frames than another one
// is done earlier, and keeps the answer to its last one.
func TestInTurns(t *testing.T) {
	m, err := model.Load(t.Context(), orttest.Runtime(t), modeltest.File(t, nil), nil, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	lanes := make([]model.Timed, 2)
	for i, frames := range []int{23, 1} {
		lane, err := m.NewLane()
		if err != nil {
			t.Fatal(err)
		}
		lanes[i].Lane = lane
		for range frames {
			lanes[i].Frames = append(lanes[i].Frames, make([]byte, len(lane.Input)))
		}
		last := lanes[i].Frames[frames-1]
		for j := range last {
			last[j] = 255 // white
		}
	}
	times, err := model.InTurns(t.Context(), lanes)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{23, 1} {
		if len(times[i]) != want || times[i].Quantile(0.5) <= 0 || times[i].Quantile(0.5) > times[i].Quantile(1) {
			t.Errorf("lane %d: times %v, want %d", i, times[i], want)
		}
		if p := lanes[i].Lane.Probabilities[0]; p < 0.999 {
			t.Errorf("lane %d: %g for a white frame, want 1", i, p)
		}
	}
	lanes[1].Frames[0] = nil
	if _, err := model.InTurns(t.Context(), lanes); err == nil {
		t.Error("a frame without bytes")
	}
}

// By hand: of 1, 2, 3 and 10 ms the median is the second or third, the lower one here.
func TestQuantile(t *testing.T) {
	times := model.Times{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond}
	if m, top, no := times.Quantile(0.5), times.Quantile(1), (model.Times{}).Quantile(0.5); m != 2 || top != 10 || no != 0 {
		t.Errorf("median %g, most %g, of none %g: want 2, 10, 0", m, top, no)
	}
}
