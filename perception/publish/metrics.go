package publish

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"perceive/camera"
	"perceive/perception"
)

// Metrics counts results for Prometheus. It is a perception.Sink that holds nothing back: Emit
// changes numbers in memory.
type Metrics struct {
	registry *prometheus.Registry
	labels   []string
	deadline time.Duration

	results *prometheus.CounterVec
	late    *prometheus.CounterVec
	stages  *prometheus.HistogramVec
	age     *prometheus.HistogramVec
	state   *prometheus.GaugeVec

	info     *prometheus.GaugeVec
	degraded prometheus.Gauge
	nodes    *prometheus.GaugeVec

	mu      sync.RWMutex
	sources map[string]*sourceMetrics
}

// sourceMetrics are one source's, resolved once, as looking them up by name would allocate.
type sourceMetrics struct {
	results                                           map[perception.Status]prometheus.Counter
	late                                              prometheus.Counter
	wait, mailbox, guard, fit, infer, decide, publish prometheus.Observer
	age                                               prometheus.Observer
	state                                             []prometheus.Gauge
}

var _ perception.Sink = (*Metrics)(nil)

// buckets of the times, seconds: from what a guard takes to what makes a frame worthless.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}

// NewMetrics makes the metrics of the header's labels. A result that is older than the deadline
// when it is published counts as late; 0 is none.
func NewMetrics(h perception.Header, deadline time.Duration) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), deadline: deadline, sources: map[string]*sourceMetrics{}}
	for _, l := range h.Labels {
		m.labels = append(m.labels, l.Label)
	}
	counter := func(name, help string, by ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, by)
	}
	seconds := func(name, help string, by ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, by)
	}
	m.results = counter("perceive_results_total", "Results by status; their sum is the number of frames.", "source", "status")
	m.late = counter("perceive_results_late_total", "Results that were published after the deadline.", "source")
	m.stages = seconds("perceive_stage_seconds", "Time of a frame in a stage, of results that are ok.", "source", "stage")
	m.age = seconds("perceive_age_seconds", "Age of a frame when its result was published, from capture.", "source")
	m.state = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "perceive_label_state",
		Help: "State of a label in the latest result: 1 on, 0 off, -1 unknown."}, []string{"source", "label"})
	m.info = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "perceive_info", Help: "What runs."}, []string{"program", "model", "version", "graph", "requested", "provider"})
	m.degraded = prometheus.NewGauge(prometheus.GaugeOpts{Name: "perceive_provider_degraded", Help: "1 if the network does not run on the provider that was asked for."})
	m.nodes = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "perceive_provider_nodes", Help: "The network's nodes by the provider that ran them, measured when the model was loaded."}, []string{"provider"})
	m.registry.MustRegister(m.results, m.late, m.stages, m.age, m.state, m.info, m.degraded, m.nodes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Model(h)
	return m
}

// Model says what runs from now on: the model, what was asked to run it and what was measured to.
func (m *Metrics) Model(h perception.Header) {
	m.info.Reset()
	m.info.WithLabelValues(h.Program, h.Model.Name, h.Model.Version, h.Model.GraphSHA256, string(h.Provider.Requested), string(h.Provider.Used)).Set(1)
	m.degraded.Set(0)
	if h.Provider.Degraded {
		m.degraded.Set(1)
	}
	m.nodes.Reset()
	if h.Provider.Measured == nil {
		return // nobody measured: no number, and not 0
	}
	for provider, n := range h.Provider.Measured.Nodes {
		m.nodes.WithLabelValues(string(provider)).Set(float64(n))
	}
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Register adds metrics of others: the process, the board.
func (m *Metrics) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// Emit implements perception.Sink. It never fails, and allocates nothing but for a source's
// first result.
func (m *Metrics) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	s := m.source(r.Source)
	if c, ok := s.results[r.Status]; ok {
		c.Inc()
	}
	for i := range s.state {
		v := -1.0
		if r.Status == perception.OK && i < len(r.Answers) {
			v = float64(r.Answers[i].State) - float64(perception.Off)
		}
		s.state[i].Set(v)
	}
	if r.Status == perception.OK {
		s.wait.Observe(r.Took.Decode.Seconds())
		s.mailbox.Observe(r.Took.Mailbox.Seconds())
		s.guard.Observe(r.Took.Guard.Seconds())
		s.fit.Observe(r.Took.Fit.Seconds())
		s.infer.Observe(r.Took.Infer.Seconds())
		s.decide.Observe(r.Took.Decide.Seconds())
	}
	if !r.Captured.IsZero() {
		age := time.Since(r.Captured)
		s.age.Observe(age.Seconds())
		if m.deadline > 0 && age > m.deadline {
			s.late.Inc()
		}
	}
	return nil
}

// Published tells how long the outputs held the frame path up for one of the source's results.
func (m *Metrics) Published(source string, took time.Duration) {
	m.source(source).publish.Observe(took.Seconds())
}

// Close implements perception.Sink. The numbers stay.
func (m *Metrics) Close() error { return nil }

// source is made with its first result, so that every status is there from then on, at 0.
func (m *Metrics) source(name string) *sourceMetrics {
	m.mu.RLock()
	s := m.sources[name]
	m.mu.RUnlock()
	if s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s = m.sources[name]; s != nil {
		return s
	}
	stage := func(stage string) prometheus.Observer { return m.stages.WithLabelValues(name, stage) }
	s = &sourceMetrics{results: map[perception.Status]prometheus.Counter{}, late: m.late.WithLabelValues(name),
		wait: stage("wait"), mailbox: stage("mailbox"), decide: stage("decide"), publish: stage("publish"), guard: stage("guard"), fit: stage("fit"), infer: stage("infer"), age: m.age.WithLabelValues(name)}
	for _, status := range perception.Statuses {
		s.results[status] = m.results.WithLabelValues(name, string(status))
	}
	for _, l := range m.labels {
		s.state = append(s.state, m.state.WithLabelValues(name, l))
	}
	m.sources[name] = s
	return s
}
