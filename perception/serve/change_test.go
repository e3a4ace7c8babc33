package serve

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"perceive/camera"
	"perceive/export/onnx"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

// loaded keeps the models that a daemon loads.
type loaded struct {
	mu  sync.Mutex
	all []*model.Model
}

func (l *loaded) watch(d *Deps, t *testing.T) {
	load := d.Load
	d.Load = func(ctx context.Context, file string) (*model.Model, error) {
		m, err := load(ctx, file)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil {
			l.all = append(l.all, m)
			t.Cleanup(func() { m.Close() })
		}
		return m, err
	}
}

// open says which of the models can be run.
func (l *loaded) open() (out []bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.all {
		lane, err := m.NewLane()
		if err == nil {
			lane.Close()
		}
		out = append(out, err == nil)
	}
	return out
}

func next(m *models.Manifest) { m.Version, m.Labels[0].Threshold = "next", 0 }

// A camera that is lost keeps nothing of the model before.
func TestReloadWhileACameraIsLost(t *testing.T) {
	var l loaded
	var lost atomic.Bool
	r := start(t, func(c *Config) { c.Model.Shadow = 1 }, func(d *Deps, r *rig) {
		l.watch(d, t)
		d.Open = func(s SourceConfig, _ func(camera.Event)) (camera.Source, error) {
			c := &steadyCamera{begin: time.Now(), hang: &r.hang}
			if s.Name == "right" {
				c.hang = &lost
			}
			return c, nil
		}
	})
	until(t, "results", func() bool { return r.out.count("left") > 20 && r.out.count("right") > 20 })
	lost.Store(true)
	until(t, "a second of the other camera alone", func() bool {
		before, left := r.out.count("right"), r.out.count("left")
		until(t, "results", func() bool { return r.out.count("left") > left+20 })
		return r.out.count("right") == before
	})
	r.file = modeltest.File(t, next)
	if err := r.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if o := l.open(); len(o) != 2 || o[0] || !o[1] {
		t.Errorf("open models: %v; want the second alone", o)
	}
	lost.Store(false)
	if got, err := r.sources[1].tap.next(t.Context()); err != nil || got.result.Answers[0].State != perception.On {
		t.Errorf("%v: the first frame after: %+v", err, got)
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	if o := l.open(); o[1] {
		t.Error("a model is open after the end")
	}
}

// Between the results of two models stands the word that they changed, for every camera.
func TestModelIsToldBeforeItsResults(t *testing.T) {
	r := start(t, nil, func(_ *Deps, r *rig) { r.out.states = []told{} })
	until(t, "results", func() bool { return r.out.count("left") > 20 && r.out.count("right") > 20 })
	r.file = modeltest.File(t, next)
	if err := r.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	for i, s := range r.out.states { // the pictures are black
		if want := []perception.State{perception.Off, perception.On}[s.models]; s.state != want {
			t.Fatalf("result %d, after %d changes that were told, is %v: want %v", i, s.models, s.state, want)
		}
	}
	if n := r.out.states[len(r.out.states)-1].models; n != 1 {
		t.Errorf("%d changes were told", n)
	}
}

// brittle is a model whose answers to white pictures are no probabilities.
func brittle(t *testing.T) []byte {
	t.Helper()
	g := modeltest.Graph(t)
	for i, w := range g.Graph.Initializer {
		if w.GetName() == "mix" {
			g.Graph.Initializer[i] = onnx.NewTensorFloat32("mix", w.Dims, []float32{9, 9, 9, 9, 9, 9})
		}
	}
	bare, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	m := modeltest.Manifest(t)
	m.Version, m.Golden = "brittle", m.Golden[:1] // black
	if m.GraphSHA256, err = onnx.GraphSHA256(bare); err != nil {
		t.Fatal(err)
	}
	text, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	g.SetMetadata(models.MetadataKey, string(text))
	file, err := onnx.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A model that fails in earnest goes, everywhere, and what is said of the model is true before,
// between and after.
func TestRollback(t *testing.T) {
	var l loaded
	var white atomic.Bool
	r := start(t, nil, func(d *Deps, r *rig) {
		l.watch(d, t)
		d.Open = func(SourceConfig, func(camera.Event)) (camera.Source, error) {
			return &steadyCamera{begin: time.Now(), hang: &r.hang, white: &white}, nil
		}
	})
	until(t, "results", func() bool { return r.out.count("left") > 20 && r.out.count("right") > 20 })
	var seen []string
	r.out.mu.Lock()
	r.out.onModel = func() {
		white.Store(true)
		seen = append(seen, r.running().Version)
	}
	r.out.mu.Unlock()
	r.file = brittle(t)
	if err := r.Reload(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "rolled back") {
		t.Fatalf("%v: want a rollback", err)
	}
	s := r.Status()
	if s.Reload.Result != "refused" || !strings.Contains(s.Reload.Reason, "rolled back") || s.Model.Version != "" {
		t.Errorf("%+v %+v", s.Reload, s.Model)
	}
	if o := l.open(); len(o) != 2 || !o[0] || o[1] {
		t.Errorf("open models: %v; want the first alone", o)
	}
	for _, src := range r.sources {
		if got, err := src.tap.next(t.Context()); err != nil || got.result.Status != perception.OK {
			t.Errorf("%s: %v %+v", src.cfg.Name, err, got)
		}
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	if m := r.out.models; len(m) != 2 || m[0] != "brittle" || m[1] != "" {
		t.Errorf("the outputs were told of %q", m)
	}
	if len(seen) != 2 || seen[0] != "brittle" || seen[1] != "" {
		t.Errorf("the status said %q when they were", seen)
	}
}

// What does not come back while a model is to be changed keeps the change from being made, which
// the status says.
func TestReloadRefusedWhileAFrameIsStuck(t *testing.T) {
	r := start(t, func(c *Config) { c.Model.Shadow, c.Watch.Stage, c.Watch.GiveUp = 0, 50*time.Millisecond, time.Minute }, nil)
	until(t, "results", func() bool { return r.out.count("left") > 20 })
	r.out.mu.Lock() // an output that holds up all cameras
	err := r.Reload(t.Context(), "")
	r.out.mu.Unlock()
	if err == nil || !strings.Contains(err.Error(), "do not end") {
		t.Errorf("%v: want that frames do not end", err)
	}
	if err := r.Reload(t.Context(), ""); err != nil {
		t.Errorf("once they have ended: %v", err)
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}

// Where a stage is given up, its model is freed when the stage has come back from it: not before,
// and not never. Nothing is ready by then.
func TestStuckStageKeepsItsModel(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  func(*Config)
		want string
	}{
		"at the end": {func(c *Config) { c.Watch.Stop = 100 * time.Millisecond }, "did not end within"},
		"for too long": {func(c *Config) {
			c.Watch.Stop, c.Watch.Stage, c.Watch.GiveUp = 100*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond
		}, "given up"},
	} {
		t.Run(name, func(t *testing.T) {
			var l loaded
			block := make(chan struct{})
			r := start(t, c.cfg, func(d *Deps, r *rig) {
				l.watch(d, t)
				r.out.block = block
			})
			until(t, "a frame that is stuck", func() bool {
				_, took := r.slowest()
				return took > 10*time.Millisecond
			})
			if c.want != "given up" {
				r.stop()
			}
			if err := <-r.done; err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: want %q", err, c.want)
			}
			if r.Status().Ready {
				t.Error("ready, though it has ended")
			}
			if o := l.open(); !o[0] {
				t.Error("the model is closed while frames are in it")
			}
			close(block)
			until(t, "a model that is closed", func() bool { return !l.open()[0] })
		})
	}
}

// slowest is the stage that has been busy for longest.
func (r *rig) slowest() (perception.Stage, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sources {
		if stage, took := s.watch.Slowest(time.Now()); took > 0 {
			return stage, took
		}
	}
	return 0, 0
}
