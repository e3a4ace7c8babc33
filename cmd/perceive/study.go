package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"perceive/hw/ort"
	"perceive/trainer/dataset"
	"perceive/trainer/report"
	"perceive/trainer/study"
)

type studyCmd struct {
	Name    string   `arg:"" help:"multitask, width, missing, many, transfer or all."`
	Out     string   `required:"" type:"path" placeholder:"DIR" help:"Folder of the results, one in it for each experiment. What is done there already is not done again."`
	Data    []string `sep:"none" placeholder:"URI" help:"Labelled pictures to learn from: ${schemes}. May be repeated. Default: rendered scenes."`
	Val     []string `sep:"none" placeholder:"URI" help:"Labelled pictures to choose each network's weights by. Default: a part of the data's groups, held out."`
	Test    []string `sep:"none" placeholder:"URI" help:"Labelled pictures that everything is measured on. Default: another part, held out."`
	Labels  []string `placeholder:"LABEL" help:"The tasks; transfer's target is the last one. Default: pedestrian,car,stop_sign,traffic_light."`
	Seeds   int      `placeholder:"N" help:"Repetitions, each with weights, pictures and order of its own. Default: three to five, as each experiment needs."`
	Steps   int      `placeholder:"N" help:"Training steps of a network. Default: 400."`
	Quick   bool     `help:"A smoke test of seconds: tiny networks, and numbers that mean nothing."`
	Threads int      `placeholder:"N" help:"Threads of training. Default: one per core."`
}

// Help is the long description.
func (studyCmd) Help() string {
	return `Tests what is said of multi-task and transfer learning, with several seeds each, and says what came out:

  multitask  one network for all tasks against a network each, and against small ones
  width      the same over the width of the network: sharing hurts when it is too small
  missing    missing labels masked, taken for negative, guessed, or their pictures dropped
  many       1, 4, 20, 100 tasks with little data each: what the others do for one
  transfer   pretraining on other tasks, joint training or neither, over the target's data

Each experiment's folder gets runs.jsonl (a line for each run, at once), results.csv, table.md, plot.svg and
index.html. Ctrl-C is safe: the same command goes on where it stopped. On two cores, all takes about half an
hour.

  perceive study all --out runs/study
  perceive study missing --out runs/mine --data jsonl:train.jsonl --test jsonl:test.jsonl --labels car,person`
}

func (c *studyCmd) Run(a *app) error {
	experiments, err := study.Find(c.Name)
	if err != nil {
		return usageError{err}
	}
	recipe, labels, err := c.recipe()
	if err != nil {
		return usageError{err}
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	var decoding *bar
	var mu sync.Mutex // decoding reports from several goroutines
	bench, err := study.Open(a.ctx, recipe, study.Data{Train: c.Data, Val: c.Val, Test: c.Test, Labels: labels, Cache: filepath.Join(c.Out, "cache"),
		Warn: func(err error) { fmt.Fprintf(a.errOut, "left out: %v\n", err) },
		Decoded: func(done, total int) {
			mu.Lock()
			defer mu.Unlock()
			if decoding == nil {
				decoding = newBar(a.errOut, "pictures", total)
			}
			decoding.set(done, "")
		}}, experiments)
	if decoding != nil {
		decoding.end()
	}
	if err != nil {
		return err
	}
	defer bench.Close()
	fmt.Fprintf(a.errOut, "%d pictures to learn from, %d to choose weights by, %d to measure on\n", len(bench.Pool.Items), len(bench.Val.Items), len(bench.Test.Items))
	for _, e := range experiments {
		if err := c.one(a, rt, bench, e); err != nil {
			return err
		}
	}
	return nil
}

// one does an experiment and prints what came out.
func (c *studyCmd) one(a *app, rt *ort.Runtime, bench *study.Bench, e study.Experiment) error {
	var steps *bar
	r := study.Runner{Runtime: rt, Bench: bench, Out: c.Out, Threads: c.Threads, Progress: func(done, total int, run string) {
		if steps == nil {
			steps = newBar(a.errOut, e.Name, total)
			steps.from = done - 1
		}
		steps.set(done, run)
	}}
	s, err := r.Run(a.ctx, e)
	if steps != nil {
		steps.end()
	}
	if err != nil {
		if a.ctx.Err() != nil {
			fmt.Fprintf(a.errOut, "stopped; the same command goes on where it stood\n")
		}
		return err
	}
	fmt.Fprintf(a.out, "%s\nmore: %s\n\n", s.Markdown(), filepath.Join(c.Out, e.Name, report.Index))
	return nil
}

// recipe is the sizes with the flags over them.
func (c *studyCmd) recipe() (r study.Recipe, labels []string, err error) {
	r = study.Default()
	if c.Quick {
		r = study.Quick()
	}
	if c.Seeds < 0 || c.Steps < 0 || c.Threads < 0 {
		return r, nil, fmt.Errorf("--seeds %d, --steps %d, --threads %d: want no negative numbers", c.Seeds, c.Steps, c.Threads)
	}
	if c.Seeds > 0 {
		r.Seeds = c.Seeds
	}
	if c.Steps > 0 {
		r.Config.Steps = c.Steps
	}
	if labels, err = dataset.ExpandLabels(c.Labels); err != nil {
		return r, nil, err
	}
	seen := map[string]bool{}
	for _, l := range labels {
		if l = strings.TrimSpace(l); l == "" || seen[l] {
			return r, nil, fmt.Errorf("--labels: %q is empty or there twice", l)
		}
		seen[l] = true
	}
	return r, labels, nil
}
