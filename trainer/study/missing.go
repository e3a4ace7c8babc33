package study

import (
	"fmt"
	"slices"

	"perceive/trainer/dataset"
	"perceive/trainer/loss"
)

const (
	masked     = "mask"
	asNegative = "as negative"
	selective  = "selective"
	onlyWhole  = "whole pictures only"
)

// missing is what to do with labels that nobody gave.
func missing() Experiment {
	return Experiment{
		Name: "missing", Title: "Labels that are missing", Needs: 2, X: "labels hidden",
		Claim:  "With some labels missing one can still learn: sum the loss over the labels that are there, rather than drop pictures or take missing for no.",
		Source: "Ng, Multi-task Learning, 2017",
		Equal:  "pictures before labels are hidden, which labels are hidden, network, steps and batch. Validation and test pictures keep all labels.",
		Plan:   planMissing,
	}
}

func planMissing(b *Bench) (*Plan, error) {
	plan := &Plan{Arms: []string{masked, asNegative, selective, onlyWhole}, Score: b.Labels}
	for _, part := range b.Hidden {
		set := Setting{percent(part), part}
		plan.Settings = append(plan.Settings, set)
		for _, seed := range b.seeds(3) {
			hidden := b.drawn(seed).Hide(part, seed)
			for _, arm := range plan.Arms {
				plan.Runs = append(plan.Runs, b.missingRun(arm, set, seed, hidden))
			}
		}
		if where := ", " + set.Name + " hidden"; part > 0 {
			plan.Contrasts = append(plan.Contrasts, difference(masked, asNegative, set.Name, where, Above),
				difference(masked, selective, set.Name, where, Silent), difference(masked, onlyWhole, set.Name, where, Above))
		}
	}
	if first := plan.Settings[0].Name; b.Hidden[0] == 0 {
		for _, set := range plan.Settings[1:] {
			plan.Contrasts = append(plan.Contrasts, change(fmt.Sprintf("%s with %s hidden against all labels", masked, set.Name),
				masked, set.Name, first, Silent))
		}
	}
	return plan, nil
}

func (b *Bench) missingRun(arm string, set Setting, seed uint64, hidden *dataset.Set) Run {
	run := Run{Arm: arm, Setting: set.Name, Seed: seed}
	c := b.config(seed, b.Labels...)
	switch {
	case arm == onlyWhole:
		hidden = whole(hidden)
		if len(hidden.Items) == 0 {
			run.Note = "no picture has every label"
			return run
		}
	case !slices.ContainsFunc(hidden.Items, lacking):
		// Nothing is missing, so there is nothing to do with it: all are the same run.
	case arm == asNegative:
		c.Loss.Missing = loss.Negative
	case arm == selective:
		c.Loss.Missing = loss.Selective
	}
	run.Nets = []Net{{Config: c, Train: hidden, Score: b.Labels}}
	return run
}

// percent writes a part.
func percent(f float64) string { return fmt.Sprintf("%.0f %%", 100*f) }
