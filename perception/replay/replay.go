// Package replay runs recordings again, so that two runs can be held against each other: the same
// bytes on the same machine, a verdict against a golden recording, two models on one drive.
//
// Time is the recording's and never the clock's, decoding is sequential, threads are fixed, and
// what else could make a difference is in the header.
package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// Job is one recording to be replayed.
type Job struct {
	Source   camera.Source
	Detector *perception.Detector
	// Header is NewHeader's.
	Header perception.Header
	// Guards are those that Header.Replay names.
	Guards []perception.Guard
	// Out takes the results.
	Out *File
	// Sinks take them, too. Run does not close them.
	Sinks []perception.Sink
	// Progress, if not nil, is called after each frame.
	Progress func(r *perception.Result)
}

// Outcome is what came of a job.
type Outcome struct {
	// Hash is the SHA-256 of the frame lines, in hex: tail -n +2 FILE | sha256sum.
	Hash string
	// Resumed is how many frames an earlier run had answered.
	Resumed int
	Took    time.Duration
	Summary *perception.Summary
}

// Run replays a recording to its end. One that is cut short has an outcome, and the error. When
// ctx ends, what was written stays, and the next Run with the same header goes on behind it.
func Run(ctx context.Context, j Job) (Outcome, error) {
	decider, err := NewDecider(j.Header)
	if err != nil {
		return Outcome{}, errors.Join(err, j.Out.Close())
	}
	begin := time.Now()
	var labels []string
	for _, l := range j.Header.Labels {
		labels = append(labels, l.Label)
	}
	out := Outcome{Resumed: j.Out.Resumed(), Summary: perception.NewSummary(labels)}
	p := perception.Pipeline{Source: plainNames(j.Source), Detector: j.Detector, Guards: j.Guards, Decider: decider,
		Known: j.Out.Known, Sinks: append([]perception.Sink{j.Out, out.Summary}, j.Sinks...), Progress: j.Progress}
	err = p.Run(ctx)
	out.Took = time.Since(begin)
	if err != nil && !errors.Is(err, camera.ErrTruncated) {
		return out, errors.Join(err, j.Out.Close())
	}
	err = errors.Join(err, out.Summary.Close(), j.Out.Finish())
	out.Hash = j.Out.Hash()
	return out, err
}

// NewDecider makes the decider that a header describes.
func NewDecider(h perception.Header) (*perception.Decider, error) {
	if h.Replay == nil || len(h.Replay.Decide) != len(h.Labels) {
		return nil, fmt.Errorf("replay: the header does not say how each of its %d labels is decided", len(h.Labels))
	}
	steady := make([]perception.Steady, len(h.Labels))
	for i, d := range h.Replay.Decide {
		steady[i] = d.Steady()
	}
	return perception.NewDecider(steady, time.Duration(h.Replay.ExpiryMS*float64(time.Millisecond)))
}
