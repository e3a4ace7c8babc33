package replay

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"perceive/camera"
	"perceive/perception"
	"perceive/perception/model"
)

// Plan is many recordings to be replayed side by side, each by a worker with a detector of its own
// on one model.
type Plan struct {
	Model *model.Model
	// Second, if not nil, answers the same frames for a comparison.
	Second *model.Model
	Setup  Setup
	// Reason, if not empty, makes the results goldens that say why they were made: Dir then has
	// no journal.
	Reason string
	// Dir takes NAME.jsonl of each recording, and the journal.
	Dir string
	// Workers is how many recordings run at once at most, Memory how many bytes they may take
	// together, as far as their size tells.
	Workers int
	Memory  int64
	Open    func(path string) (camera.Source, error)
	// Guards, if not nil, makes those of a recording, which Setup names.
	Guards func() []perception.Guard
	// Compare, if not nil, opens a recording's golden.
	Compare func(name string, h perception.Header) (*Comparison, []string, error)
	// Reports, if not empty, is a folder that takes a report of each.
	Reports string
	// Done, if not nil, is told of each recording that is through.
	Done func(Row)
}

// Run replays all recordings, and returns a row for each in their order. One that fails does not
// stop the others; the error is that of ctx or of the folder.
func (p Plan) Run(ctx context.Context, recordings []string) ([]Row, error) {
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return nil, wrap(err)
	}
	j, err := p.journal()
	if err != nil {
		return nil, err
	}
	defer j.close()
	rows := make([]Row, len(recordings))
	budget := semaphore.NewWeighted(p.Memory)
	var mu sync.Mutex // of Done
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, p.Workers))
	for i, path := range recordings {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			row, err := p.one(ctx, path, budget, j)
			if err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				row.Recording, row.Error = path, err.Error()
			}
			rows[i] = row
			if err := j.add(row); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if p.Done != nil {
				p.Done(row)
			}
			return nil
		})
	}
	return rows, g.Wait()
}

// journal is that of the folder; goldens have none.
func (p Plan) journal() (*journal, error) {
	if p.Reason != "" {
		return &journal{}, nil
	}
	return openJournal(filepath.Join(p.Dir, Journal))
}

// one replays a recording, unless the journal has it.
func (p Plan) one(ctx context.Context, path string, budget *semaphore.Weighted, j *journal) (row Row, err error) {
	src, err := p.Open(path)
	if err != nil {
		return row, err
	}
	defer src.Close()
	det := perception.NewDetector(p.Model)
	defer det.Close()
	head, err := NewHeader(det, src.Info(), p.Setup)
	if err != nil {
		return row, err
	}
	out := filepath.Join(p.Dir, Name(path)+".jsonl")
	if p.Reason != "" {
		head = WithReason(head, out, p.Reason)
	}
	old, done := j.done(path, head, out)
	done = done && p.Second == nil // whose answers are nowhere
	if done {
		row, whole, err := p.again(ctx, head, out, old)
		if whole || err != nil {
			return row, err
		}
	}
	show := Report{Header: head, Trace: NewTrace(head)}
	job := Job{Source: src, Detector: det, Header: head, Sinks: []perception.Sink{show.Trace}}
	if p.Compare != nil {
		if show.Comparison, show.Notes, err = p.Compare(Name(path), head); err != nil {
			return row, err
		}
		job.Sinks = append(job.Sinks, show.Comparison)
	}
	need := footprint(src.Info())
	if p.Second != nil {
		other := perception.NewDetector(p.Second)
		defer other.Close()
		if show.Against, err = NewAgainst(head, other, p.Setup); err != nil {
			return row, err
		}
		job.Sinks = append(job.Sinks, show.Against)
		need *= 2
	}
	need = min(need, p.Memory)
	if err := budget.Acquire(ctx, need); err != nil {
		return row, err
	}
	defer budget.Release(need)
	if p.Guards != nil {
		job.Guards = p.Guards()
	}
	if job.Out, err = Create(out, head); err != nil {
		return row, err
	}
	show.Outcome, err = Run(ctx, job)
	if err != nil && show.Outcome.Hash == "" {
		return row, err
	}
	if show.Against != nil {
		err = errors.Join(err, show.Against.Close())
	}
	row = newRow(path, head, show)
	if err != nil { // cut short
		row.Error = err.Error()
	}
	if p.Reports != "" {
		err := show.Write(filepath.Join(p.Reports, Name(path)))
		return row, err
	}
	return row, nil
}

// footprint is about what replaying a recording takes, in bytes: the network's lanes, the frames
// that are lent, and those that the decoder refers to. With 1280×720 H.264 a process of
// one takes 186 MB, and 28 MB more with a second: this is on the safe side.
func footprint(i camera.Info) int64 {
	const fixed, frames = 48 << 20, 12
	return fixed + frames*3*int64(max(i.Width, 640))*int64(max(i.Height, 480))
}
