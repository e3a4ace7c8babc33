package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/google/renameio/v2"

	"perceive/hw/ort"
	"perceive/trainer"
	"perceive/trainer/dataset"
	"perceive/trainer/teacher"
)

type teachCmd struct {
	Detector string   `required:"" type:"existingfile" placeholder:"FILE.onnx" help:"YOLOX detector of COCO's classes, as its authors export it."`
	Data     []string `required:"" sep:"none" placeholder:"URI" help:"Pictures to look at: ${schemes}. May be repeated."`
	Out      string   `required:"" type:"path" placeholder:"FILE.jsonl" help:"What was seen: a line a picture."`
	Labels   []string `placeholder:"LABEL" help:"Labels to look for. Default: pedestrian,car,stop_sign,traffic_light."`
	dataFlags
}

// Help is the long description.
func (teachCmd) Help() string {
	return `Looks at pictures with a detector and writes down what it saw, with its probabilities. Training
on 'jsonl:FILE?teacher=SEEN.jsonl' then learns from that wherever no person looked (knowledge distillation).

  perceive teach --detector yolox_nano.onnx --data jsonl:road/train/labels.jsonl --out seen.jsonl
  perceive train --data 'jsonl:road/train/labels.jsonl?teacher=seen.jsonl' --val … --out runs/taught`
}

func (c *teachCmd) Run(a *app) error {
	labels := c.Labels
	if len(labels) == 0 {
		labels = trainer.Default().Labels
	}
	for _, l := range labels {
		if _, ok := teacher.Classes[l]; !ok {
			return usageError{fmt.Errorf("--labels %s: COCO has no class of that name that is known here", l)}
		}
	}
	set, err := dataset.OpenWith(c.opening(), c.Data, labels)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(c.Detector)
	if err != nil {
		return err
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	d, err := teacher.Load(rt, file, ort.Options{Threads: 1}) // a picture a core
	if err != nil {
		return fmt.Errorf("%s: %w", c.Detector, err)
	}
	defer d.Close()
	show := newBar(a.errOut, "looking", len(set.Items))
	seen, bad, err := d.LookAll(a.ctx, set, newLocked(show))
	show.end()
	if err != nil {
		return err
	}
	return c.write(a, set, seen, bad)
}

// write leaves the whole file or none. A picture that could not be decoded has no line: it
// was not looked at.
func (c *teachCmd) write(a *app, set *dataset.Set, seen [][]dataset.SeenLine, bad []error) error {
	if err := errors.Join(bad...); err != nil && c.policy() != dataset.Skip {
		return fmt.Errorf("%w\n--on-bad skip leaves such pictures out", err)
	}
	f, err := renameio.NewPendingFile(c.Out)
	if err != nil {
		return err
	}
	defer f.Cleanup()
	w, n := bufio.NewWriter(f), 0
	for i, lines := range seen {
		if bad[i] != nil {
			fmt.Fprintf(a.errOut, "left out: %v\n", bad[i])
			continue
		}
		n += len(lines)
		if err := (dataset.BeliefWriter{W: w}).Write(set.Items[i].Name, lines); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %d objects in %d pictures\n", c.Out, n, len(seen))
	return nil
}
