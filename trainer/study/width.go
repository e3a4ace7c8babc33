package study

import (
	"fmt"
	"math"
)

// width is the shared network against networks of their own, over their width.
func width() Experiment {
	return Experiment{
		Name: "width", Title: "When sharing hurts", Needs: 2, X: "channels, times the default's",
		Claim:  "Sharing hurts only when the network is too small: one that is big enough does no worse than separate ones of its width.",
		Source: "Ng, Multi-task Learning, 2017, who names Caruana, 1997",
		Equal:  "pictures, labels, batch, width of each network, and steps: the shared one takes as many as the separate ones together.",
		Plan:   planWidth,
	}
}

func planWidth(b *Bench) (*Plan, error) {
	plan := &Plan{Arms: []string{longNet, eachNet}, Score: b.Labels, Latency: true}
	for i, by := range b.Widths {
		set := Setting{fmt.Sprint(by), math.Log2(by)}
		plan.Settings = append(plan.Settings, set)
		// The claim has nothing to say of the narrow ones but by the slope, below.
		expect := Silent
		if i == len(b.Widths)-1 {
			expect = NotBelow
		}
		plan.Contrasts = append(plan.Contrasts, difference(longNet, eachNet, set.Name, ", width "+set.Name, expect))
		c := b.Config
		c.Network = widened(c.Network, by)
		for _, seed := range b.seeds(3) {
			plan.Runs = append(plan.Runs, b.shared(c, len(b.Labels), seed, longNet, set.Name), b.separate(c, seed, eachNet, set.Name))
		}
	}
	first, last := plan.Settings[0].Name, plan.Settings[len(plan.Settings)-1].Name
	plan.Contrasts = append(plan.Contrasts, Contrast{
		fmt.Sprintf("what sharing does at width %s less what it does at %s", last, first),
		func(score Scores) float64 {
			return score(longNet, last) - score(eachNet, last) - score(longNet, first) + score(eachNet, first)
		}, Above})
	return plan, nil
}
