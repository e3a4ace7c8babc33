package study

import (
	"fmt"
	"math"
	"slices"

	"perceive/trainer/dataset"
)

const together = "together"

// many is what other tasks do for a few, when each has little data of its own.
func many() Experiment {
	return Experiment{
		Name: "many", Title: "Many tasks with little data each", Needs: 1, X: "tasks",
		Claim:  "When each of many tasks has a similar, small amount of data, the others help one: what they have in sum is much more than what it has.",
		Source: "Ng, Multi-task Learning, 2017: 100 tasks with 1,000 examples each",
		Equal:  "the labelled pictures of each task, which no other task has, the steps and batch of each network, and the tasks that are measured, which are the same everywhere. With one task a network learns each of them alone.",
		Plan:   planMany,
	}
}

func planMany(b *Bench) (*Plan, error) {
	targets := b.Labels
	plan := &Plan{Arms: []string{together}, Score: targets}
	var counts []int
	for _, n := range b.Tasks {
		if n == 1 || n >= len(targets) && n <= len(b.Pool.Labels) {
			counts = append(counts, n)
		}
	}
	if !slices.Contains(counts, len(targets)) {
		counts = append(counts, len(targets))
		slices.Sort(counts)
	}
	for _, n := range counts {
		plan.Settings = append(plan.Settings, Setting{fmt.Sprint(n), math.Log2(float64(n))})
	}
	for _, seed := range b.seeds(3) {
		own, err := own(b.Pool, b.PerTask, seed)
		if err != nil {
			return nil, err
		}
		for i, n := range counts {
			run := Run{Arm: together, Setting: plan.Settings[i].Name, Seed: seed}
			if n == 1 {
				for l, name := range targets {
					run.Nets = append(run.Nets, b.pooled(own[l:l+1], []string{name}, []string{name}, seed))
				}
			} else {
				run.Nets = []Net{b.pooled(own[:n], b.Pool.Labels[:n], targets, seed)}
			}
			plan.Runs = append(plan.Runs, run)
		}
	}
	for i, n := range counts {
		if n == 1 {
			continue
		}
		// The claim is of many tasks: of the largest number.
		expect := Silent
		if i == len(counts)-1 {
			expect = Above
		}
		plan.Contrasts = append(plan.Contrasts, Contrast{fmt.Sprintf("%d tasks against each alone", n),
			func(score Scores) float64 { return score(together, fmt.Sprint(n)) - score(together, "1") }, expect})
	}
	return plan, nil
}

// pooled is a network without maps on the pictures of some tasks. It has twice the steps,
// since with many tasks there are many pictures.
func (b *Bench) pooled(own []*dataset.Set, labels, score []string, seed uint64) Net {
	c := stepped(b.Config, 2*b.Config.Steps, seed, labels)
	c.Pooled = labels
	return Net{Config: c, Train: dataset.Concat(own...).Only(labels), Score: score}
}
