package main

import (
	"errors"
	"fmt"

	"perceive/camera"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/replay"
)

// one replays one recording.
func (c *replayCmd) one(a *app, m, second *model.Model) (err error) {
	src, err := c.open(c.Source[0])
	if err != nil {
		return err
	}
	c.sayNote(a, src.Info())
	defer src.Close()
	det := perception.NewDetector(m)
	defer det.Close()
	head, err := replay.NewHeader(det, src.Info(), c.setup())
	if err != nil {
		return err
	}
	show := replay.Report{Header: head, Trace: replay.NewTrace(head)}
	job := replay.Job{Source: src, Detector: det, Header: head, Sinks: []perception.Sink{show.Trace}}
	job.Guards = c.guards()
	if c.Golden != "" && c.Update == nil {
		if show.Comparison, show.Notes, err = c.compare(c.Golden, head); err != nil {
			return err
		}
		job.Sinks = append(job.Sinks, show.Comparison)
	}
	if second != nil {
		other := perception.NewDetector(second)
		defer other.Close()
		if show.Against, err = replay.NewAgainst(head, other, c.setup()); err != nil {
			return err
		}
		job.Sinks = append(job.Sinks, show.Against)
	}
	if show.Outcome, err = c.play(a, job); err != nil && show.Outcome.Hash == "" {
		return err
	}
	fmt.Fprintf(c.words(a), "results sha256 %s\n", show.Outcome.Hash)
	return errors.Join(err, c.conclude(a, show))
}

// play runs a job with its outputs and a progress bar.
func (c *replayCmd) play(a *app, job replay.Job) (out replay.Outcome, err error) {
	if c.Annotate != "" {
		s, err := perception.NewAnnotator(c.Annotate, job.Header)
		if err != nil {
			return out, err
		}
		job.Sinks = append(job.Sinks, s)
	}
	defer func() {
		for _, s := range job.Sinks {
			err = errors.Join(err, s.Close())
		}
	}()
	if job.Out, err = c.output(a.out, job.Header); err != nil {
		return out, err
	}
	if c.Quiet {
		return replay.Run(a.ctx, job)
	}
	if n := job.Out.Resumed(); n > 0 {
		fmt.Fprintf(a.errOut, "goes on behind the %d frames that are in %s\n", n, job.Out.Name())
	} else if why := job.Out.Restarted(); why != "" {
		fmt.Fprintf(a.errOut, "%s is not gone on with: %s\n", job.Out.Name(), why)
	}
	progress := newBar(a.errOut, "frames", job.Source.Info().Frames)
	job.Progress = func(r *perception.Result) { progress.set(int(r.Seq)+1, "") }
	out, err = replay.Run(a.ctx, job)
	progress.end()
	return out, errors.Join(err, out.Summary.Print(a.errOut))
}

// conclude prints and draws what came of a replay. The error is the verdict.
func (c *replayCmd) conclude(a *app, show replay.Report) error {
	var errs []error
	w := c.words(a)
	if show.Against != nil {
		errs = append(errs, show.Against.Print(w))
	}
	if show.Comparison != nil {
		errs = append(errs, show.Comparison.Print(w, show.Notes))
	}
	if c.Report != "" {
		errs = append(errs, show.Write(c.Report))
	}
	if show.Comparison != nil {
		errs = append(errs, show.Comparison.Err())
	}
	return errors.Join(append(errs, show.Against.Err())...)
}

// compare opens a golden for a run with this header.
func (c *replayCmd) compare(path string, head perception.Header) (*replay.Comparison, []string, error) {
	g, err := replay.ReadGolden(path)
	if err != nil {
		return nil, nil, err
	}
	notes, err := g.Check(head)
	if err != nil {
		return nil, nil, err
	}
	t := replay.DefaultTolerance(head.Provider.Used)
	if c.ToleranceP != nil {
		t.P = *c.ToleranceP
	}
	if c.ToleranceBand != nil {
		t.Band = *c.ToleranceBand
	}
	if c.ToleranceWhere != nil {
		t.Where = *c.ToleranceWhere
	}
	return replay.NewComparison(g, t), notes, nil
}

// words is where what is said of a replay goes: not among its results.
func (c *replayCmd) words(a *app) interface{ Write([]byte) (int, error) } {
	if c.Out == "-" {
		return a.errOut
	}
	return a.out
}

// sayNote tells what there is to know of a recording before it is trusted.
func (c *replayCmd) sayNote(a *app, info camera.Info) {
	if info.Note != "" && !c.Quiet {
		fmt.Fprintf(a.errOut, "note: %s: %s\n", info.URI, info.Note)
	}
}
