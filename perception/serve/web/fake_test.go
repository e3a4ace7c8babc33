package web_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/camera/scene"
	"perceive/hw"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/publish"
	"perceive/perception/serve/status"
)

// The fake's frames: large enough to see something, and drawn once.
const (
	frameWidth, frameHeight = 640, 360
	drawn                   = 24 // frames of each drive, shown over and over
	rate                    = 8  // frames a second
)

// drive is a few frames and what is in them.
type drive struct {
	pix   [][]byte
	truth []scene.Truth
}

var drives = sync.OnceValue(func() map[string]drive {
	out := map[string]drive{}
	for name, seed := range map[string]uint64{"front": 2, "rear": 11} {
		c := scene.Config{Seed: seed, Width: frameWidth, Height: frameHeight, FPS: 3, Seconds: drawn / 3.}
		src, err := scene.Open(c)
		if err != nil {
			panic(err)
		}
		var d drive
		for seq := range uint64(drawn) {
			f, err := src.Next(context.Background())
			if err != nil {
				panic(err)
			}
			d.pix = append(d.pix, slices.Clone(f.Pix))
			d.truth = append(d.truth, c.TruthAt(seq))
			f.Release()
		}
		src.Close()
		out[name] = d
	}
	return out
})

// fake is a daemon whose cameras are drawn and whose network is the truth, more or less.
type fake struct {
	events  *publish.Events
	metrics *publish.Metrics
	started time.Time
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu       sync.Mutex
	cams     []*fakeCamera
	silent   bool // no model, no sources
	degraded bool
	hot      bool
	reload   *status.Reload
}

type fakeCamera struct {
	name    string
	drive   drive
	decider *perception.Decider
	seq     atomic.Uint64
	frames  chan struct{} // closed and made anew with each frame
	at      time.Time
	lost    string // why, if it is
	since   time.Time
	counts  camera.Counts
	results map[string]uint64
	boxes   []perception.Box
	p       []float64
	// always, if not nil, is what the network says of each label.
	always []float32
}

var fakeLabels = func() (out []models.Label) {
	for _, l := range scene.Labels() {
		out = append(out, models.Label{ID: l, Threshold: 0.5})
	}
	return out
}()

func newFake(t testing.TB) *fake {
	h := perception.Header{Schema: perception.ResultSchema, Program: "perceive test"}
	for _, l := range fakeLabels {
		h.Labels = append(h.Labels, perception.HeaderLabel{Label: l.ID, Threshold: l.Threshold})
	}
	e, err := publish.NewEvents(h, publish.Options{Name: "http"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{events: e, metrics: publish.NewMetrics(h, 150*time.Millisecond), started: time.Now().Add(-3 * time.Hour)}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	for _, name := range []string{"front", "rear"} {
		d, err := perception.NewDecider(perception.SteadyLabels(fakeLabels, 0.8, 300*time.Millisecond), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		c := &fakeCamera{name: name, drive: drives()[name], decider: d, frames: make(chan struct{}), since: time.Now(),
			results: map[string]uint64{}, p: make([]float64, len(fakeLabels))}
		f.cams = append(f.cams, c)
		f.done.Go(func() { f.run(ctx, c) })
	}
	t.Cleanup(func() {
		stop()
		f.done.Wait()
		e.Close()
	})
	return f
}

// run is a camera's life.
func (f *fake) run(ctx context.Context, c *fakeCamera) {
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if r := f.step(c, now); r != nil {
				f.events.Emit(ctx, r, nil)
				f.metrics.Emit(ctx, r, nil)
				f.mu.Lock()
				close(c.frames)
				c.frames = make(chan struct{})
				f.mu.Unlock()
			}
		}
	}
}

// step makes the next result, nil while the camera is lost.
func (f *fake) step(c *fakeCamera, now time.Time) *perception.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.lost != "" {
		return nil
	}
	seq := c.seq.Add(1)
	c.at, c.counts.Captured = now.Add(-40*time.Millisecond), c.counts.Captured+1
	r := &perception.Result{Source: c.name, Seq: seq, Time: now.Sub(f.started), Status: perception.OK, Captured: c.at, Clock: camera.SceneClock,
		Took: perception.Took{Decode: 9 * time.Millisecond, Guard: 300 * time.Microsecond, Fit: time.Millisecond, Infer: time.Duration(11+3*math.Sin(float64(seq)/7)) * time.Millisecond}}
	switch {
	case seq%37 == 0:
		r.Status, r.Reason = perception.Dropped, camera.ErrDropped.Error()
		c.counts.Dropped++
	case c.name == "rear" && seq%200 > 170:
		r.Status, r.Reason = perception.Black, "the picture is black: mean 1.8 of 255, is the lens covered?"
		c.counts.Delivered++
	default:
		c.counts.Delivered++
		c.answer(r)
	}
	c.results[string(r.Status)]++
	c.decider.Decide(r)
	return r
}

// answer is what a network might say of a frame: it follows the truth, with some noise.
func (c *fakeCamera) answer(r *perception.Result) {
	truth := c.drive.truth[r.Seq%drawn]
	c.boxes = make([]perception.Box, len(truth.Boxes))
	for i, l := range fakeLabels {
		to := 0.08
		if truth.Labels[l.ID] {
			to = 0.86
		}
		c.p[i] += 0.35 * (to + 0.09*math.Sin(float64(r.Seq)/3+float64(i)) - c.p[i])
		a := perception.Answer{P: float32(min(max(c.p[i], 0), 1)), State: perception.Off}
		if c.always != nil {
			a.P = c.always[i]
		}
		for _, b := range truth.Boxes {
			if b.Label != l.ID || len(a.Where.Boxes) > 2 {
				continue
			}
			box := image.Rect(int(b.X), int(b.Y), int(b.X+b.W), int(b.Y+b.H))
			a.Where.Boxes = append(a.Where.Boxes, perception.Box{Rectangle: box, P: a.P})
			if a.Where.Peak.P == 0 {
				a.Where.Peak = perception.Peak{Point: box.Min.Add(box.Size().Div(2)), P: a.P}
			}
		}
		r.Answers = append(r.Answers, a)
	}
}

func (f *fake) camera(name string) *fakeCamera {
	for _, c := range f.cams {
		if c.name == name {
			return c
		}
	}
	return nil
}

// lose takes a camera away, and with no reason brings it back.
func (f *fake) lose(name, reason string) {
	f.mu.Lock()
	c := f.camera(name)
	c.lost, c.since = reason, time.Now()
	f.mu.Unlock()
	if reason != "" {
		f.event(name, camera.Lost, reason, 1)
	} else {
		f.event(name, camera.Streaming, "", 0)
	}
}

func (f *fake) event(name string, s camera.State, reason string, attempt int) {
	f.events.Event("camera", publish.CameraEvent{Source: name, State: string(s), Reason: reason, Attempt: attempt})
}

// change changes what the fake says.
func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
}

func (f *fake) Status() status.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return status.Status{Program: "perceive test", Started: f.started, Problems: []status.Problem{{Part: "daemon", What: "not ready", Since: f.started}}}
	}
	s := status.Status{Program: "perceive test", Started: f.started, Ready: true, Healthy: true, Problems: []status.Problem{}, Reload: f.reload,
		Model:    status.Model{Name: "road-int8", Version: "1.2", GraphSHA256: "8f31c2a94be07d55f0a4", Loaded: f.started, WarmUp: [2]float64{81, 11}},
		Provider: hw.ProviderReport{Requested: hw.CPU, Used: hw.CPU, Policy: hw.Prefer, Version: "1.27.0", Measured: &hw.Assignment{Nodes: map[hw.Provider]int{hw.CPU: 142}, Method: "profile of a run"}}}
	for _, l := range fakeLabels {
		s.Model.Labels = append(s.Model.Labels, status.Label{Label: l.ID, Enter: 0.5, Leave: 0.4})
	}
	if f.degraded {
		p := &s.Provider
		p.Requested, p.Degraded, p.Reason = hw.TensorRT, true, "libnvinfer.so.10: cannot open shared object file"
		s.Problems = append(s.Problems, status.Problem{Part: "provider", What: p.String(), Since: f.started})
	}
	for _, c := range f.cams {
		src := c.status()
		s.Sources = append(s.Sources, src)
		if c.lost != "" {
			s.Healthy = false
			s.Problems = append(s.Problems, status.Problem{Part: "source " + c.name, What: "lost: " + c.lost, Since: c.since})
		}
	}
	st := f.events.Stats()
	s.Outputs = []status.Output{{Name: "http", Written: st.Written, Dropped: st.Dropped, Waiting: st.Waiting}, {Name: "mcap", Written: st.Written, Dropped: 12}}
	s.Board = f.board(&s)
	return s
}

// board is what package hw/board would say.
func (f *fake) board(s *status.Status) any {
	type zone struct {
		Name    string   `json:"name"`
		Celsius *float64 `json:"celsius"`
		Why     string   `json:"why,omitempty"`
	}
	type throttle struct {
		What string `json:"what"`
		Why  string `json:"why"`
	}
	board := struct {
		Level      string     `json:"level"`
		Zones      []zone     `json:"zones"`
		PowerMode  string     `json:"power_mode"`
		GPULoad    float64    `json:"gpu_load"`
		Throttling []throttle `json:"throttling"`
	}{Level: "normal", PowerMode: "MAXN", GPULoad: 0.41, Throttling: []throttle{}}
	cpu, gpu := 58.5, 61.0
	if f.hot {
		cpu, gpu, board.Level = 84, 91.5, "hot"
		board.Throttling = append(board.Throttling, throttle{"gpu-throttle-alert", "temperature"})
		s.Problems = append(s.Problems, status.Problem{Part: "board", What: "91.5 °C at the GPU, above 85: every second frame is skipped", Since: f.started})
	}
	board.Zones = []zone{{"cpu-thermal", &cpu, ""}, {"gpu-thermal", &gpu, ""}, {"cv0-thermal", nil, "powered down"}}
	return board
}

func (c *fakeCamera) status() status.Source {
	s := status.Source{Name: c.name, URI: "rtsp://10.0.0.7/" + c.name, State: camera.Streaming, Since: c.since, Counts: c.counts, FPS: rate,
		Width: frameWidth, Height: frameHeight, Results: map[string]uint64{}, Late: 2, Stages: map[string]status.Quantiles{
			"wait": {P50: 9.1, P99: 14.2, Max: 30.1}, "mailbox": {P50: 0.4, P99: 3.1, Max: 8.2},
			"guard": {P50: 0.31, P99: 0.5, Max: 1.2}, "decide": {P50: 0.001, P99: 0.004, Max: 0.02}, "fit": {P50: 0.9, P99: 1.4, Max: 3},
			"infer": {P50: 11.4, P99: 16.8, Max: 41.7}, "publish": {P50: 0.06, P99: 0.2, Max: 0.9}, "age": {P50: 38.2, P99: 61.5, Max: 120.9}}}
	for k, n := range c.results {
		s.Results[k] = n
	}
	if c.lost != "" {
		s.State, s.Reason, s.FPS = camera.Lost, c.lost, 0
	}
	return s
}

func (f *fake) Frame(ctx context.Context, name string) ([]byte, uint64, time.Time, error) {
	f.mu.Lock()
	c := f.camera(name)
	if c == nil {
		f.mu.Unlock()
		return nil, 0, time.Time{}, fmt.Errorf("no source %q", name)
	}
	next := c.frames
	f.mu.Unlock()
	select {
	case <-next:
	case <-ctx.Done():
		return nil, 0, time.Time{}, ctx.Err()
	}
	f.mu.Lock()
	seq, at := c.seq.Load(), c.at
	f.mu.Unlock()
	jpeg, err := opencv.EncodeJPEG(frameWidth, frameHeight, c.drive.pix[seq%drawn], 80)
	return jpeg, seq, at, err
}

func (f *fake) Results() http.Handler { return f.events }
func (f *fake) Metrics() http.Handler { return f.metrics.Handler() }

func (f *fake) Manifest() *models.Manifest {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return nil
	}
	return &models.Manifest{Schema: models.Schema, Name: "road-int8", Labels: fakeLabels}
}

var errRefused = errors.New("the graph's hash is not the manifest's")

func (f *fake) Reload(_ context.Context, file string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reload = &status.Reload{At: time.Now(), File: file, Result: "swapped"}
	if file == "bad.onnx" {
		f.reload.Result, f.reload.Reason = "refused", errRefused.Error()
		return errRefused
	}
	return nil
}

func (f *fake) SourceNames() (names []string) {
	for _, s := range f.Status().Sources {
		names = append(names, s.Name)
	}
	return names
}
