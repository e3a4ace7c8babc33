package serve

import (
	"context"
	"slices"
	"sync"

	"perceive/camera"
	"perceive/perception"
)

// tap is a sink that keeps a copy of a frame and its result when somebody asks for one: for a
// picture over HTTP, and for a model that is tried beside the one that runs. While nobody
// asks it costs a look at a flag.
type tap struct {
	done    func() // called with each result: the tap is the last of the sinks
	mu      sync.Mutex
	waiting []chan *sample
}

// sample is a frame with its result, which belong to who asked.
type sample struct {
	frame  *camera.Frame
	result perception.Result
}

// next waits for the next frame that has a picture.
func (t *tap) next(ctx context.Context) (*sample, error) {
	c := make(chan *sample, 1)
	t.mu.Lock()
	t.waiting = append(t.waiting, c)
	t.mu.Unlock()
	select {
	case s := <-c:
		return s, nil
	case <-ctx.Done():
		t.mu.Lock()
		t.waiting = slices.DeleteFunc(t.waiting, func(o chan *sample) bool { return o == c })
		t.mu.Unlock()
		return nil, ctx.Err()
	}
}

// Emit implements perception.Sink.
func (t *tap) Emit(_ context.Context, r *perception.Result, f *camera.Frame) error {
	defer t.done()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 || f == nil {
		return nil
	}
	for _, c := range t.waiting {
		c <- take(r, f) // has room for one, and is asked once
	}
	clear(t.waiting) // or they would keep their frames
	t.waiting = t.waiting[:0]
	return nil
}

// Close implements perception.Sink.
func (t *tap) Close() error { return nil }

func take(r *perception.Result, f *camera.Frame) *sample {
	s := &sample{frame: camera.NewFrame(f.Width, f.Height, nil), result: *r}
	s.frame.Seq, s.frame.Time, s.frame.Captured, s.frame.Stamp, s.frame.Clock = f.Seq, f.Time, f.Captured, f.Stamp, f.Clock
	for y := range f.Height {
		copy(s.frame.Pix[y*s.frame.Stride:][:3*f.Width], f.Pix[y*f.Stride:])
	}
	s.result.Answers = slices.Clone(r.Answers)
	for i := range s.result.Answers {
		w := &s.result.Answers[i].Where
		w.Boxes = slices.Clone(w.Boxes)
	}
	return s
}
