package serve

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"perceive/camera"
	"perceive/perception"
)

// began is what times are counted from: by the monotonic clock, which no time server sets.
var began = time.Now()

// window is how far back the quantiles of the stages look, in two halves.
const window = 30 * time.Second

// digits of the times that are told apart: to one in a hundred. A third would make the status
// ten times as much work, for which results wait.
const digits = 2

// publishStage is publish's place in stageNames.
const publishStage = 6

// longest is the largest time that is told apart from longer ones.
const longest = time.Minute

// stageNames are what is measured of each frame. Wait is for the camera and its decoder, mailbox
// from capture until the frame path takes the frame, age from capture to publishing, publish what
// the outputs take of the frame path.
var stageNames = []string{"wait", "mailbox", "guard", "fit", "infer", "decide", "publish", "age"}

// meter is the first of a source's sinks: it measures, and marks what is late. It allocates
// nothing once warm.
type meter struct {
	deadline time.Duration
	told     func(publish time.Duration) // nil for nobody
	last     atomic.Int64                // when the last result came that is no failure, nanoseconds after began
	failed   atomic.Uint64
	answered atomic.Uint64

	mu      sync.Mutex
	results map[perception.Status]uint64
	late    uint64
	status  perception.Status // of the last result, why, and since when none has been ok
	reason  string
	changed time.Time
	at      time.Time // the result in hand came
	width   int
	height  int
	halves  [2]half
	since   time.Time // the newer half began
}

// half is one half of the window.
type half struct {
	stages []*hdrhistogram.Histogram // nanoseconds
	frames int
	took   time.Duration
}

func newMeter(deadline time.Duration) *meter {
	m := &meter{deadline: deadline, results: map[perception.Status]uint64{}, since: time.Now()}
	for _, s := range perception.Statuses {
		m.results[s] = 0
	}
	for i := range m.halves {
		for range stageNames {
			m.halves[i].stages = append(m.halves[i].stages, hdrhistogram.New(1000, int64(longest), digits))
		}
	}
	return m
}

// Emit implements perception.Sink.
func (m *meter) Emit(_ context.Context, r *perception.Result, f *camera.Frame) error {
	now := time.Now()
	var age time.Duration
	if !r.Captured.IsZero() {
		age = now.Sub(r.Captured)
		r.Late = age > m.deadline
	}
	switch r.Status {
	case perception.OK:
		m.answered.Add(1)
	case perception.Failed:
		m.failed.Add(1)
	}
	if r.Status != perception.Failed { // a network that fails on every frame gives no results
		m.last.Store(int64(now.Sub(began)))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	m.at = now
	m.results[r.Status]++
	if r.Status == perception.OK || m.status == perception.OK || m.status == "" {
		m.changed = now
	}
	m.status, m.reason = r.Status, r.Reason
	if r.Late {
		m.late++
	}
	h := &m.halves[0]
	h.frames++
	if f == nil {
		return nil
	}
	m.width, m.height = f.Width, f.Height
	for i, d := range [...]time.Duration{r.Took.Decode, r.Took.Mailbox, r.Took.Guard, r.Took.Fit, r.Took.Infer, r.Took.Decide, -1, age} {
		if d >= 0 && (r.Status == perception.OK || i < 3 || i == 7) {
			h.stages[i].RecordValue(int64(min(d, longest)))
		}
	}
	return nil
}

// published is told when the last sink is done with a result.
func (m *meter) published() {
	m.mu.Lock()
	took := time.Since(m.at)
	m.halves[0].stages[publishStage].RecordValue(int64(min(took, longest)))
	m.mu.Unlock()
	if m.told != nil {
		m.told(took)
	}
}

// Close implements perception.Sink.
func (m *meter) Close() error { return nil }

// turn begins a new half when the newer one is full.
func (m *meter) turn(now time.Time) {
	took := now.Sub(m.since)
	if took < window/2 {
		return
	}
	m.halves[0], m.halves[1] = m.halves[1], m.halves[0]
	m.halves[1].took = took
	h := &m.halves[0]
	for _, s := range h.stages {
		s.Reset()
	}
	h.frames, h.took, m.since = 0, 0, now
}

// fill writes what was measured into a source's status.
func (m *meter) fill(s *Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.turn(now)
	s.Results = map[string]uint64{}
	for status, n := range m.results {
		s.Results[string(status)] = n
	}
	s.Late, s.Width, s.Height = m.late, m.width, m.height
	if took := now.Sub(m.since) + m.halves[1].took; took > 0 {
		s.FPS = float64(m.halves[0].frames+m.halves[1].frames) / took.Seconds()
	}
	s.Stages = map[string]Quantiles{}
	for i, name := range stageNames {
		h := hdrhistogram.New(1000, int64(longest), digits)
		h.Merge(m.halves[0].stages[i])
		h.Merge(m.halves[1].stages[i])
		ms := func(ns int64) float64 { return float64(ns/1000) / 1000 }
		s.Stages[name] = Quantiles{P50: ms(h.ValueAtQuantile(50)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max())}
	}
}

// current is the status of the last result, why, and since when none has been ok.
func (m *meter) current() (perception.Status, string, time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status, m.reason, m.changed
}

// silent is how long no result has come but failures, from a time on.
func (m *meter) silent(now, from time.Time) time.Duration {
	if last := began.Add(time.Duration(m.last.Load())); m.last.Load() != 0 && last.After(from) {
		from = last
	}
	return now.Sub(from)
}
