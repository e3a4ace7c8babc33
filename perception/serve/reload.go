package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"perceive/perception"
	"perceive/perception/model"
)

// probation is how many answers of a new model are looked at before the old one is let go.
const probation = 30

// ErrReloading reports a reload while another one is under way.
var ErrReloading = errors.New("serve: another reload is under way")

// Reload puts another model file in the place of the one that runs, or reads the same file
// again if file is empty: it is proved as at the start, warmed up, answers live frames beside the
// one that runs, and takes over between two frames. When anything of that fails, or when its
// first answers in earnest do, the old one goes on.
func (d *Daemon) Reload(ctx context.Context, file string) error {
	if !d.ready.Load() {
		d.log.Warn("reload refused: not ready yet")
		return errors.New("serve: not ready yet")
	}
	if !d.loading.TryLock() {
		d.log.Warn("reload refused: another one is under way")
		return ErrReloading
	}
	defer d.loading.Unlock()
	if file == "" {
		file = d.cfg.Model.File
	}
	d.note(file, "running", "")
	d.log.Info("reload", "file", file)
	said, err := d.change(ctx, file)
	if err != nil {
		d.note(file, "refused", err.Error())
		d.log.Error("reload refused: the model that ran goes on", "file", file, "error", err)
		return err
	}
	d.note(file, "swapped", said)
	d.log.Info("reloaded", "file", file, "shadow", said)
	return nil
}

func (d *Daemon) note(file, result, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reload = &Reload{At: time.Now(), File: file, Result: result, Reason: reason}
}

// change is a reload; it returns what the shadow run showed.
func (d *Daemon) change(ctx context.Context, file string) (said string, err error) {
	next, err := d.deps.Load(ctx, file)
	if err != nil {
		return "", err
	}
	taken := false
	defer func() {
		if !taken {
			err = errors.Join(err, next.Retire())
		}
	}()
	steady, err := d.cfg.Decide.Steady(next.Manifest().Labels)
	if err != nil {
		return "", err
	}
	before, err := d.cfg.Decide.Steady(d.detector.Manifest().Labels)
	if err != nil {
		return "", err
	}
	first, last, _, err := warmUp(ctx, next)
	if err != nil {
		return "", err
	}
	if said, err = d.shadow(ctx, next); err != nil {
		return said, err
	}
	was, now := d.running(), describe(next, steady, first, last)
	wait, cancel := context.WithTimeout(ctx, d.cfg.Watch.Stage)
	defer cancel()
	swap, err := d.detector.Swap(wait, next, func() { d.use(steady, now) })
	if err != nil {
		return said, err
	}
	taken = true
	// From here on it is finished, whether the one who asked still waits or not.
	if err := d.onProbation(context.WithoutCancel(ctx)); err != nil {
		return said, errors.Join(err, swap.Undo(func() { d.use(before, was) }))
	}
	return said, swap.Commit()
}

// use makes thresholds, status and outputs those of the model that the detector has now. No frame is
// on its way meanwhile, so each result comes out after the word on the model that it is of.
func (d *Daemon) use(steady []perception.Steady, m Model) {
	d.decide(steady)
	d.setModel(m)
	d.outputs.Model(d.header())
}

// decide gives the thresholds of a model to all sources.
func (d *Daemon) decide(steady []perception.Steady) {
	for _, s := range d.sources {
		s.pipe.Decider.Use(steady)
	}
}

// shadow runs a model beside the one that runs, on live frames.
func (d *Daemon) shadow(ctx context.Context, m *model.Model) (string, error) {
	if d.cfg.Model.Shadow == 0 {
		return "no shadow run", nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Model.ShadowTime)
	defer cancel()
	det := perception.NewDetector(m)
	defer det.Close()
	var r perception.Result
	var took []time.Duration
	same, all := 0, 0
	for i, n := 0, 0; n < d.cfg.Model.Shadow; i++ {
		s, err := d.sources[i%len(d.sources)].sample(ctx)
		if ctx.Err() != nil {
			return "", fmt.Errorf("shadow run: %d of %d live frames within %v: %w", n, d.cfg.Model.Shadow, d.cfg.Model.ShadowTime, err)
		}
		if err != nil || s.result.Status != perception.OK {
			continue // this camera has nothing to show; another may have
		}
		n++
		det.Detect(ctx, s.frame, &r)
		if r.Status != perception.OK {
			return "", fmt.Errorf("shadow run: frame %d: %s", s.frame.Seq, r.Reason)
		}
		took = append(took, r.Took.Infer)
		for i, a := range r.Answers {
			all++
			if (a.State == perception.On) == (i < len(s.result.Answers) && s.result.Answers[i].State == perception.On) {
				same++
			}
		}
	}
	slices.Sort(took)
	median := took[len(took)/2]
	if median > d.cfg.Deadline {
		return "", fmt.Errorf("shadow run: %v a frame, the deadline is %v", median, d.cfg.Deadline)
	}
	return fmt.Sprintf("%d live frames, %.1f %% of the states the same, %.1f ms a frame", len(took), 100*float64(same)/float64(max(1, all)), ms(median)), nil
}

// onProbation waits for the first answers after a change, for as long as a shadow run may take.
func (d *Daemon) onProbation(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Model.ShadowTime)
	defer cancel()
	answered, failed := d.answers()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil // no frames: nothing against it
		case <-t.C:
			if !d.ready.Load() {
				return nil // the daemon ends, and waits for nobody
			}
			a, f := d.answers()
			if f > failed {
				return fmt.Errorf("%d of its first %d frames failed: rolled back", f-failed, a+f-answered-failed)
			}
			if a-answered >= probation {
				return nil
			}
		}
	}
}

func (d *Daemon) answers() (answered, failed uint64) {
	for _, s := range d.sources {
		answered += s.meter.answered.Load()
		failed += s.meter.failed.Load()
	}
	return answered, failed
}

// sampleTime is how long one camera is waited for.
const sampleTime = 300 * time.Millisecond

// sample is the source's next frame, if one comes soon.
func (s *source) sample(ctx context.Context) (*sample, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	return s.tap.next(ctx)
}
