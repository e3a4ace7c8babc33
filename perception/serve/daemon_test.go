package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"perceive/camera"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/model/modeltest"
)

// steadyCamera is a live camera of 32×32 pictures that can be stopped.
type steadyCamera struct {
	seq   uint64
	begin time.Time
	hang  *atomic.Bool
	white *atomic.Bool // nil: the pictures are black
	ring  [8]*camera.Frame
}

func (c *steadyCamera) Info() camera.Info { return camera.Info{URI: "fake", Kind: "fake", Live: true} }
func (c *steadyCamera) Close() error      { return nil }
func (c *steadyCamera) Next(ctx context.Context) (*camera.Frame, error) {
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-t.C:
		}
		if !c.hang.Load() {
			break
		}
	}
	i := c.seq % uint64(len(c.ring))
	if c.ring[i] == nil {
		c.ring[i] = camera.NewFrame(32, 32, nil)
	}
	f := c.ring[i]
	if c.white != nil && c.white.Load() {
		for i := range f.Pix {
			f.Pix[i] = 255
		}
	}
	f.Seq, f.Captured, f.Time = c.seq, time.Now(), time.Since(c.begin)
	c.seq++
	return f, nil
}

// recorder is outputs that keep what they get.
type recorder struct {
	mu     sync.Mutex
	seqs   map[string][]uint64
	events []string
	models []string      // versions, of those events
	states []told        // of the first label, kept if it is not nil
	block  chan struct{} // not nil: Emit waits for it
	closed bool
	// onModel, if not nil, is called with the event of a model.
	onModel func()
}

// told is a state, and how many changes of the model had been told before.
type told struct {
	models int
	state  perception.State
}

// keeper is the recorder as a sink.
type keeper struct{ *recorder }

func (keeper) Close() error { return nil }

func (o *recorder) Sinks() []perception.Sink { return []perception.Sink{keeper{o}} }
func (o *recorder) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	if o.block != nil {
		<-o.block
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seqs[r.Source] = append(o.seqs[r.Source], r.Seq)
	if r.Status == perception.OK && o.states != nil {
		o.states = append(o.states, told{len(o.models), r.Answers[0].State})
	}
	return nil
}
func (o *recorder) Camera(source string, e camera.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, source+" "+string(e.State))
}
func (o *recorder) Model(h perception.Header) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, "model")
	o.models = append(o.models, h.Model.Version)
	if o.onModel != nil {
		o.onModel()
	}
}
func (o *recorder) Status() []Output            { return []Output{{Name: "recorder"}} }
func (o *recorder) Close(context.Context) error { o.closed = true; return nil }
func (o *recorder) count(source string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.seqs[source])
}

// rig is a daemon with fakes around it.
type rig struct {
	*Daemon
	out  *recorder
	hang atomic.Bool
	file []byte // of the model that Load reads
	done chan error
	stop context.CancelFunc
}

func start(t *testing.T, change func(*Config), deps func(*Deps, *rig)) *rig {
	t.Helper()
	cfg := Default()
	cfg.Sources = []SourceConfig{{Name: "left", URI: "fake"}, {Name: "right", URI: "fake"}}
	cfg.Model.File, cfg.Model.Shadow, cfg.Model.ShadowTime = "test", 10, 10*time.Second
	if change != nil {
		change(&cfg)
	}
	r := &rig{out: &recorder{seqs: map[string][]uint64{}}, file: modeltest.File(t, nil), done: make(chan error, 1)}
	d := Deps{
		Log: slog.New(slog.DiscardHandler), Program: "test",
		Load: func(ctx context.Context, file string) (*model.Model, error) {
			if file == "broken" {
				return nil, errors.New("broken: no such model")
			}
			return model.Load(ctx, orttest.Runtime(t), r.file, nil, ort.Options{Threads: 1})
		},
		Open: func(s SourceConfig, on func(camera.Event)) (camera.Source, error) {
			return &steadyCamera{begin: time.Now(), hang: &r.hang}, nil
		},
		Outputs: func(perception.Header) (Outputs, error) { return r.out, nil },
		Guards:  func(SourceConfig) ([]perception.Guard, error) { return nil, nil },
	}
	if deps != nil {
		deps(&d, r)
	}
	r.Daemon = New(cfg, d)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.done <- r.Run(ctx) }()
	t.Cleanup(cancel)
	return r
}

// patience is how long things may take that are expected to happen.
const patience = 30 * time.Second

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func (r *rig) end(t *testing.T) error {
	t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		t.Fatal("the daemon does not end")
		return nil
	}
}

func (r *rig) problem(part string) bool {
	for _, p := range r.Status().Problems {
		if strings.Contains(p.Part+": "+p.What, part) {
			return true
		}
	}
	return false
}

// Both cameras' frames come out, each once and in order, and the daemon ends in order.
func TestLife(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := start(t, nil, nil)
	until(t, "50 results of each camera", func() bool { return r.out.count("left") > 50 && r.out.count("right") > 50 })
	s := r.Status()
	if !s.Ready || !s.Healthy || len(s.Problems) > 0 || len(s.Sources) != 2 || s.Model.Name == "" || s.Provider.Used != "cpu" {
		t.Errorf("%+v", s)
	}
	src := s.Sources[0]
	if src.State != camera.Streaming || src.Results["ok"] < 50 || src.Counts.Captured != src.Results["ok"] || src.Stages["infer"].P50 <= 0 || src.Width != 32 {
		t.Errorf("%+v", src)
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	if !r.out.closed {
		t.Error("the outputs are still open")
	}
	for name, seqs := range r.out.seqs {
		for i, seq := range seqs {
			if seq != uint64(i) {
				t.Fatalf("%s: result %d is of frame %d", name, i, seq)
			}
		}
	}
	if r.Status().Ready {
		t.Error("ready after the end")
	}
}

// A camera that gives nothing makes the daemon unhealthy, and frames make it healthy again.
func TestSilenceIsUnhealthy(t *testing.T) {
	r := start(t, func(c *Config) { c.Watch.Silence = 300 * time.Millisecond }, nil)
	until(t, "healthy", func() bool { return r.Status().Healthy })
	r.hang.Store(true)
	until(t, "unhealthy", func() bool { return !r.Status().Healthy && r.problem("source left: no results come") })
	r.hang.Store(false)
	until(t, "healthy again", func() bool { return r.Status().Healthy && len(r.Status().Problems) == 0 })
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}

// What cannot be started says why.
func TestStartFails(t *testing.T) {
	for name, c := range map[string]struct {
		deps func(*Deps, *rig)
		cfg  func(*Config)
		want string
	}{
		"no model": {cfg: func(c *Config) { c.Model.File = "broken" }, want: "no such model"},
		"no camera": {deps: func(d *Deps, _ *rig) {
			d.Open = func(SourceConfig, func(camera.Event)) (camera.Source, error) { return nil, io.ErrUnexpectedEOF }
		}, want: "source left: unexpected EOF"},
		"no output": {deps: func(d *Deps, _ *rig) {
			d.Outputs = func(perception.Header) (Outputs, error) { return nil, os.ErrPermission }
		}, want: "permission denied"},
		"no label": {cfg: func(c *Config) { c.Decide.Labels = map[string]LabelConfig{"tram": {}} }, want: "decide.labels.tram"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, c.cfg, c.deps)
			select {
			case err := <-r.done:
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
			case <-time.After(patience):
				t.Fatal("it runs")
			}
		})
	}
}

// A good model takes over without a missed frame; a bad one leaves the old one running.
func TestReload(t *testing.T) {
	r := start(t, nil, nil)
	until(t, "results", func() bool { return r.out.count("left") > 20 })
	r.file = modeltest.File(t, func(m *models.Manifest) { m.Version = "next"; m.Labels[0].Threshold = 0 })
	if err := r.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	s := r.Status()
	if s.Model.Version != "next" || s.Reload == nil || s.Reload.Result != "swapped" || !strings.Contains(s.Reload.Reason, "10 live frames, 50.0 %") {
		t.Errorf("%+v %+v", s.Model, s.Reload)
	}
	// The pictures are black: on for the new model alone, whose threshold is 0.
	if got, err := r.sources[0].tap.next(t.Context()); err != nil || got.result.Answers[0].State != perception.On {
		t.Errorf("%v: %+v", err, got)
	}
	if len(r.out.events) != 1 || r.out.events[0] != "model" {
		t.Errorf("events %q", r.out.events)
	}
	for file, want := range map[string]string{"broken": "no such model"} {
		if err := r.Reload(t.Context(), file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	r.file = modeltest.File(t, func(m *models.Manifest) { m.Labels[0].ID = "tram" })
	if err := r.Reload(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "tram") {
		t.Errorf("other labels: %v", err)
	}
	if s := r.Status(); s.Model.Version != "next" || s.Reload.Result != "refused" || !s.Healthy {
		t.Errorf("after a bad one: %+v %+v", s.Model, s.Reload)
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	for i, seq := range r.out.seqs["left"] {
		if seq != uint64(i) {
			t.Fatalf("result %d is of frame %d", i, seq)
		}
	}
}

// Without live frames a candidate is not believed.
func TestReloadNeedsFrames(t *testing.T) {
	r := start(t, func(c *Config) { c.Model.ShadowTime = 200 * time.Millisecond }, nil)
	until(t, "results", func() bool { return r.out.count("left") > 5 })
	r.hang.Store(true)
	time.Sleep(50 * time.Millisecond)
	if err := r.Reload(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "live frames") {
		t.Error(err)
	}
}

// A message that comes again and again is written once in a time, with how often it was held back.
func TestLogIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		log := slog.New(Limit(slog.NewTextHandler(&b, nil), time.Second))
		for range 100 {
			log.Warn("camera", "source", "front")
		}
		log.Warn("camera", "source", "rear")
		time.Sleep(2 * time.Second)
		log.Warn("camera", "source", "front")
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[2], "held_back=99") {
			t.Errorf("%q", lines)
		}
	})
}

func TestMeterAllocatesNothing(t *testing.T) {
	m := newMeter(time.Second)
	f := camera.NewFrame(4, 4, nil)
	r := &perception.Result{Status: perception.OK, Captured: time.Now()}
	tp := &tap{done: m.published}
	if n := testing.AllocsPerRun(1000, func() {
		m.Emit(context.Background(), r, f)
		tp.Emit(context.Background(), r, f)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
