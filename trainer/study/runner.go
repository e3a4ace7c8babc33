package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"perceive/hw/ort"
	"perceive/trainer"
)

// Runner does the runs of experiments and keeps their results in a folder.
type Runner struct {
	Runtime *ort.Runtime
	Bench   *Bench
	// Out has a folder for each experiment.
	Out string
	// Threads of the training sessions; zero means every core.
	Threads int
	// Progress, if not nil, is told how many of how many training steps are done, those of
	// earlier starts included, and which run is at work.
	Progress func(done, total int, run string)
}

// progress counts an experiment's steps.
type progress struct {
	done, total int
	run         string
	tell        func(done, total int, run string)
}

func (p *progress) step() {
	p.done++
	if p.tell != nil {
		p.tell(p.done, p.total, p.run)
	}
}

// Run does the experiment's runs that are not done yet, and summarises all of them. When
// ctx ends, what is done stays, and the next call goes on from there.
func (r *Runner) Run(ctx context.Context, e Experiment) (*Summary, error) {
	s, err := r.runAll(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("study: %s: %w", e.Name, err)
	}
	return s, nil
}

func (r *Runner) runAll(ctx context.Context, e Experiment) (*Summary, error) {
	plan, err := e.Plan(r.Bench)
	if err != nil {
		return nil, err
	}
	runs, err := openStore(r.Out, e.Name)
	if err != nil {
		return nil, err
	}
	bench := r.Bench.fingerprint()
	p := &progress{tell: r.Progress}
	prints, seen, sources := make([]string, len(plan.Runs)), map[string]bool{}, map[*Net]bool{}
	for i, run := range plan.Runs {
		prints[i] = run.fingerprint(bench)
		if seen[prints[i]] {
			continue // the same run under another name
		}
		seen[prints[i]] = true
		p.total += run.steps()
		if _, ok := runs.find(prints[i], plan.Latency); ok {
			p.done += run.steps()
			continue
		}
		for _, n := range run.Nets {
			if n.From != nil && !sources[n.From] {
				sources[n.From] = true
				p.total += n.From.Config.Steps
			}
		}
	}
	w := &worker{Runner: r, dir: filepath.Join(r.Out, e.Name), progress: p, latency: plan.Latency, trained: map[*Net]source{}}
	var results []Result
	for i, run := range plan.Runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		res, ok := runs.find(prints[i], plan.Latency)
		if !ok {
			p.run = fmt.Sprintf("%s, %s, seed %d", run.Arm, run.Setting, run.Seed)
			if res, err = w.run(ctx, run); err != nil {
				return nil, fmt.Errorf("%s, %s, seed %d: %w", run.Arm, run.Setting, run.Seed, err)
			}
		}
		res.Experiment, res.Arm, res.Setting, res.Seed, res.Fingerprint = e.Name, run.Arm, run.Setting, run.Seed, prints[i]
		if !runs.ours[res.key()] {
			if err := runs.add(res); err != nil {
				return nil, err
			}
		}
		results = append(results, res)
	}
	s := summarise(e, plan, results)
	if err := s.Write(w.dir); err != nil {
		return nil, err
	}
	return s, w.clean()
}

// worker does one experiment's runs.
type worker struct {
	*Runner
	*progress
	dir     string
	latency bool
	trained map[*Net]source
}

// source is a run whose weights others start from.
type source struct {
	dir     string
	seconds float64
}

func (w *worker) run(ctx context.Context, run Run) (Result, error) {
	res := Result{AUC: map[string]float64{}, Networks: len(run.Nets), Note: run.Note}
	for i := range run.Nets {
		if err := w.net(ctx, &run.Nets[i], &res); err != nil {
			return res, err
		}
	}
	return res, nil
}

// net trains a network, measures it on the test data and adds it to a result.
func (w *worker) net(ctx context.Context, n *Net, res *Result) error {
	c := n.Config
	if n.From != nil {
		from, err := w.source(ctx, n.From)
		if err != nil {
			return err
		}
		c.Init = from.dir
		res.SourceSeconds += from.seconds
	}
	dir := filepath.Join(w.dir, "work")
	p, err := w.train(ctx, c, n, dir)
	if err != nil {
		return err
	}
	best, err := trainer.LoadRun(dir)
	if err != nil {
		return err
	}
	if err := w.score(ctx, best, n, res); err != nil {
		return err
	}
	res.Parameters += len(best.Params)
	res.Pictures += len(n.Train.Items)
	res.Steps += c.Steps
	res.Seconds += p.Seconds
	if w.latency {
		ms, err := w.deployed(ctx, best)
		if err != nil {
			return err
		}
		res.LatencyMS += ms
	}
	return os.RemoveAll(dir)
}

// train runs in a folder that holds nothing yet.
func (w *worker) train(ctx context.Context, c trainer.Config, n *Net, dir string) (trainer.Progress, error) {
	if err := os.RemoveAll(dir); err != nil {
		return trainer.Progress{}, err
	}
	// The best weights are those that are best at what is measured.
	val := w.Bench.Val.Only(c.Labels)
	if n.Score != nil {
		val = knows(val, n.Score...)
	}
	job := trainer.Job{Runtime: w.Runtime, Config: c, Train: n.Train, Val: val, Out: dir, Bare: true,
		Threads: w.Threads, Hooks: trainer.Hooks{Step: func(trainer.StepEvent) { w.step() }}}
	return job.Run(ctx)
}

// source trains a network that others start from, once.
func (w *worker) source(ctx context.Context, n *Net) (source, error) {
	if s, ok := w.trained[n]; ok {
		return s, nil
	}
	s := source{dir: filepath.Join(w.dir, "sources", fmt.Sprint(len(w.trained)))}
	p, err := w.train(ctx, n.Config, n, s.dir)
	if err != nil {
		return s, err
	}
	s.seconds = p.Seconds
	w.trained[n] = s
	return s, nil
}

// clean removes the weights: results are what a study leaves.
func (w *worker) clean() error { return os.RemoveAll(filepath.Join(w.dir, "sources")) }
