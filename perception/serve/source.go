package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"perceive/camera"
	"perceive/camera/framecode"
	"perceive/perception"
)

// source is one camera and its frames' way.
type source struct {
	cfg     SourceConfig
	d       *Daemon
	camera  camera.Source
	pipe    perception.Pipeline
	meter   *meter
	tap     *tap
	watch   perception.Watch
	started time.Time

	mu      sync.Mutex
	event   camera.Event
	blocked time.Time    // since when no connection can be tried
	down    camera.Event // what took the camera away, until frames come again
}

// pause is the time before a pipeline that failed is started again.
const pause = time.Second

func (d *Daemon) newSource(cfg SourceConfig, steady []perception.Steady) (*source, error) {
	m := newMeter(d.cfg.Deadline)
	s := &source{cfg: cfg, d: d, meter: m, tap: &tap{done: m.published}, started: time.Now(),
		event: camera.Event{State: camera.Connecting, Time: time.Now()}}
	if p, ok := d.outputs.(*Published); ok {
		m.told = func(took time.Duration) { p.metrics.Published(cfg.Name, took) }
	}
	decider, err := perception.NewDecider(steady, d.cfg.Decide.Expiry)
	if err != nil {
		return nil, err
	}
	guards, err := d.deps.Guards(cfg)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", cfg.Name, err)
	}
	if s.camera, err = d.deps.Open(cfg, s.happened); err != nil {
		return nil, fmt.Errorf("source %s: %w", cfg.Name, err)
	}
	s.pipe = perception.Pipeline{Source: s.camera, Detector: d.detector, Guards: append(guards, d.board), Decider: decider, Watch: &s.watch, Name: cfg.Name,
		Sinks: slices.Concat([]perception.Sink{s.meter}, d.outputs.Sinks(), []perception.Sink{s.tap})}
	if cfg.FrameCode {
		s.pipe.Code = framecode.Read
	}
	return s, nil
}

// happened is told of each change of the camera's state.
func (s *source) happened(e camera.Event) {
	s.mu.Lock()
	s.event = e
	if !e.Blocked {
		s.blocked = time.Time{}
	} else if s.blocked.IsZero() {
		s.blocked = e.Time
	}
	switch bad := e.State == camera.Stalled || e.State == camera.Lost; {
	case bad && s.down.Time.IsZero():
		s.down = e
	case bad:
		s.down.State, s.down.Reason = e.State, e.Reason
	case e.State == camera.Streaming || e.State == Ended:
		s.down = camera.Event{}
	}
	s.mu.Unlock()
	level := s.d.log.Info
	if e.State == camera.Stalled || e.State == camera.Lost {
		level = s.d.log.Warn
	}
	level("camera", "source", s.cfg.Name, "state", string(e.State), "reason", e.Reason, "attempt", e.Attempt)
	s.d.outputs.Camera(s.cfg.Name, e)
}

// run lasts as long as the camera gives frames, or ctx.
func (s *source) run(ctx context.Context) {
	defer s.camera.Close()
	for {
		err := s.pipe.Run(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil, errors.Is(err, io.EOF):
			s.happened(camera.Event{Time: time.Now(), State: Ended})
			return
		case errors.Is(err, camera.ErrTruncated):
			s.happened(camera.Event{Time: time.Now(), State: Ended, Reason: err.Error()})
			return
		}
		s.d.log.Error("frame path failed", "source", s.cfg.Name, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Ended is the state of a source that was finite, and is over.
const Ended camera.State = "ended"

func (s *source) state() camera.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.event
}

// status is what the source says of itself.
func (s *source) status() Source {
	e := s.state()
	if e.State == camera.Connecting && s.meter.answered.Load() > 0 {
		e.State = camera.Streaming // a source that says nothing of itself
	}
	out := Source{Name: s.cfg.Name, URI: s.camera.Info().URI, State: e.State, Reason: e.Reason, Since: e.Time}
	s.meter.fill(&out)
	if live, ok := s.camera.(camera.Live); ok {
		out.Counts = live.Counts()
		return out
	}
	for status, n := range out.Results {
		out.Counts.Captured += n
		if perception.Status(status) == perception.Unreadable {
			out.Counts.Unreadable += n
		} else {
			out.Counts.Delivered += n
		}
	}
	return out
}

// problems are what is not as it should be.
func (s *source) problems(now time.Time) (out []Problem) {
	part := "source " + s.cfg.Name
	e := s.state()
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if !down.Time.IsZero() { // also while it is being connected anew
		out = append(out, Problem{Part: part, What: fmt.Sprintf("%s: %s", down.State, down.Reason), Since: down.Time})
	}
	if quiet := s.meter.silent(now, s.started); quiet > s.d.cfg.Watch.Silence && e.State != Ended {
		out = append(out, Problem{Part: part, What: "no results come", Since: now.Add(-quiet)})
	}
	if status, reason, since := s.meter.current(); status != perception.OK && status != "" && now.Sub(since) > s.d.cfg.Watch.Silence {
		out = append(out, Problem{Part: part, What: fmt.Sprintf("%s: %s", status, reason), Since: since})
	}
	if stage, took := s.watch.Slowest(now); took > s.d.cfg.Watch.Stage {
		out = append(out, Problem{Part: part, What: fmt.Sprintf("stage %s has been busy with one frame for %v", stage, took.Round(time.Second/10)), Since: now.Add(-took)})
	}
	return out
}
