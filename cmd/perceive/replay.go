package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"perceive/camera"
	"perceive/camera/guard"
	"perceive/camera/open"
	"perceive/camera/opencv"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/replay"
)

type replayCmd struct {
	Source []string `arg:"" help:"Recordings: video files, FILE.mcap?camera=NAME of the daemon, folders of them or of pictures, scene://?seed=1&seconds=10 (rendered). Several are replayed side by side."`
	modelFlags
	Out      string `type:"path" placeholder:"FILE.jsonl" help:"Write the results here, JSON Lines; of several recordings a folder. '-' is standard output. What an interrupted replay left there is gone on with."`
	Annotate string `type:"path" placeholder:"FILE.mp4" help:"Write a video with the results drawn in, and each label over time: .mp4, .mov or .mkv."`

	Golden         string   `type:"path" placeholder:"FILE.jsonl" help:"Compare with this recording, frame by frame; the exit code is the verdict. Of several recordings a folder of NAME.jsonl."`
	Update         string   `placeholder:"REASON" help:"Write the golden anew; it keeps the reason."`
	ToleranceP     *float64 `name:"tolerance-p" placeholder:"P" help:"Largest difference of a probability from the golden's. Default: 0 on the CPU, 0.01 elsewhere."`
	ToleranceBand  *float64 `name:"tolerance-band" placeholder:"P" help:"States may differ where a probability is so near to a threshold. Default: 0 on the CPU, 0.01 elsewhere."`
	ToleranceWhere *int     `name:"tolerance-where" placeholder:"PIXELS" help:"Largest difference of a place; -1 compares none. Default: 0 on the CPU, -1 elsewhere."`

	Against         string `placeholder:"FILE.onnx" help:"Run this model on the same frames, and show where the two disagree."`
	AgainstManifest string `type:"path" placeholder:"FILE" help:"Contract of that file, if it carries none."`
	Report          string `type:"path" placeholder:"DIR" help:"Write a page with plots and pictures."`

	Deterministic bool          `default:"true" negatable:"" help:"Fix the threads, so that two replays give the same bytes. --no-deterministic uses the machine's cores."`
	Threads       int           `placeholder:"N" help:"Threads of the network. Default: 1; with --no-deterministic one per core but one."`
	Speed         replaySpeed   `default:"max" placeholder:"1x" help:"max, or times the speed of the recording: 1x, 0.5x."`
	Drops         []string      `sep:"none" type:"path" placeholder:"FILE" help:"Lose the frames that were lost on the road: the daemon's recording of this drive, .jsonl or .mcap. May be repeated: the files of a run."`
	Camera        string        `placeholder:"NAME" help:"Which camera of that recording, where it has several."`
	Guards        bool          `default:"true" negatable:"" help:"Keep pictures that are black, saturated, frozen, blurred or covered from the network, as the daemon does; with its default limits."`
	Leave         float32       `default:"0.8" help:"A label is off again below its threshold times this."`
	Hold          time.Duration `default:"300ms" help:"A label stays on for this long at least."`
	Expiry        time.Duration `default:"1s" help:"After this long without an answer a label that was on is unknown."`
	Workers       int           `placeholder:"N" help:"Recordings side by side at most. Default: half of the cores."`
	Memory        int64         `placeholder:"MIB" help:"Memory for them, as far as their size tells. Default: half of what is free."`
	Quiet         bool          `short:"q" help:"No progress and no summary."`

	road *replay.Road
}

// Help is the long description.
func (replayCmd) Help() string {
	return `Runs a recording again, as fast as the machine goes. Time is the recording's, decoding is sequential and
threads are fixed: two replays write the same bytes and print the same hash. States follow probabilities as
in the daemon.

  perceive replay drive.mp4 --out results.jsonl --annotate annotated.mp4 --report report
  perceive replay drive.mp4 --golden golden.jsonl --update "first golden of road 2"
  perceive replay drive.mp4 --golden golden.jsonl --report report        exit code 0: as the golden; 1: not
  perceive replay drive.mp4 --model new.onnx --against road --report report`
}

// second loads the model to compare with, nil if there is none.
func (c *replayCmd) second(a *app, rt *ort.Runtime) (*model.Model, error) {
	if c.Against == "" {
		return nil, nil
	}
	opts := model.Options{Options: ort.Options{Threads: c.threads(), Provider: c.Provider, Policy: c.Policy}}
	m, _, err := openModel(a, rt, c.Against, c.AgainstManifest, opts)
	return m, err
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
	if len(c.Drops) > 0 {
		var err error
		if c.road, err = replay.ReadRoad(c.Drops, c.Camera); err != nil {
			return err
		}
		if c.road.Lost > 0 {
			fmt.Fprintf(a.errOut, "the road's recording has no line of %d frames: they are replayed as any other\n", c.road.Lost)
		}
	}
	recordings, skipped, err := replay.Recordings(c.Source)
	if err != nil {
		return usageError{err}
	}
	if err := c.checkMany(len(recordings)); err != nil {
		return usageError{err}
	}
	if len(skipped) > 0 && !c.Quiet {
		fmt.Fprintf(a.errOut, "left out, no videos: %s\n", strings.Join(skipped, ", "))
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
	if len(recordings) > 1 {
		return c.many(a, m, recordings)
	}
	c.Source = recordings
	second, err := c.second(a, rt)
	if err != nil {
		return err
	}
	if second != nil {
		defer second.Close()
	}
	return c.one(a, m, second)
}

// output is where results go: with --update the golden itself.
func (c *replayCmd) output(stdout io.Writer, head perception.Header) (*replay.File, error) {
	switch {
	case c.Update != "":
		return replay.Create(c.Golden, replay.WithReason(head, c.Golden, c.Update))
	case c.Out == "":
		return replay.Discard(head)
	case c.Out == "-":
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
	if c.road != nil {
		src = c.road.Source(src)
	}
	if c.Speed > 0 {
		src = replay.Pace(src, float64(c.Speed))
	}
	return src, nil
}

func (c *replayCmd) setup() replay.Setup {
	drops := ""
	if c.road != nil {
		drops = c.road.Hash
	}
	var guards []string
	if c.Guards {
		guards = append(guards, fmt.Sprintf("input %+v", guard.Default))
	}
	return replay.Setup{Guards: guards, Drops: drops, Program: "perceive " + version(), Deterministic: c.Deterministic, Threads: c.threads(), DecoderThreads: c.decoders(),
		Leave: c.Leave, Hold: c.Hold, Expiry: c.Expiry}
}

// guards are those of one recording.
func (c *replayCmd) guards() (out []perception.Guard) {
	if c.road != nil {
		out = append(out, c.road.Guard())
	}
	if c.Guards {
		out = append(out, perception.InputGuard{Guard: guard.New(guard.Default)})
	}
	return out
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

// checkMany refuses what there can be of one recording alone.
func (c *replayCmd) checkMany(n int) error {
	if n == 1 {
		return nil
	}
	switch {
	case c.Out == "" || c.Out == "-":
		return errors.New("--out: name a folder for the results of several recordings")
	case c.Annotate != "", c.Against != "", c.Update != "":
		return errors.New("--annotate, --against and --update are for one recording at a time")
	case c.Speed > 0 || len(c.Drops) > 0:
		return errors.New("--speed and --drops are for one recording at a time")
	case c.Workers < 0 || c.Memory < 0:
		return errors.New("--workers and --memory: want 0 or more")
	}
	return nil
}

// check refuses what would destroy something or cannot be.
func (c *replayCmd) check() error {
	if c.Provider != hw.CPU && c.Deterministic {
		c.Deterministic = false // a wish, and the header says what came of it
	}
	if c.Update != "" && c.Golden == "" {
		return errors.New("--update: name the file to write with --golden")
	}
	if c.Update != "" && c.Out != "" {
		return errors.New("--update: the results go to the golden, and nowhere else: leave --out")
	}
	if c.Golden != "" && c.Golden == c.Out {
		return fmt.Errorf("%s: the golden and the results cannot be one file", c.Golden)
	}
	for _, s := range c.Source {
		r := runCmd{Source: s, modelFlags: c.modelFlags, Out: c.Out, Annotate: c.Annotate, Threads: c.Threads}
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}
