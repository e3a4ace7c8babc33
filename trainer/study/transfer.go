package study

import (
	"fmt"
	"slices"

	"perceive/trainer/nn"
)

const (
	scratch = "from scratch"
	tuned   = "pretrained"
	frozen  = "pretrained, heads alone"
	joint   = "multi-task"
)

// transfer is pretraining on other tasks against learning with them against neither.
func transfer() Experiment {
	return Experiment{
		Name: "transfer", Title: "Transfer, multi-task or neither", Needs: 2, X: "target pictures",
		Claim:  "When there is much data for other tasks and little for the one that matters, what was learned from the others helps it, and the more so the less it has.",
		Source: "Ng, Transfer Learning, in Structuring Machine Learning Projects, 2017",
		Equal:  "the pictures of the target, the network and the batch. From scratch and after pretraining the target is learned in as many steps; multi-task takes the steps of pretraining and of that together. Every answer is met in a fair share.",
		Plan:   planTransfer,
	}
}

func planTransfer(b *Bench) (*Plan, error) {
	target := b.Labels[len(b.Labels)-1]
	only, others := []string{target}, b.Labels[:len(b.Labels)-1]
	plan := &Plan{Arms: []string{scratch, tuned, frozen, joint}, Score: only}
	base := b.Config
	base.Balanced = true
	full := b.plenty()
	// As much as there is to spare of the target's pictures goes to it.
	sizes := slices.DeleteFunc(slices.Clone(b.Targets), func(n int) bool { return n > len(full.Items)/2 })
	if len(sizes) == 0 {
		return nil, fmt.Errorf("%w: %d pictures to learn from, and half of them are to hold %d of the target", ErrData, len(full.Items), b.Targets[0])
	}
	most := slices.Max(sizes)
	sources := map[uint64]*Net{}
	for _, n := range sizes {
		set := byDoubling(float64(n))
		plan.Settings = append(plan.Settings, set)
		for _, seed := range b.seeds(3) {
			source, own, err := apart(full, target, b.Train, n, most, seed)
			if err != nil {
				return nil, err
			}
			if sources[seed] == nil {
				sources[seed] = &Net{Config: stepped(base, base.Steps, seed, others), Train: source.Only(others)}
			}
			fine := stepped(base, base.Steps*2/3, seed, only)
			heads := fine
			heads.Rates = nn.Rates{"": 0, "head": 1, "maps": 1, "presence": 1}
			both := *source
			both.Items = append(slices.Clone(source.Items), own.Items...)
			run := func(arm string, net Net) {
				plan.Runs = append(plan.Runs, Run{Arm: arm, Setting: set.Name, Seed: seed, Nets: []Net{net}})
			}
			run(scratch, Net{Config: fine, Train: own.Only(only), Score: only})
			run(tuned, Net{Config: fine, Train: own.Only(only), Score: only, From: sources[seed]})
			run(frozen, Net{Config: heads, Train: own.Only(only), Score: only, From: sources[seed]})
			run(joint, Net{Config: stepped(base, fine.Steps+base.Steps, seed, b.Labels), Train: &both, Score: only})
		}
		where := ", " + set.Name + " pictures"
		// The claim is of little data, so of the smallest set.
		plan.Contrasts = append(plan.Contrasts, difference(tuned, scratch, set.Name, where, Above.onlyIf(n == sizes[0])),
			difference(joint, scratch, set.Name, where, Silent), difference(tuned, joint, set.Name, where, Silent),
			difference(frozen, tuned, set.Name, where, Silent))
	}
	if len(sizes) > 1 {
		first, last := plan.Settings[0].Name, plan.Settings[len(sizes)-1].Name
		plan.Contrasts = append(plan.Contrasts, differenceChange(fmt.Sprintf("what pretraining gains with %s pictures less what it gains with %s", first, last),
			tuned, scratch, first, last, Above))
	}
	return plan, nil
}
