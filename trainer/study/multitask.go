package study

import (
	"gonum.org/v1/plot"

	"perceive/trainer"
	"perceive/trainer/report"
)

const (
	oneNet   = "one network"
	longNet  = "one network, trained as long"
	eachNet  = "a network each"
	smallNet = "a small network each"
)

// multitask is one network for all labels against a network for each.
func multitask() Experiment {
	return Experiment{
		Name: "multitask", Title: "One network or one for each task", Needs: 2, X: "label",
		Claim:  "One network that answers several questions does no worse than a network for each, and costs a fraction of them.",
		Source: "Ng, Multi-task Learning, in Structuring Machine Learning Projects, 2017; Caruana, Multitask Learning, 1997",
		Equal:  "pictures, labels, batch, and the steps of each network, so that networks of their own take together as many times the steps of the shared one as there are tasks; the one trained as long takes as many as all of them. The small ones have together about the parameters of the shared one.",
		Plan:   planMultitask,
	}
}

func planMultitask(b *Bench) (*Plan, error) {
	const setting = "all pictures"
	plan := &Plan{Arms: []string{oneNet, longNet, eachNet, smallNet}, Settings: []Setting{{Name: setting}}, Score: b.Labels, Latency: true,
		Contrasts: []Contrast{difference(oneNet, eachNet, setting, "", NotBelow), difference(longNet, eachNet, setting, "", NotBelow),
			difference(longNet, smallNet, setting, "", NotBelow)},
		Chart: labelChart}
	narrow := b.Config
	var err error
	if narrow.Network, err = part(b.Config.Network, len(b.Labels)); err != nil {
		return nil, err
	}
	for _, seed := range b.seeds(4) {
		plan.Runs = append(plan.Runs, b.shared(b.Config, 1, seed, oneNet, setting),
			b.shared(b.Config, len(b.Labels), seed, longNet, setting), b.separate(b.Config, seed, eachNet, setting),
			b.separate(narrow, seed, smallNet, setting))
	}
	return plan, nil
}

// shared is a run of one network for all labels, for some times the steps.
func (b *Bench) shared(c trainer.Config, times int, seed uint64, arm, setting string) Run {
	return Run{Arm: arm, Setting: setting, Seed: seed, Nets: []Net{{
		Config: stepped(c, times*c.Steps, seed, b.Labels), Train: b.drawn(seed), Score: b.Labels}}}
}

// separate is a run of a network for each label, on the same pictures.
func (b *Bench) separate(c trainer.Config, seed uint64, arm, setting string) Run {
	run, drawn := Run{Arm: arm, Setting: setting, Seed: seed}, b.drawn(seed)
	for _, l := range b.Labels {
		one := []string{l}
		run.Nets = append(run.Nets, Net{Config: stepped(c, c.Steps, seed, one), Train: drawn.Only(one), Score: one})
	}
	return run
}

// labelChart has the labels on its axis, and their mean at the end.
func labelChart(s *Summary) report.Chart {
	c := report.Chart{Title: s.Experiment.Title, X: "label", Y: "ROC AUC, test", Loose: true}
	for i, l := range append(append([]string(nil), s.Plan.Score...), "mean") {
		c.Ticks = append(c.Ticks, plot.Tick{Value: float64(i), Label: l})
	}
	for i, r := range s.Rows {
		line := points{report.Series{Name: r.Arm, Points: true}}
		off := 0.12 * (float64(i) - float64(len(s.Rows)-1)/2)
		for j, l := range s.Plan.Score {
			line.add(float64(j)+off, r.AUC[l])
		}
		line.add(float64(len(s.Plan.Score))+off, r.Score)
		c.Series = append(c.Series, line.Series)
	}
	return c
}
