package perception_test

import (
	"io"
	"path/filepath"
	"testing"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// Every sink takes whatever a pipeline can give it, in the order of frames, and closes
// once with all of it.
func TestSinksTakeEverything(t *testing.T) {
	d := detector(t)
	head := perception.NewHeader(d, camera.Info{URI: "test", Kind: "test", FPS: 10}, "test")
	video := filepath.Join(t.TempDir(), "a.mp4")
	for name, open := range map[string]func() (perception.Sink, error){
		"json lines": func() (perception.Sink, error) { return perception.NewJSONL(io.Discard, head) },
		"file": func() (perception.Sink, error) {
			return perception.CreateJSONL(filepath.Join(t.TempDir(), "d.jsonl"), head)
		},
		"video":   func() (perception.Sink, error) { return perception.NewAnnotator(video, head, d) },
		"summary": func() (perception.Sink, error) { return perception.NewSummary([]string{"bright", "red"}), nil },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := open()
			if err != nil {
				t.Fatal(err)
			}
			answers := []perception.Answer{{P: 0.9, On: true}, {P: 0.1}}
			for i, step := range []struct {
				r perception.Result
				f *camera.Frame
			}{
				{perception.Result{Status: perception.Unreadable, Reason: `a "quoted" reason` + "\n"}, nil},
				{perception.Result{Status: perception.OK, Answers: answers}, camera.NewFrame(160, 120, nil)},
				{perception.Result{Status: perception.OK, Answers: answers, Maps: perception.Maps{P: make([]float32, 8), Width: 2, Height: 2}}, camera.NewFrame(160, 120, nil)},
				{perception.Result{Status: perception.Failed, Reason: "no answer"}, camera.NewFrame(160, 120, nil)},
				{perception.Result{Status: perception.OK, Answers: answers}, camera.NewFrame(90, 200, nil)}, // another size
				{perception.Result{Status: perception.OK, Answers: answers}, camera.NewFrame(33, 17, nil)},
			} {
				step.r.Seq, step.r.Time = uint64(i), time.Duration(i)*100*time.Millisecond
				if err := s.Emit(t.Context(), &step.r, step.f); err != nil {
					t.Fatalf("result %d: %v", i, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
