package study

import (
	"fmt"
	"slices"

	"perceive/trainer/dataset"
)

const together = "together"

// many is what other tasks do for a few, when each has little data of its own.
func many() Experiment {
	return Experiment{
		Name: "many", Title: "Many tasks with little data each", Needs: 1, AllTasks: true, X: "tasks",
		Claim:  "When each of many tasks has a similar, small amount of data, the others help one: what they have in sum is much more than what it has.",
		Source: "Ng, Multi-task Learning, 2017: 100 tasks with 1,000 examples each",
		Equal:  "the labelled pictures of each task, which no other task has; how often a network sees each of its pictures, but for the smallest, which see theirs more often; and the tasks that are measured. With one task a network learns each of those alone.",
		Plan:   planMany,
	}
}

// asked are the tasks in their order, and the first of them, which are measured. Without
// maps what is small is hard to learn, so of rendered scenes questions about the whole
// picture come first.
func (b *Bench) asked() (labels, targets []string) {
	first := b.Labels[:min(4, len(b.Labels))]
	if whole := []string{"night", "rain", "day", "clear"}; b.rendered && !b.chosen {
		first = whole
	}
	labels = slices.Clone(first)
	for _, l := range b.Pool.Labels {
		if !slices.Contains(first, l) {
			labels = append(labels, l)
		}
	}
	return labels, first
}

func planMany(b *Bench) (*Plan, error) {
	labels, targets := b.asked()
	plan := &Plan{Arms: []string{together}, Score: targets}
	counts := slices.DeleteFunc(append(slices.Clone(b.Tasks), len(targets)), func(n int) bool { return n > len(labels) || n > 1 && n < len(targets) })
	slices.Sort(counts)
	counts = slices.Compact(counts)
	for _, n := range counts {
		plan.Settings = append(plan.Settings, byDoubling(float64(n)))
	}
	pool := b.Pool.Only(labels)
	for _, seed := range b.seeds(3) {
		own, err := own(pool, b.PerTask, seed)
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
				run.Nets = []Net{b.pooled(own[:n], labels[:n], targets, seed)}
			}
			plan.Runs = append(plan.Runs, run)
		}
	}
	for i, n := range counts {
		if n == 1 {
			continue
		}
		// The claim is of many tasks: of the largest number.
		plan.Contrasts = append(plan.Contrasts, change(fmt.Sprintf("%d tasks together against each alone", n),
			together, plan.Settings[i].Name, "1", Above.onlyIf(i == len(counts)-1)))
	}
	return plan, nil
}

// pooled is a network without maps on the pictures of some tasks.
func (b *Bench) pooled(own []*dataset.Set, labels, score []string, seed uint64) Net {
	set := dataset.Concat(own...).Only(labels)
	// Few pictures are learned in few steps, but not in fewer than this.
	least := b.Config.Steps * 3 / 5
	c := stepped(b.Config, max(least, b.Passes*len(set.Items)/b.Config.Batch), seed, labels)
	c.Pooled = labels
	return Net{Config: c, Train: set, Score: score}
}
