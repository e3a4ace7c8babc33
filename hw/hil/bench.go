package hil

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"perceive/camera"
)

// Bench is where scenarios run.
type Bench struct {
	// Program is the perceive that is tested; Env is added to its environment.
	Program string
	Env     []string
	// Address, if not empty, is a unit that runs already, host:port of its HTTP face. It must have been told
	// where the cameras are, and what is done to a process cannot be done to it: see Refuses.
	Address string
	// Listen is where the cameras are; the zero value is free ports of this machine.
	Listen Listen
	// Patience is how long the unit may take to be ready and to open its cameras; 0 is a minute.
	Patience time.Duration
	// Open opens a camera's world.
	Open func(uri string) (camera.Source, error)
	// Model is the model file that bad_model tampers with.
	Model []byte
	// Say tells what happens, for a person; Progress how far it is.
	Say      func(format string, args ...any)
	Progress func(done, of time.Duration)

	clips map[clipKey]*clip // of scenarios before, which most share
}

// startTime is how long the unit may take to be ready and to open its cameras, unless the bench has more
// patience.
const startTime = time.Minute

// Run runs a scenario in a folder, where the unit's files are and stay.
func (b *Bench) Run(ctx context.Context, s *Scenario, dir string) (_ *Run, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("hil: %w", err)
	}
	if err := b.Refuses(s); err != nil {
		return nil, err
	}
	feeds, err := b.feeds(ctx, s)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, f := range feeds {
			f.Close()
		}
	}()
	defer Unmount(dir) // also when the unit does not start
	u, o, err := b.unit(s, dir, feeds)
	if err != nil {
		return nil, err
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	o.states = s.truth()
	var watching errgroup.Group
	watching.Go(func() error { o.follow(watch); return nil })
	watching.Go(func() error { o.poll(watch); return nil })
	defer watching.Wait()
	defer stop()
	r, err := b.play(ctx, s, dir, feeds, u, o)
	if err == nil {
		o.drain(ctx, feeds)
	}
	if u != nil {
		o.settled(ctx, u)
		r.Running = u.running()
		err = errors.Join(err, u.stop())
		r.Lives, r.Died = u.lived()
		err = errors.Join(err, keepDisk(s, dir))
		r.recorded = readRecordings(dir)
	} else if polls := o.all().Polls; len(polls) > 0 {
		r.Lives, r.Running = 1, polls[len(polls)-1].Answered
	}
	stop()
	watching.Wait()
	r.Observed = o.all()
	r.shots = map[string][]shot{}
	for _, f := range feeds {
		r.Served = append(r.Served, f.log()...)
		r.shots[f.cam.Name] = f.shots
	}
	return r, err
}

// feeds are the scenario's cameras, which listen and do not send yet.
func (b *Bench) feeds(ctx context.Context, s *Scenario) (out []*feed, err error) {
	for i, c := range s.Cameras {
		clip, err := b.clip(ctx, s, c)
		if err == nil {
			var f *feed
			if f, err = newFeed(s, i, clip, b.Listen.at(i)); err == nil {
				out = append(out, f)
				continue
			}
		}
		for _, f := range out {
			f.Close()
		}
		return nil, err
	}
	return out, nil
}

// unit starts the unit under test, or finds the one that runs.
func (b *Bench) unit(s *Scenario, dir string, feeds []*feed) (*unit, *observer, error) {
	if b.Address != "" {
		for _, f := range feeds {
			b.Say("camera %s: %s: configure the unit with it, as of its sources: %s", f.cam.Name, f.URL(), entry(f))
		}
		return nil, &observer{base: "http://" + b.Address, life: func() int { return 1 }, used: func() (int64, float64) { return 0, 0 }}, nil
	}
	listen, err := freeAddress()
	if err != nil {
		return nil, nil, fmt.Errorf("hil: %w", err)
	}
	path := filepath.Join(dir, "unit.yaml")
	if err := os.WriteFile(path, []byte(config(listen, feeds)), 0o644); err != nil {
		return nil, nil, fmt.Errorf("hil: %w", err)
	}
	u := &unit{program: b.Program, env: b.Env, dir: dir, restart: s.Unit.Restart, base: "http://" + listen, args: []string{"--config", path}}
	for _, set := range s.Unit.Set {
		u.args = append(u.args, "--set", strings.ReplaceAll(set, "$DIR", dir))
	}
	for _, f := range s.Faults {
		if f.Kind == "no_provider" {
			u.args = append(u.args, "--set", "provider.name=cuda")
		}
	}
	if err := prepareUnit(s, dir, u); err != nil {
		return nil, nil, err
	}
	if err := u.start(); err != nil {
		return nil, nil, err
	}
	return u, &observer{base: u.base, life: u.life, used: func() (int64, float64) { return u.rss(), u.cpu() }}, nil
}

// config is the unit's configuration: its cameras are the bench's.
func config(listen string, feeds []*feed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "http: {listen: %q}\nsources:\n", listen)
	for _, f := range feeds {
		fmt.Fprintf(&b, "  %s\n", entry(f))
	}
	return b.String()
}

// entry is what a camera is in the unit's configuration.
func entry(f *feed) string {
	return fmt.Sprintf("- {name: %s, uri: %q, frame_code: true}", f.cam.Name, f.URL())
}

// play serves frames and injects faults for the scenario's length.
func (b *Bench) play(ctx context.Context, s *Scenario, dir string, feeds []*feed, u *unit, o *observer) (*Run, error) {
	r := &Run{Scenario: s, Injected: make([]Span, len(s.Faults))}
	if err := b.await(ctx, dir, feeds, u, o); err != nil {
		return r, err
	}
	b.Say("the unit is ready; %v to go", s.Length)
	work, stop := context.WithCancel(ctx)
	defer stop()
	r.Begin = time.Now().Add(50 * time.Millisecond)
	var g errgroup.Group
	for _, f := range feeds {
		g.Go(func() error {
			err := f.run(work, r.Begin)
			if err != nil {
				stop()
			}
			return err
		})
	}
	for i, x := range s.Faults {
		r.Injected[i] = Span{r.Begin.Add(x.At), r.Begin.Add(x.At + x.For)}
		if !slices.Contains(onUnit, x.Kind) {
			continue
		}
		g.Go(func() error {
			err := b.happen(work, x, dir, u, o, &r.Injected[i])
			if err != nil {
				stop()
				return fmt.Errorf("hil: fault %d, %s: %w", i, x.Kind, err)
			}
			return nil
		})
	}
	end := r.Begin.Add(s.Length)
	for time.Now().Before(end) && work.Err() == nil {
		b.Progress(time.Since(r.Begin), s.Length)
		sleep(work, min(200*time.Millisecond, time.Until(end)))
	}
	r.End = time.Now()
	stop()
	return r, errors.Join(g.Wait(), ctx.Err())
}
