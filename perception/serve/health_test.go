package serve

import (
	"strings"
	"testing"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// A stage that does not come back is noticed, and in the end the process is.
func TestStuckStage(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	r := start(t, func(c *Config) { c.Watch.Stage, c.Watch.GiveUp = 100*time.Millisecond, time.Second },
		func(_ *Deps, r *rig) { r.out.block = block })
	until(t, "unhealthy", func() bool { return !r.Status().Healthy && r.problem("stage publish has been busy") })
	select {
	case err := <-r.done:
		if err == nil || !strings.Contains(err.Error(), "stage publish") || !strings.Contains(err.Error(), "given up") {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the daemon goes on")
	}
}

// A camera is barred from its first event that says so until one that does not.
func TestBarred(t *testing.T) {
	r := start(t, func(c *Config) { c.Watch.Blocked = 0 }, nil) // for ever
	until(t, "results", func() bool { return r.out.count("left") > 0 })
	left, now := r.sources[0], time.Now()
	for _, c := range []struct {
		at      time.Duration
		state   camera.State
		blocked bool
		limit   time.Duration
		barred  bool
	}{
		{0, camera.Lost, true, time.Minute, false},
		{2 * time.Minute, camera.Lost, true, time.Minute, true},
		{2 * time.Minute, camera.Lost, true, 0, false},
		{3 * time.Minute, camera.Connecting, false, time.Minute, false},
	} {
		left.happened(camera.Event{Time: now.Add(c.at), State: c.state, Blocked: c.blocked, Reason: "reads block"})
		if err := left.barred(now.Add(c.at), c.limit); (err != nil) != c.barred {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}

// A camera whose reads hang in native code for good ends the process, which alone frees them.
func TestBlockedCamera(t *testing.T) {
	r := start(t, func(c *Config) { c.Watch.Blocked = 50 * time.Millisecond }, nil)
	until(t, "results", func() bool { return r.out.count("left") > 0 })
	r.sources[0].happened(camera.Event{Time: time.Now(), State: camera.Lost, Blocked: true, Reason: "3 reads still block"})
	select {
	case err := <-r.done:
		if err == nil || !strings.Contains(err.Error(), "source left: 3 reads still block") || !strings.Contains(err.Error(), "given up") {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the daemon goes on")
	}
}

// A network that fails on every frame gives results, and is not healthy for that.
func TestFailuresAreNoResults(t *testing.T) {
	m := newMeter(time.Second)
	from := time.Now().Add(-time.Minute)
	m.Emit(t.Context(), &perception.Result{Status: perception.Failed, Reason: "no answer"}, nil)
	if m.silent(time.Now(), from) < time.Minute {
		t.Error("a failure counts as a result")
	}
	m.Emit(t.Context(), &perception.Result{Status: perception.Black}, nil)
	if m.silent(time.Now(), from) > time.Second {
		t.Error("a black frame's result does not count")
	}
	// Statuses that take turns are one trouble, from the first one on.
	_, _, since := m.current()
	m.Emit(t.Context(), &perception.Result{Status: perception.Dropped}, nil)
	if _, _, again := m.current(); again != since {
		t.Error("a trouble of two statuses begins anew with each")
	}
}
