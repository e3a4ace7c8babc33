package serve

import (
	"context"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"perceive/camera"
	"perceive/camera/framecode"
	"perceive/camera/guard"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

// counted is a source of n frames that change, every tenth of which was dropped.
type counted struct {
	n, next int
	ring    []*camera.Frame
	lost    camera.FrameError
}

func (c *counted) Info() camera.Info { return camera.Info{URI: "counted", Kind: "test"} }
func (c *counted) Close() error      { return nil }
func (c *counted) Next(context.Context) (*camera.Frame, error) {
	if c.next == c.n {
		return nil, io.EOF
	}
	i := c.next
	c.next++
	if i%10 == 9 {
		c.lost = camera.FrameError{Seq: uint64(i), Time: time.Duration(i) * time.Millisecond, Name: "counted", Err: camera.ErrDropped}
		return nil, &c.lost
	}
	f := c.ring[i%len(c.ring)]
	f.Seq, f.Time, f.Captured = uint64(i), time.Duration(i)*time.Millisecond, time.Now()
	f.Pix[3*(i%1000)] ^= 0xff
	return f, nil
}

// The whole way of a frame, from the camera's buffer to every output, allocates nothing once warm:
// guards, the bench's number, network, states, metrics and queues.
func TestFramePathAllocatesNothing(t *testing.T) {
	m, err := model.Load(t.Context(), orttest.Runtime(t), modeltest.File(t, nil), nil, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	det := perception.NewDetector(m)
	defer det.Close()
	cfg := Default()
	cfg.Outputs.Stdout, cfg.Outputs.File.Dir, cfg.Outputs.MCAP.Dir, cfg.Outputs.MCAP.Pictures = true, t.TempDir(), t.TempDir(), 0
	out, err := Publish(cfg.Outputs, cfg.Deadline, perception.NewHeader(det, camera.Info{}, "test"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close(context.Background())
	decider, err := perception.NewDecider(perception.SteadyLabels(m.Manifest().Labels, 0.8, time.Second), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var ring []*camera.Frame
	for range 8 {
		f := camera.NewFrame(320, 180, nil)
		for i := range f.Pix {
			f.Pix[i] = byte(i * 7)
		}
		ring = append(ring, f)
	}
	m1 := newMeter(time.Second)
	pipe := perception.Pipeline{Detector: det, Name: "front", Decider: decider, Code: framecode.Read, Watch: &perception.Watch{},
		Guards: []perception.Guard{perception.InputGuard{Guard: guard.New(guard.Default)}},
		Sinks:  slices.Concat([]perception.Sink{m1}, out.Sinks(), []perception.Sink{&tap{done: m1.published}})}
	mallocs := func(n int) int64 {
		var before, after runtime.MemStats
		pipe.Source = &counted{n: n, ring: ring}
		runtime.ReadMemStats(&before)
		if err := pipe.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return int64(after.Mallocs - before.Mallocs)
	}
	mallocs(5000) // warm
	few, many := mallocs(1000), mallocs(41000)
	// Timers and files make some, and so do the lines that say what a queue has lost: without a
	// camera to wait for, frames come faster than files can be written.
	if each := float64(many-few) / 40000; each > 0.2 {
		t.Errorf("%.3f allocations a frame (%d for 1000 frames, %d for 41000)", each, few, many)
	} else {
		t.Logf("%d for 1000 frames, %d for 41000", few, many)
	}
}
