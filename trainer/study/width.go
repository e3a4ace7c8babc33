package study

import "fmt"

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
		set := byDoubling(by)
		plan.Settings = append(plan.Settings, set)
		// The claim has nothing to say of the narrow ones but by the slope, below.
		plan.Contrasts = append(plan.Contrasts, difference(longNet, eachNet, set.Name, ", width "+set.Name, NotBelow.onlyIf(i == len(b.Widths)-1)))
		c := b.Config
		c.Network = widened(c.Network, by)
		for _, seed := range b.seeds(3) {
			plan.Runs = append(plan.Runs, b.shared(c, len(b.Labels), seed, longNet, set.Name), b.separate(c, seed, eachNet, set.Name))
		}
	}
	first, last := plan.Settings[0].Name, plan.Settings[len(plan.Settings)-1].Name
	plan.Contrasts = append(plan.Contrasts, differenceChange(fmt.Sprintf("what sharing does at width %s less what it does at %s", last, first),
		longNet, eachNet, last, first, Above))
	return plan, nil
}
