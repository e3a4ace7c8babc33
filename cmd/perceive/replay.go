package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"perceive/camera"
	"perceive/camera/open"
	"perceive/camera/opencv"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/replay"
)

type replayCmd struct {
	Source []string `arg:"" help:"Recordings: video files, folders of them or of pictures, scene://?seed=1&seconds=10 (rendered). Several are replayed side by side."`
	modelFlags
	Out      string `type:"path" placeholder:"FILE.jsonl" help:"Write the results here, JSON Lines; of several recordings a folder. '-' is standard output. What an interrupted replay left there is gone on with."`
	Annotate string `type:"path" placeholder:"FILE.mp4" help:"Write a video with the results drawn in, and each label over time: .mp4, .mov or .mkv."`

	Deterministic bool          `default:"true" negatable:"" help:"Fix the threads, so that two replays give the same bytes. --no-deterministic uses the machine's cores."`
	Threads       int           `placeholder:"N" help:"Threads of the network. Default: 1; with --no-deterministic one per core but one."`
	Speed         replaySpeed   `default:"max" placeholder:"1x" help:"max, or times the speed of the recording: 1x, 0.5x."`
	Leave         float32       `default:"0.8" help:"A label is off again below its threshold times this."`
	Hold          time.Duration `default:"300ms" help:"A label stays on for this long at least."`
	Expiry        time.Duration `default:"1s" help:"After this long without an answer a label that was on is unknown."`
	Quiet         bool          `short:"q" help:"No progress and no summary."`
}

// Help is the long description.
func (replayCmd) Help() string {
	return `Runs a recording again, as fast as the machine goes. Time is the recording's, decoding is sequential and
threads are fixed: two replays write the same bytes and print the same hash. States follow probabilities as
in the daemon.

  perceive replay drive.mp4 --out results.jsonl --annotate annotated.mp4`
}

// replaySpeed is a factor, 0 for as fast as possible.
type replaySpeed float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *replaySpeed) UnmarshalText(text []byte) error {
	*s = 0
	if string(text) == "max" {
		return nil
	}
	var f float64
	if n, err := fmt.Sscanf(string(text)+" ", "%gx", &f); n != 1 || err != nil || !(f > 0) || f > 1000 {
		return fmt.Errorf("%q: want max, or a factor like 1x or 0.5x", text)
	}
	*s = replaySpeed(f)
	return nil
}

func (c *replayCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	m, err := c.load(a, rt, ort.Options{Threads: c.threads()}, false)
	if err != nil {
		return err
	}
	defer m.Close()
	if rep := m.Report(); rep.Degraded {
		fmt.Fprintf(a.errOut, "degraded: %s\n", rep)
	}
	opencv.SetThreads(1)
	return c.one(a, m)
}

// one replays one recording.
func (c *replayCmd) one(a *app, m *model.Model) (err error) {
	src, err := c.open(c.Source[0])
	if err != nil {
		return err
	}
	defer src.Close()
	det := perception.NewDetector(m)
	defer det.Close()
	head, err := replay.NewHeader(det, src.Info(), c.setup())
	if err != nil {
		return err
	}
	job := replay.Job{Source: src, Detector: det, Header: head}
	if c.Annotate != "" {
		s, err := perception.NewAnnotator(c.Annotate, head)
		if err != nil {
			return err
		}
		job.Sinks = append(job.Sinks, s)
	}
	defer func() {
		for _, s := range job.Sinks {
			err = errors.Join(err, s.Close())
		}
	}()
	if job.Out, err = c.output(a.out, head); err != nil {
		return err
	}
	var progress *bar
	if !c.Quiet {
		if n := job.Out.Resumed(); n > 0 {
			fmt.Fprintf(a.errOut, "goes on behind the %d frames that are in %s\n", n, c.Out+replay.Part)
		} else if why := job.Out.Restarted(); why != "" {
			fmt.Fprintf(a.errOut, "%s is not gone on with: %s\n", c.Out+replay.Part, why)
		}
		progress = newBar(a.errOut, "frames", src.Info().Frames)
		job.Progress = func(r *perception.Result) { progress.set(int(r.Seq)+1, "") }
	}
	out, err := replay.Run(a.ctx, job)
	if !c.Quiet {
		progress.end()
		err = errors.Join(err, out.Summary.Print(a.errOut))
	}
	if out.Hash != "" {
		w := a.out
		if c.Out == "-" {
			w = a.errOut
		}
		fmt.Fprintf(w, "results sha256 %s\n", out.Hash)
	}
	return err
}

// output is where results go.
func (c *replayCmd) output(stdout io.Writer, head perception.Header) (*replay.File, error) {
	switch c.Out {
	case "":
		return replay.Discard(head)
	case "-":
		return replay.NewFile(stdout, head)
	}
	return replay.Create(c.Out, head)
}

// open opens a recording.
func (c *replayCmd) open(uri string) (camera.Source, error) {
	src, err := open.Source(uri, open.Options{Threads: c.decoders()})
	if errors.Is(err, open.ErrURI) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	if _, live := src.(camera.Live); live {
		src.Close()
		return nil, usageError{fmt.Errorf("%s: a live camera cannot be replayed: record it, or use perceive run", uri)}
	}
	if c.Speed > 0 {
		src = replay.Pace(src, float64(c.Speed))
	}
	return src, nil
}

func (c *replayCmd) setup() replay.Setup {
	return replay.Setup{Program: "perceive " + version(), Deterministic: c.Deterministic, Threads: c.threads(), DecoderThreads: c.decoders(),
		Leave: c.Leave, Hold: c.Hold, Expiry: c.Expiry}
}

// threads are those of the network.
func (c *replayCmd) threads() int {
	switch {
	case c.Threads > 0:
		return c.Threads
	case c.Deterministic:
		return 1
	}
	return (&runCmd{}).threads()
}

// decoders are the video decoder's threads.
func (c *replayCmd) decoders() int {
	if c.Deterministic {
		return 1
	}
	return decoders()
}

// check refuses what would destroy something or cannot be.
func (c *replayCmd) check() error {
	if c.Provider != hw.CPU && c.Deterministic {
		c.Deterministic = false // a wish, and the header says what came of it
	}
	for _, s := range c.Source {
		r := runCmd{Source: s, modelFlags: c.modelFlags, Out: c.Out, Annotate: c.Annotate, Threads: c.Threads}
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}
