package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"perceive/camera/opencv"
	"perceive/hw/ort"
	"perceive/perception"
)

type runCmd struct {
	Source string `required:"" placeholder:"URI" help:"What to look at: ${sources}."`
	modelFlags
	Out      string `type:"path" placeholder:"FILE.jsonl" help:"Write the detections here, JSON Lines. '-' is standard output."`
	Annotate string `type:"path" placeholder:"FILE.mp4" help:"Write a video with the detections drawn in, also where: .mp4, .mov or .mkv."`
	Threads  int    `placeholder:"N" help:"Threads of the network. Default: one per core but one, which decodes."`
	Spin     bool   `help:"Let the network's idle threads spin: faster on a machine of one's own, and it burns cores."`
	Quiet    bool   `short:"q" help:"No progress and no summary."`
}

// Help is the long description.
func (runCmd) Help() string {
	return `Answers the model's questions about every frame of a source: one line a frame, in order, whatever
happens to the frame. A source that is cut short, or a sink that fails, ends the run with exit code 1;
what was written up to there is whole.

A live camera is watched over: when it fails, that is told and it is connected again, until the run is
interrupted. Of frames that come faster than they are answered the newest counts, and each of the others
gets a line that says so; policy=every, max_age=200ms and stall=1s in the URI change that (docs/cameras.md):

  perceive run --source http://camera/stream --out detections.jsonl
  perceive run --source '/dev/video0?width=1280&height=720&fps=30&fourcc=MJPG&max_age=200ms' --out -

A model that another tool wrote runs with its contract in a file of its own (docs/formats.md):

  perceive run --source drive.mp4 --out detections.jsonl --annotate annotated.mp4
  perceive run --source drive.mp4 --model theirs.onnx --manifest theirs.yaml --out detections.jsonl`
}

func (c *runCmd) Run(a *app) (err error) {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	m, err := c.load(a, rt, ort.Options{Threads: c.threads(), Spin: c.Spin}, true)
	if err != nil {
		return err
	}
	defer m.Close()
	src, err := c.openSource(a)
	if err != nil {
		return err
	}
	defer src.Close()
	// The network has the cores; the pictures of the frame path are small.
	opencv.SetThreads(1)

	det := perception.NewDetector(m)
	defer det.Close()
	head := perception.NewHeader(det, src.Info(), "perceive "+version())
	if rep := m.Report(); rep.Degraded {
		fmt.Fprintf(a.errOut, "degraded: %s\n", rep)
	}
	summary := perception.NewSummary(m.Manifest().LabelIDs())
	sinks, err := c.sinks(a, head, det)
	if err != nil {
		return err
	}
	p := perception.Pipeline{Source: src, Detector: det, Sinks: append(sinks, summary)}
	var progress *bar
	if !c.Quiet {
		progress = newBar(a.errOut, "frames", src.Info().Frames)
		p.Progress = func(r *perception.Result) { progress.set(int(r.Seq)+1, "") }
	}
	err = p.Run(a.ctx)
	for _, s := range p.Sinks {
		err = errors.Join(err, s.Close())
	}
	if !c.Quiet {
		progress.end()
		err = errors.Join(err, summary.Print(a.errOut))
	}
	return err
}

// threads leaves a core to the decoder: on two cores, network and decoder on both of
// them took 5.7 ms a frame (720p), each on one of them 4.8 ms.
func (c *runCmd) threads() int {
	if c.Threads > 0 {
		return c.Threads
	}
	return max(1, runtime.NumCPU()-1)
}

// decoders is how many cores a video decoder may use.
func decoders() int { return max(1, runtime.NumCPU()/4) }

// check refuses what would destroy something or cannot be.
func (c *runCmd) check() error {
	if c.Source == "" {
		return errors.New("--source: empty")
	}
	if c.Threads < 0 || c.Threads > ort.MaxThreads {
		return fmt.Errorf("--threads %d: want 0 to %d", c.Threads, ort.MaxThreads)
	}
	if c.Out != "" && c.Out == c.Annotate {
		return fmt.Errorf("%s: detections and annotated video cannot both go there", c.Out)
	}
	for _, out := range []string{c.Out, c.Annotate} {
		for _, in := range []struct{ what, path string }{{"source", recordingFile(c.Source)}, {"model", c.Model}, {"manifest", c.Manifest}} {
			a, err1 := os.Stat(out)
			b, err2 := os.Stat(in.path)
			if err1 == nil && err2 == nil && a.Mode().IsRegular() && os.SameFile(a, b) {
				return fmt.Errorf("%s: this is the %s, and would be overwritten: name another output", out, in.what)
			}
		}
	}
	return nil
}

// recordingFile is the file that a source names.
func recordingFile(uri string) string {
	file, _, _, _ := opencv.CutMCAP(uri)
	return file
}

// sinks are the outputs that were asked for.
func (c *runCmd) sinks(a *app, head perception.Header, det *perception.Detector) (out []perception.Sink, err error) {
	defer func() {
		if err != nil {
			for _, s := range out {
				s.Close()
			}
		}
	}()
	// The video first: it replaces nothing before it is whole.
	if c.Annotate != "" {
		s, err := perception.NewAnnotator(c.Annotate, head)
		if err != nil {
			return out, err
		}
		out = append(out, s)
	}
	switch c.Out {
	case "":
	case "-":
		s, err := perception.NewJSONL(a.out, head)
		if err != nil {
			return out, err
		}
		out = append(out, s)
	default:
		s, err := perception.CreateJSONL(c.Out, head)
		if err != nil {
			return out, err
		}
		out = append(out, s)
	}
	return out, nil
}
