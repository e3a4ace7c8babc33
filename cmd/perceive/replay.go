package main

import (
	"fmt"
	"strings"
	"time"

	"perceive/camera/opencv"
	"perceive/hw/ort"
	"perceive/perception/replay"
	"perceive/perception/serve"
)

type replayCmd struct {
	Source []string `arg:"" help:"Recordings: video files, FILE.mcap?camera=NAME of the daemon, folders of them or of pictures, scene://?seed=1&seconds=10 (rendered). Several are replayed side by side."`
	modelFlags
	Out      string `type:"path" placeholder:"FILE.jsonl" help:"Write the results here, JSON Lines; of several recordings a folder. '-' is standard output. What an interrupted replay left there is gone on with."`
	Annotate string `type:"path" placeholder:"FILE.mp4" help:"Write a video with the results drawn in, and each label over time: .mp4, .mov or .mkv."`

	Golden         string   `type:"path" placeholder:"FILE.jsonl" help:"Compare with this recording, frame by frame; the exit code is the verdict. Of several recordings a folder of NAME.jsonl."`
	Update         *string  `placeholder:"REASON" help:"Write the golden anew, or those of several recordings; it keeps the reason."`
	ToleranceP     *float64 `name:"tolerance-p" placeholder:"P" help:"Largest difference of a probability from the golden's. Default: 0 on the CPU, 0.01 elsewhere."`
	ToleranceBand  *float64 `name:"tolerance-band" placeholder:"P" help:"States may differ where a probability is so near to a threshold. Default: 0 on the CPU, 0.01 elsewhere."`
	ToleranceWhere *int     `name:"tolerance-where" placeholder:"PIXELS" help:"Largest difference of a place, =-1 to compare none. Default: 0 on the CPU, -1 elsewhere."`

	Against         string `placeholder:"FILE.onnx" help:"Run this model on the same frames, and show where the two disagree."`
	AgainstManifest string `type:"path" placeholder:"FILE" help:"Contract of that file, if it carries none."`
	Report          string `type:"path" placeholder:"DIR" help:"Write a page with plots and pictures."`

	Deterministic bool           `default:"true" negatable:"" help:"Fix the threads, so that two replays give the same bytes. --no-deterministic uses the machine's cores."`
	Threads       int            `placeholder:"N" help:"Threads of the network. Default: 1; with --no-deterministic one per core but one."`
	Speed         replaySpeed    `default:"max" placeholder:"1x" help:"max, or times the speed of the recording: 1x, 0.5x."`
	Drops         []string       `sep:"none" type:"path" placeholder:"FILE" help:"Lose the frames that were lost on the road: the daemon's recording of this drive, .jsonl or .mcap. May be repeated: the files of a run."`
	Camera        string         `placeholder:"NAME" help:"Which camera of that recording, where it has several."`
	Guards        bool           `default:"true" negatable:"" help:"Keep pictures that are black, saturated, frozen, blurred or covered from the network, as the daemon does; with its default limits, or those of --config."`
	Config        string         `type:"path" placeholder:"FILE.yaml" help:"Decide as the vehicle: take guards and decide from the daemon's own configuration."`
	Leave         *float32       `placeholder:"PART" help:"A label is off again below its threshold times this. Default: 0.8."`
	Hold          *time.Duration `placeholder:"TIME" help:"A label stays on for this long at least. Default: 300ms."`
	Expiry        *time.Duration `placeholder:"TIME" help:"After this long without an answer a label that was on is unknown. Default: 1s."`
	Workers       int            `placeholder:"N" help:"Of several: how many side by side at most. Default: half of the cores."`
	Memory        int64          `placeholder:"MIB" help:"Of several: memory for them, as far as their size tells. Default: half of what is free."`
	Quiet         bool           `short:"q" help:"No progress and no summary."`

	road    *replay.Road
	vehicle serve.Config
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

func (c *replayCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	if err := c.decideAs(); err != nil {
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
	recordings, skipped, many, err := replay.Recordings(c.Source)
	if err != nil {
		return usageError{err}
	}
	if err := c.checkMany(many); err != nil {
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
	sayDegraded(a, "", m)
	opencv.SetThreads(1)
	second, err := c.second(a, rt)
	if err != nil {
		return err
	}
	if second != nil {
		defer second.Close()
	}
	if many {
		return c.many(a, m, second, recordings)
	}
	c.Source = recordings
	return c.one(a, m, second)
}
