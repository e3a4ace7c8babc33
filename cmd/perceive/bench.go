package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"perceive/camera"
	"perceive/camera/guard"
	"perceive/camera/opencv"
	"perceive/hw/ort"
	"perceive/perception"
	"perceive/perception/bench"
)

type benchCmd struct {
	Source string `default:"scene://?seed=1&seconds=5" placeholder:"URI" help:"Frames to measure with: a video file, a folder or glob of pictures, or scene:// (rendered; decoding is then rendering). Default: ${default}."`
	modelFlags
	Threads     int     `placeholder:"N" help:"Threads of the network. Default: as 'run' has."`
	Spin        bool    `help:"Let the network's idle threads spin, as 'run --spin' does."`
	Seconds     float64 `default:"5" help:"How long each stage is measured, all turns together. Default: ${default}."`
	Frames      int     `placeholder:"N" help:"Measure each stage on this many frames at least; with --seconds 0, on no more."`
	Repetitions int     `default:"5" help:"Turns that a stage's time is divided into; the spread between them is the noise. Default: ${default}."`
	WarmUp      float64 `default:"10" help:"The longest that a stage may take to settle before it is measured, seconds. Default: ${default}."`
	Trial       float64 `default:"3" help:"How long frames are offered at one rate, seconds, and a hundred frames at least. Default: ${default}."`
	MinRate     float64 `default:"1" help:"The lowest rate that is tried, frames a second. Default: ${default}."`
	MaxRate     float64 `default:"1000" help:"The highest one. Default: ${default}."`
	NoRate      bool    `help:"Leave the search for the highest rate out."`
	Guards      bool    `default:"true" negatable:"" help:"Check each picture as the daemon does, for one that is black, saturated, frozen, blurred or covered; with its default limits."`
	JSON        bool    `name:"json" help:"Print the report as JSON."`
	Save        string  `type:"path" placeholder:"FILE" help:"Write the report here: a baseline for later runs."`
	Baseline    string  `type:"path" placeholder:"FILE" help:"Compare with a report that --save wrote."`
	FailAbove   float64 `placeholder:"RATIO" help:"Exit code 1 if a figure is slower than the baseline's by more than this ratio, 1.1 say, and beyond the noise of both."`
	Quiet       bool    `short:"q" help:"No progress."`
}

// Help is the long description.
func (benchCmd) Help() string {
	return `Measures the frame path: each stage alone, then all together, overlapped as 'run' has them, with the
daemon's guards, writing JSON Lines to nowhere. A stage is warmed up until three windows' medians are within
10 % of each other; if they never are, the table says so. Then the stages are measured in turns, several times over, so that what else
the machine does meets all of them; the spread of the turns' medians is the noise.

The latency of 'pipeline' is from when a frame was decoded to its published result, with as many frames on
their way as there is room for: most of it is waiting for the slowest stage. 'pipeline/network' is a part of
it while the others run beside it, 'pipeline/wait' how long it waited for the decoder: the faster the others,
the longer, which is why it is not compared.

Then frames are offered at fixed rates, as a camera would: a frame that has not been taken when the next one
is due is dropped and counted. The highest rate with fewer than 5 % drops is searched by bisection and tried
three times. These frames were decoded beforehand (the first 250 of the source, or 256 MiB of them): what is
found is the rate of guard, fit, network and sinks. Age is from when a frame was due to its published result.

  perceive bench
  perceive bench --source drive.mp4 --model road-int8 --save before.json
  perceive bench --source drive.mp4 --model road-int8 --baseline before.json --fail-above 1.1

Ratios are above 1 where this run is slower. A baseline of another machine, model or source is compared,
with a warning of what differs. docs/bench.md says how to read it.`
}

func (c *benchCmd) plan() bench.Plan {
	return bench.Plan{Seconds: c.Seconds, Frames: c.Frames, Repetitions: c.Repetitions, WarmUp: c.WarmUp, Trial: c.Trial,
		Rates: bench.Range{Min: c.MinRate, Max: c.MaxRate}}
}

// check refuses what cannot be.
func (c *benchCmd) check() error {
	switch {
	case c.Source == "":
		return errors.New("--source: empty")
	case c.Threads < 0 || c.Threads > ort.MaxThreads:
		return fmt.Errorf("--threads %d: want 0 to %d", c.Threads, ort.MaxThreads)
	case c.FailAbove != 0 && c.Baseline == "":
		return errors.New("--fail-above: there is nothing to be slower than: name a --baseline")
	case c.FailAbove != 0 && !(c.FailAbove >= 1 && c.FailAbove < 1e6):
		return fmt.Errorf("--fail-above %g: want a ratio of 1 or more", c.FailAbove)
	}
	return c.plan().Check()
}

func (c *benchCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	var base *bench.Report
	if c.Baseline != "" {
		var err error
		if base, err = readReport(c.Baseline); err != nil {
			return usageError{err}
		}
	}
	if c.Save != "" { // before minutes of work, not after
		if info, err := os.Stat(filepath.Dir(c.Save)); err != nil || !info.IsDir() {
			return usageError{fmt.Errorf("--save %s: there is no folder %s", c.Save, filepath.Dir(c.Save))}
		}
	}
	r, err := c.measure(a)
	if r == nil {
		return err
	}
	switch {
	case err != nil && a.ctx.Err() != nil:
		r.Incomplete = "interrupted"
	case err != nil:
		r.Incomplete = err.Error()
	}
	if base != nil && len(r.Stages) > 0 {
		r.Comparison = r.Compare(base)
	}
	if c.JSON {
		err = errors.Join(err, printJSON(a.out, r))
	} else {
		err = errors.Join(err, r.Print(a.out))
	}
	if err != nil {
		if c.Save != "" {
			fmt.Fprintf(a.errOut, "%s: not written, because not everything was measured\n", c.Save)
		}
		return err
	}
	if err := c.save(r); err != nil {
		return err
	}
	return c.verdict(r)
}

// verdict is an error if something is slower than was allowed.
func (c *benchCmd) verdict(r *bench.Report) error {
	if c.FailAbove == 0 {
		return nil
	}
	var names []string
	for _, s := range r.Comparison.Slower(c.FailAbove) {
		names = append(names, fmt.Sprintf("%s (%s) %.2f", s.Name, s.Unit, s.Ratio))
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("slower than %s by more than %g: %s", c.Baseline, c.FailAbove, strings.Join(names, ", "))
}

// measure is all of the work. It returns what it has with an error, nil if it never began.
func (c *benchCmd) measure(a *app) (*bench.Report, error) {
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return nil, err
	}
	defer rt.Close()
	threads := (&runCmd{Threads: c.Threads}).threads() // what is measured is what runs
	m, err := c.load(a, rt, ort.Options{Threads: threads, Spin: c.Spin}, true)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	opencv.SetThreads(1)
	clip, err := c.clip(a.ctx)
	if err != nil {
		return nil, err
	}
	det := perception.NewDetector(m)
	defer det.Close()
	j, err := perception.NewJSONL(io.Discard, perception.NewHeader(det, clip.Info, "perceive "+version()))
	if err != nil {
		return nil, err
	}
	if rep := m.Report(); rep.Degraded {
		fmt.Fprintf(a.errOut, "degraded: %s\n", rep)
	}
	p := &bench.Path{Open: func() (camera.Source, error) { return world(c.Source) }, Clip: clip, Detector: det, Sinks: []perception.Sink{j}}
	if c.Guards {
		p.Guards = []perception.Guard{perception.InputGuard{Guard: guard.New(guard.Default)}}
	}
	defer p.Close()
	r := &bench.Report{Schema: bench.Schema, Conditions: conditions(det, clip)}
	r.Conditions.Threads, r.Conditions.Spin, r.Conditions.Guards = threads, c.Spin, len(p.Guards)
	return r, c.fill(a, p, r)
}

// fill measures the stages, and then the rate.
func (c *benchCmd) fill(a *app, p *bench.Path, r *bench.Report) (err error) {
	r.Stages, err = bench.Measure(a.ctx, p.Stages(), c.plan(), c.progress(a, "measuring"))
	if err != nil || c.NoRate {
		return err
	}
	r.Rate, err = p.FindRate(a.ctx, c.plan(), r.Guess(), c.progress(a, "rate search"))
	return err
}

// clip decodes the beginning of the source.
func (c *benchCmd) clip(ctx context.Context) (*bench.Clip, error) {
	src, err := world(c.Source)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return bench.Load(ctx, src)
}

// conditions are what the figures depend on.
func conditions(det *perception.Detector, clip *bench.Clip) bench.Conditions {
	man, rep := det.Manifest(), det.Report()
	out := bench.Conditions{Time: time.Now().UTC().Truncate(time.Second), Program: "perceive " + version(), Runtime: rep.Version, OpenCV: opencv.Version(),
		Model: man.Name, GraphSHA256: man.GraphSHA256, Provider: string(rep.Used), Source: clip.Info.URI, Size: clip.Size()}
	out.Machine(bench.Root())
	return out
}

// parts is how many the progress is shown in.
const parts = 1000

// progress shows the time left of a part of the work, nil if nobody wants to see it.
func (c *benchCmd) progress(a *app, what string) bench.Progress {
	if c.Quiet {
		return nil
	}
	var b *bar
	return func(share float64, doing string) {
		if b == nil {
			b = newBar(a.errOut, what, parts)
		}
		b.set(int(parts*share), doing)
	}
}
