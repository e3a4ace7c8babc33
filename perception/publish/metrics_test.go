package publish_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"perceive/camera"
	"perceive/perception"
	"perceive/perception/publish"
)

// What is counted can be read, in Prometheus' text format.
func TestMetrics(t *testing.T) {
	m := publish.NewMetrics(head, 100*time.Millisecond)
	if err := m.CollectOutputs(func() []publish.Stats {
		return []publish.Stats{{Name: "file", Written: 7, Dropped: 3, Waiting: 2, Pictures: 5, Error: "no room"}, {Name: "mcap"}}
	}); err != nil {
		t.Fatal(err)
	}
	if err := m.CollectCameras(func() []publish.Camera {
		return []publish.Camera{{Name: "front", State: camera.Stalled, Counts: camera.Counts{Captured: 9, Delivered: 6, Dropped: 3}}}
	}); err != nil {
		t.Fatal(err)
	}
	r := ok(0)
	r.Source, r.Captured, r.Took.Infer = "front", time.Now(), 3*time.Millisecond
	m.Emit(t.Context(), r, nil)
	r.Captured = r.Captured.Add(-time.Second)
	m.Emit(t.Context(), r, nil)
	m.Emit(t.Context(), &perception.Result{Source: "rear", Status: perception.Black}, nil)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		`perceive_results_total{source="front",status="ok"} 2`,
		`perceive_results_total{source="front",status="black"} 0`,
		`perceive_results_total{source="rear",status="black"} 1`,
		`perceive_results_late_total{source="front"} 1`,
		`perceive_stage_seconds_bucket{source="front",stage="infer",le="0.0025"} 0`,
		`perceive_stage_seconds_bucket{source="front",stage="infer",le="0.005"} 2`,
		`perceive_stage_seconds_count{source="rear",stage="infer"} 0`,
		`perceive_age_seconds_count{source="front"} 2`,
		`perceive_label_state{label="bright",source="front"} 1`,
		`perceive_label_state{label="red",source="front"} 0`,
		`perceive_label_state{label="red",source="rear"} -1`,
		`perceive_output_written_total{output="file"} 7`,
		`perceive_output_dropped_total{output="file"} 3`,
		`perceive_output_waiting{output="file"} 2`,
		`perceive_output_pictures_total{fate="written",output="file"} 5`,
		`perceive_output_failing{output="file"} 1`,
		`perceive_output_failing{output="mcap"} 0`,
		`perceive_camera_frames_total{fate="captured",source="front"} 9`,
		`perceive_camera_state{source="front",state="stalled"} 1`,
		`perceive_camera_state{source="front",state="streaming"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
