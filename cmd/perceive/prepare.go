package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/perception/model"
)

type prepareCmd struct {
	modelFlags
	Threads int `placeholder:"N" help:"Threads of the network. Default: one per core."`
}

// Help is the long description.
func (prepareCmd) Help() string {
	return `Makes ready and proves what a model needs on this machine, before it drives: loads it on the provider,
counts which provider ran its nodes, holds it against its golden results, and warms it up. For TensorRT it
builds the engine, which takes minutes, in a cache that is checked byte by byte at each start:

  perceive prepare --provider cpu
  perceive prepare --model road.onnx --provider tensorrt --precision fp16 --engine-cache engines
  perceive run --model road.onnx --provider tensorrt --precision fp16 --engine-cache engines --source drive.mp4

An engine that was built for another model, library, driver, device or precision, or that is not whole, is
built again, and the reason is printed. Exit code 1 if the model is not ready to drive here.`
}

func (c *prepareCmd) Run(a *app) error {
	if c.Threads < 0 || c.Threads > ort.MaxThreads {
		return usageError{fmt.Errorf("--threads %d: want 0 to %d", c.Threads, ort.MaxThreads)}
	}
	if c.Provider == hw.TensorRT && c.EngineCache == "" {
		return usageError{errors.New("--engine-cache: say where TensorRT's engine is to be kept")}
	}
	file, name, with, err := c.read(ort.Options{Threads: c.Threads})
	if err != nil {
		return err
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	p := &preparing{out: a.errOut, found: a.out}
	if err := c.prepare(a, rt, file, with, p); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (c *prepareCmd) prepare(a *app, rt *ort.Runtime, file []byte, with model.Options, p *preparing) error {
	if err := c.engines(a, rt, file, &with); err != nil {
		return err
	}
	with.Measure = true
	var m *model.Model
	err := p.step("loading, and counting nodes by provider", 0, func() (err error) {
		m, err = model.LoadUnproved(a.ctx, rt, file, with)
		return err
	})
	if err != nil {
		return err
	}
	defer m.Close()
	p.say("provider", "%s", m.Report())
	var proofs []model.Proof
	if err := p.step("golden results", 0, func() (err error) { proofs, err = m.Prove(a.ctx); return err }); err != nil {
		return err
	}
	if len(proofs) == 0 {
		p.say("golden results", "none in this model: its answers are not proved here")
	} else {
		p.say("golden results", "%d of %d met", len(proofs), len(proofs))
	}
	var w warmth
	if err := p.step("warming up", 0, func() (err error) { w, err = warmUp(a, m); return err }); err != nil {
		return err
	}
	p.say("warm", "median %.1f ms, highest %.1f ms, of %d runs", w.median.Seconds()*1e3, w.highest.Seconds()*1e3, warmRuns)
	if rep := m.Report(); rep.Degraded {
		p.say("ready", "yes, degraded: %s", rep.Reason)
		return nil
	}
	p.say("ready", "yes")
	return nil
}

// warmRuns are timed after the first.
const warmRuns = 30

type warmth struct{ median, highest time.Duration }

// warmUp runs a model on a black picture. The first run pays for memory and kernels.
func warmUp(a *app, m *model.Model) (w warmth, err error) {
	l, err := m.NewLane()
	if err != nil {
		return w, err
	}
	defer l.Close()
	times := make([]time.Duration, 0, warmRuns)
	for i := range warmRuns + 1 {
		begin := time.Now()
		if err := l.Run(a.ctx); err != nil {
			return w, err
		}
		if i > 0 {
			times = append(times, time.Since(begin))
		}
	}
	slices.Sort(times)
	w.median, w.highest = times[len(times)/2], times[len(times)-1]
	return w, nil
}

// preparing shows steps that say nothing of themselves: how long each has gone on, and,
// where it took long before, how long it may still take.
type preparing struct {
	out   io.Writer // progress
	found io.Writer // what was found
}

// tick is the time between two looks at the clock.
const tick = time.Second

func (p *preparing) step(what string, last time.Duration, do func() error) error {
	b := newBar(p.out, what, int(last.Seconds()))
	done, stopped := make(chan struct{}), make(chan struct{})
	begin := time.Now()
	go func() {
		defer close(stopped)
		t := time.NewTicker(tick)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				b.elapsed(time.Since(begin), last)
			}
		}
	}()
	err := do()
	close(done)
	<-stopped
	b.end()
	return err
}

func (p *preparing) note(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p *preparing) say(what, format string, args ...any) {
	fmt.Fprintf(p.found, "%-14s %s\n", what, fmt.Sprintf(format, args...))
}

// elapsed shows the time that has gone by of a step that took last before, 0 if that is
// not known.
func (b *bar) elapsed(gone, last time.Duration) {
	n := int(gone.Seconds())
	if b.bar != nil && b.total > 0 {
		n = min(n, b.total) // the bar counts no further
	}
	b.set(n, howLong(gone, last))
}

func howLong(gone, last time.Duration) string {
	text := gone.Round(time.Second).String()
	switch {
	case last <= 0:
		return text + " so far"
	case gone < last:
		return fmt.Sprintf("%s so far, about %v left", text, (last - gone).Round(time.Second))
	default:
		return fmt.Sprintf("%s so far, the last time took %v", text, last.Round(time.Second))
	}
}
