package perception_test

import (
	"image"
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
		"video":   func() (perception.Sink, error) { return perception.NewAnnotator(video, head) },
		"summary": func() (perception.Sink, error) { return perception.NewSummary([]string{"bright", "red"}), nil },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := open()
			if err != nil {
				t.Fatal(err)
			}
			answers := []perception.Answer{{P: 0.9, State: perception.On}, {P: 0.1}}
			at := func(x, y int, boxes ...image.Rectangle) perception.Where {
				w := perception.Where{Peak: perception.Peak{Point: image.Pt(x, y), P: 0.8}}
				for _, r := range boxes {
					w.Boxes = append(w.Boxes, perception.Box{Rectangle: r, P: 0.8})
				}
				return w
			}
			seen := []perception.Answer{
				{P: 0.9, State: perception.On, Where: at(0, 0, image.Rect(0, 0, 160, 120), image.Rect(159, 119, 160, 120))},
				{P: 0.8, State: perception.On, Where: at(159, 119)},
			}
			for i, step := range []struct {
				r perception.Result
				f *camera.Frame
			}{
				{perception.Result{Status: perception.Unreadable, Reason: `a "quoted" reason` + "\n"}, nil},
				{perception.Result{Status: perception.OK, Answers: answers}, camera.NewFrame(160, 120, nil)},
				{perception.Result{Status: perception.OK, Answers: seen}, camera.NewFrame(160, 120, nil)},
				{perception.Result{Status: perception.Failed, Reason: "no answer"}, camera.NewFrame(160, 120, nil)},
				{perception.Result{Status: perception.OK, Answers: answers}, camera.NewFrame(90, 200, nil)}, // another size
				{perception.Result{Status: perception.OK, Answers: answers}, camera.NewFrame(33, 17, nil)},
				{perception.Result{Status: perception.OK, Answers: seen}, camera.NewFrame(1, 1, nil)}, // no room for a word
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
