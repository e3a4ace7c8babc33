package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"perceive/camera"
	"perceive/hw/board"
	"perceive/perception"
	"perceive/perception/model"
)

// Deps are what the daemon is built of and does not make itself.
type Deps struct {
	Log *slog.Logger
	// Program and version, for headers.
	Program string
	// Load loads and proves a model file.
	Load func(ctx context.Context, file string) (*model.Model, error)
	// Open opens a camera; what happens to it is told to onEvent.
	Open func(s SourceConfig, onEvent func(camera.Event)) (camera.Source, error)
	// Outputs open the outputs, when what their header says is known.
	Outputs func(perception.Header) (Outputs, error)
	// Guards are asked about each frame of a source.
	Guards func(s SourceConfig) ([]perception.Guard, error)
}

// Outputs are what takes the results of all sources.
type Outputs interface {
	// Sinks are what each source's results go to. They must not block.
	Sinks() []perception.Sink
	// Camera tells of a change of a source's state.
	Camera(source string, e camera.Event)
	// Model tells of a model that took another's place; what a header said of it is over.
	Model(h perception.Header)
	// Status is what became of what.
	Status() []Output
	// Close writes what waits, until ctx ends.
	Close(ctx context.Context) error
}

// Daemon is the running program.
type Daemon struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	started time.Time
	stuck   chan error // a stage that does not come back

	ready    atomic.Bool
	mu       sync.Mutex
	model    Model
	reload   *Reload
	detector *perception.Detector
	sources  []*source
	board    *thermometer
	outputs  Outputs
	loading  sync.Mutex // one reload at a time
	broken   sync.Map   // outputs that fail: name to since when
}

// New makes a daemon that Run starts.
func New(cfg Config, deps Deps) *Daemon {
	return &Daemon{cfg: cfg, deps: deps, log: deps.Log, started: time.Now(), stuck: make(chan error, 1)}
}

// Run is the daemon's life: it returns nil when ctx has ended and everything was put away in
// order, and else what could not be started, or what stopped.
func (d *Daemon) Run(ctx context.Context) (err error) {
	m, err := d.deps.Load(ctx, d.cfg.Model.File)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.detector = perception.NewDetector(m)
	d.mu.Unlock()
	defer func() { err = errors.Join(err, d.closeModel()) }()
	first, last, settled, err := warmUp(ctx, m)
	if err != nil {
		return err
	}
	if !settled {
		d.log.Warn("the model's latency has not settled in the warm-up: something else keeps this machine busy", "last_ms", ms(last))
	}
	steady, err := d.cfg.Decide.Steady(m.Manifest().Labels)
	if err != nil {
		return err
	}
	d.setModel(describe(m, steady, first, last))
	d.log.Info("model", "file", d.cfg.Model.File, "name", m.Manifest().Name, "graph", m.Manifest().GraphSHA256,
		"provider", m.Report().String(), "first_ms", ms(first), "warm_ms", ms(last))
	if rep := m.Report(); rep.Degraded {
		d.log.Warn("degraded", "provider", rep.String())
	}
	out, err := d.deps.Outputs(d.header())
	if err != nil {
		return err
	}
	if p, ok := out.(*Published); ok {
		err = p.metrics.CollectCameras(d.cameras)
	}
	d.mu.Lock()
	d.outputs = out
	d.mu.Unlock()
	if err != nil {
		return errors.Join(err, out.Close(ctx))
	}
	if err := d.watchBoard(); err != nil {
		return errors.Join(err, out.Close(ctx))
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := make(chan struct{})
	go d.board.run(work)
	d.board.await(ctx)
	if err := d.startSources(work, steady, done); err != nil {
		stop()
		return errors.Join(err, d.stop(done))
	}
	d.ready.Store(true)
	notify("READY=1")
	d.log.Info("ready", "sources", len(d.sources))
	go d.watchdog(work)
	select {
	case <-ctx.Done():
	case <-done:
		d.log.Info("every source has ended")
	case err = <-d.stuck:
		d.ready.Store(false)
		// The frame path cannot be waited for; what it has published can be kept.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.cfg.Watch.Stop)
		defer cancel()
		return errors.Join(err, out.Close(ctx))
	}
	notify("STOPPING=1")
	d.ready.Store(false)
	d.log.Info("stopping")
	stop()
	return errors.Join(err, d.stop(done))
}

// watchBoard makes the thermometer.
func (d *Daemon) watchBoard() error {
	t, err := newThermometer(d.cfg.Board, d.cfg.Provider.Device, func(s board.State) {
		d.log.Warn("board", "level", s.Level.String(), "reason", s.Reason)
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.board = t
	d.mu.Unlock()
	return nil
}

// stop puts everything away, in the order in which results flow.
func (d *Daemon) stop(done <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), d.cfg.Watch.Stop)
	defer cancel()
	// The queues keep half of the time: a frame path that hangs must not cost them theirs.
	half := time.NewTimer(d.cfg.Watch.Stop / 2)
	defer half.Stop()
	var errs []error
	select {
	case <-done:
	case <-half.C:
		errs = append(errs, fmt.Errorf("serve: the frame path did not end within %v", d.cfg.Watch.Stop/2))
	}
	return errors.Join(append(errs, d.outputs.Close(ctx))...)
}

// closeModel frees the model, or leaves that to the last of its lanes: where a stage is stuck in
// it, or a camera's frames have not ended in time, the model stays until they come back.
func (d *Daemon) closeModel() error {
	return errors.Join(d.detector.Close(), d.detector.Model().Retire())
}

// startSources opens the cameras and starts a pipeline for each. done is closed when all have
// ended.
func (d *Daemon) startSources(ctx context.Context, steady []perception.Steady, done chan<- struct{}) error {
	var wg sync.WaitGroup
	defer func() {
		go func() {
			wg.Wait()
			close(done)
		}()
	}()
	for _, cfg := range d.cfg.Sources {
		s, err := d.newSource(cfg, steady)
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.sources = append(d.sources, s)
		d.mu.Unlock()
		wg.Go(func() { s.run(ctx) })
	}
	return nil
}

// ms is a time in milliseconds, to a thousandth.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
