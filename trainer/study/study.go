// Package study runs the claims of multi-task and transfer learning as experiments: many
// small trainings that differ in one thing, several seeds each, and a verdict that is
// worked out from their numbers, whichever way it falls.
//
// An Experiment is a value. Its Plan lists the runs; a Runner does those that are not yet
// done, one after the other, since each uses every core, and writes each down at once; a
// Summary compares arms within each seed.
package study

import (
	"fmt"
	"math"
	"strings"

	"perceive/trainer"
	"perceive/trainer/dataset"
	"perceive/trainer/report"
)

// Experiment is one claim and how to test it.
type Experiment struct {
	Name, Title string
	// Claim is one sentence, Source where it is made.
	Claim, Source string
	// Equal says what the arms have in common, and what they do not.
	Equal string
	// X is the axis of the settings.
	X string
	// Needs is the least number of labels. AllTasks: it asks as many as the recipe's Tasks
	// say, not the main ones alone.
	Needs    int
	AllTasks bool
	// Plan lists the runs on some data.
	Plan func(b *Bench) (*Plan, error)
}

// Plan is everything that an experiment does.
type Plan struct {
	// Arms are what is compared, under each of the Settings.
	Arms     []string
	Settings []Setting
	Runs     []Run
	// Contrasts are the comparisons, fixed before there are numbers.
	Contrasts []Contrast
	// Score are the labels that count.
	Score []string
	// Latency is measured of each run's networks as they would be deployed.
	Latency bool
	// Chart, if not nil, takes the place of scores over settings.
	Chart func(s *Summary) report.Chart
}

// Setting is a circumstance, at X on the chart.
type Setting struct {
	Name string
	X    float64
}

// byDoubling is a setting on an axis where each doubling is a step.
func byDoubling(x float64) Setting { return Setting{fmt.Sprint(x), math.Log2(x)} }

// Run is one arm in one setting with one seed: networks that are trained one after the
// other, and that together answer every label of the plan's Score.
type Run struct {
	Arm, Setting string
	Seed         uint64
	Nets         []Net
	// Note says why there are no networks.
	Note string
}

// Net is one network to train and what is to be measured of it.
type Net struct {
	Config trainer.Config
	Train  *dataset.Set
	// Score are those of its labels that are measured on the test data.
	Score []string
	// From, if not nil, is trained before it and gives the initial weights. Runs that share
	// it train it once.
	From *Net
}

// All are the experiments, in the order in which they are told.
func All() []Experiment {
	return []Experiment{multitask(), width(), missing(), many(), transfer()}
}

// Find gives the experiments by name; "all" is every one.
func Find(name string) ([]Experiment, error) {
	if name == "all" {
		return All(), nil
	}
	var names []string
	for _, e := range All() {
		if e.Name == name {
			return []Experiment{e}, nil
		}
		names = append(names, e.Name)
	}
	return nil, fmt.Errorf("no experiment %q: want %s or all", name, strings.Join(names, ", "))
}

// steps is the training that a run costs, sources that others share left out.
func (r Run) steps() (n int) {
	for _, net := range r.Nets {
		n += net.Config.Steps
	}
	return n
}
