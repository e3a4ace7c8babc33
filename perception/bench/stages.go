package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// Stage is something that handles frames, and is measured.
type Stage struct {
	Name string
	// Parts name what a frame's time is made of.
	Parts []string
	// Overlapped says that several frames are on their way at once, so that the rate is
	// more than one over the latency.
	Overlapped bool
	// Run handles frames, and notes each, until m is done.
	Run func(ctx context.Context, m *Meter) error
}

// wholePath is the name of the stage that is all of them.
const wholePath = "pipeline"

// waiting is the part of it in which it waits for the source: the faster the others are, the
// longer, so that less of it is not better.
const waiting = "wait"

// Path is the frame path that is measured.
type Path struct {
	// Open opens the source from its beginning.
	Open     func() (camera.Source, error)
	Clip     *Clip // of the same source
	Detector *perception.Detector
	Guards   []perception.Guard
	// Sinks take the pipeline's results while it is measured.
	Sinks []perception.Sink

	decoding, reading looped
}

// Stages are the parts of the path, and the whole. Close frees what they hold.
func (p *Path) Stages() []Stage {
	p.decoding.open, p.reading.open = p.Open, p.Open
	stages := []Stage{{Name: "decode", Run: p.decode}}
	if len(p.Guards) > 0 {
		stages = append(stages, Stage{Name: "guard", Run: p.guard})
	}
	return append(stages,
		Stage{Name: "fit+network", Parts: []string{"fit", "network"}, Run: p.detect},
		Stage{Name: wholePath, Parts: pipelineParts(len(p.Guards) > 0), Overlapped: true, Run: p.pipeline})
}

// Close closes the sources that are open.
func (p *Path) Close() error { return errors.Join(p.decoding.close(), p.reading.close()) }

// decode is the source alone.
func (p *Path) decode(ctx context.Context, m *Meter) error {
	var bad *camera.FrameError
	for !m.Done() {
		if err := p.decoding.begin(m); err != nil {
			return err
		}
		for !m.Done() {
			begin := time.Now()
			f, err := p.decoding.Next(ctx)
			took := time.Since(begin)
			if errors.As(err, &bad) {
				m.Skip()
				continue
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			m.Note(took)
			f.Release()
		}
	}
	return nil
}

// guard is all guards, on decoded frames.
func (p *Path) guard(ctx context.Context, m *Meter) error {
	return p.each(ctx, m, func(f *camera.Frame) error {
		begin := time.Now()
		for _, g := range p.Guards {
			g.Check(f)
		}
		m.Note(time.Since(begin))
		return nil
	})
}

// detect is fitting and the network, one after the other with nothing beside them, on decoded
// frames.
func (p *Path) detect(ctx context.Context, m *Meter) error {
	var r perception.Result
	return p.each(ctx, m, func(f *camera.Frame) error {
		begin := time.Now()
		p.Detector.Detect(ctx, f, &r)
		took := time.Since(begin)
		switch {
		case r.Status == perception.OK:
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			return failedFrame(&r)
		}
		m.Note(took, r.Took.Fit, r.Took.Infer)
		return nil
	})
}

// each hands the clip's frames to do, again and again.
func (p *Path) each(ctx context.Context, m *Meter, do func(*camera.Frame) error) error {
	f := camera.WrapFrame(nil)
	m.Begin()
	for seq := 0; !m.Done(); seq++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.Clip.show(f, seq)
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

func pipelineParts(guarded bool) []string {
	if guarded {
		return []string{waiting, "fit", "network", "guard"}
	}
	return []string{waiting, "fit", "network"}
}

// pipeline is all of it, decoding included.
func (p *Path) pipeline(ctx context.Context, m *Meter) error {
	sink := &meterSink{m: m, guarded: len(p.Guards) > 0}
	p.reading.m = m
	for idle := 0; !m.Done(); {
		if err := p.reading.begin(m); err != nil {
			return err
		}
		before := m.counted.Load()
		if err := p.run(ctx, &p.reading, sink); err != nil {
			return err
		}
		if idle++; m.counted.Load() > before {
			idle = 0
		}
		if idle == 2 { // the first one may have begun near the end
			return fmt.Errorf("bench: of all frames of the source no more than %d are answered; the last one that was not: %s: measure without guards, or with another source", lead, sink.why)
		}
	}
	return nil
}

// run sends a source through the pipeline.
func (p *Path) run(ctx context.Context, src camera.Source, sink perception.Sink) error {
	pipe := perception.Pipeline{Source: src, Detector: p.Detector, Guards: p.Guards}
	pipe.Sinks = append(append(pipe.Sinks, p.Sinks...), sink)
	err := pipe.Run(ctx)
	if ctx.Err() != nil {
		return ctx.Err() // and not that the network was stopped
	}
	return err
}

// looped is a source that is opened again when it has come to its end. It ends, too, when its
// meter is done, and then goes on where it was.
type looped struct {
	camera.Source
	open func() (camera.Source, error)
	m    *Meter
	at   bool // the end
}

// begin makes the source ready for a pass.
func (l *looped) begin(m *Meter) (err error) {
	m.Begin()
	if l.at {
		if err := l.close(); err != nil {
			return err
		}
	}
	if l.Source == nil {
		l.Source, err = l.open()
	}
	return err
}

// Next implements camera.Source.
func (l *looped) Next(ctx context.Context) (*camera.Frame, error) {
	if l.m != nil && l.m.Done() {
		return nil, io.EOF
	}
	f, err := l.Source.Next(ctx)
	l.at = errors.Is(err, io.EOF)
	return f, err
}

func (l *looped) close() error {
	if l.Source == nil {
		return nil
	}
	err := l.Source.Close()
	l.Source, l.at = nil, false
	return err
}

// meterSink notes a frame when its result is published: its age since it was decoded.
type meterSink struct {
	m       *Meter
	guarded bool
	why     string // of the last frame without an answer
}

// Emit implements perception.Sink.
func (s *meterSink) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	switch r.Status {
	case perception.OK:
	case perception.Failed:
		return failedFrame(r)
	default:
		s.m.Skip()
		s.why = r.Reason
		return nil
	}
	whole := time.Since(r.Captured)
	if s.guarded {
		s.m.Note(whole, r.Took.Decode, r.Took.Fit, r.Took.Infer, r.Took.Guard)
	} else {
		s.m.Note(whole, r.Took.Decode, r.Took.Fit, r.Took.Infer)
	}
	return nil
}

// Close implements perception.Sink.
func (s *meterSink) Close() error { return nil }
