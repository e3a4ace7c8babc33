package study

import (
	"math"

	"perceive/trainer"
	"perceive/trainer/dataset"
	"perceive/trainer/nn"
)

// Recipe is how large everything is: Default takes about half an hour for all experiments
// on two cores, Quick seconds.
type Recipe struct {
	// Config is the training that all runs start from.
	Config trainer.Config
	// Seeds is the number of repetitions, 0 the experiment's own.
	Seeds int
	// Pool is how many pictures runs draw from, Val and Test how many choose the weights
	// and are measured on, where pictures are rendered.
	Pool, Val, Test int
	// Train is the number of pictures of a run that has plenty.
	Train int
	// Widths are multiples of the network's channels.
	Widths []float64
	// Hidden are the parts of the labels that are hidden.
	Hidden []float64
	// Tasks are numbers of tasks, each with PerTask labelled pictures of its own, which are
	// seen Passes times.
	Tasks           []int
	PerTask, Passes int
	// Targets are sizes of the target set of transfer learning.
	Targets []int
}

// Default is small enough to be repeated, and large enough to show something.
func Default() Recipe {
	c := trainer.Default()
	c.Network = nn.Config{Width: 160, Height: 96, Channels: [4]int64{16, 24, 32, 48}, Blocks: [4]int64{0, 1, 1, 1}, Neck: 24}
	// Rate and batch were chosen on one network for all tasks.
	c.Steps, c.Batch, c.Warmup = 400, 16, 40
	c.Rate, c.Optimizer.Average = 8e-3, 0.98
	// Pictures are shown as they are, and equally often: nothing but what an experiment
	// is about differs between its arms.
	c.Augment, c.Balanced = dataset.Augment{}, false
	return Recipe{Config: c, Pool: 2000, Val: 400, Test: 800, Train: 1000,
		Widths: []float64{0.25, 0.5, 1, 2}, Hidden: []float64{0, 0.25, 0.5, 0.75, 0.9},
		Tasks: []int{1, 4, 20, 100}, PerTask: 30, Passes: 32, Targets: []int{30, 100, 300, 1000}}
}

// Quick is a smoke test: every part runs, and the numbers mean nothing.
func Quick() Recipe {
	r := Default()
	r.Config.Network = nn.Config{Width: 64, Height: 32, Channels: [4]int64{8, 8, 8, 8}, Blocks: [4]int64{0, 1, 0, 0}, Neck: 8}
	r.Config.Steps, r.Config.Batch, r.Config.Warmup = 8, 8, 2
	r.Seeds, r.Pool, r.Val, r.Test, r.Train = 2, 80, 60, 60, 30
	r.Widths, r.Hidden, r.Tasks, r.PerTask, r.Passes, r.Targets = []float64{0.5, 1}, []float64{0, 0.5}, []int{1, 4, 8}, 10, 1, []int{10, 30}
	return r
}

// seeds of an experiment whose own number is n.
func (r Recipe) seeds(n int) []uint64 {
	if r.Seeds > 0 {
		n = r.Seeds
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = uint64(i + 1)
	}
	return out
}

// looks is how often a run looks at the validation data.
const looks = 5

// config is the recipe for a network of some labels.
func (r Recipe) config(seed uint64, labels ...string) trainer.Config {
	return stepped(r.Config, r.Config.Steps, seed, labels)
}

// stepped is c for so many steps. It saves at the end alone: a run is short, and is begun
// again when it is interrupted.
func stepped(c trainer.Config, steps int, seed uint64, labels []string) trainer.Config {
	c.Labels, c.Seed, c.Steps = labels, seed, steps
	c.EvalEvery, c.SaveEvery, c.Warmup = max(1, steps/looks), steps, min(c.Warmup, steps/2)
	return c
}

// widened multiplies a network's channels.
func widened(n nn.Config, by float64) nn.Config {
	scale := func(c int64) int64 { return max(4, 2*int64(math.Round(float64(c)*by/2))) }
	for i := range n.Channels {
		n.Channels[i] = scale(n.Channels[i])
	}
	n.Neck = scale(n.Neck)
	return n
}

// part is the network of the same plan that has about 1/parts of the parameters.
func part(n nn.Config, parts int) (nn.Config, error) {
	want, err := parameters(n, parts)
	if err != nil {
		return n, err
	}
	best, least := n, math.Inf(1)
	for by := 1.0; by > 0.1; by -= 0.02 {
		narrow := widened(n, by)
		size, err := parameters(narrow, 1)
		if err != nil {
			return n, err
		}
		if off := math.Abs(float64(int64(parts)*size - want)); off < least {
			best, least = narrow, off
		}
	}
	return best, nil
}

// parameters of a network that answers so many labels.
func parameters(n nn.Config, labels int) (int64, error) {
	n.Labels = int64(labels)
	_, l, err := trainer.DeployGraph(n, 1)
	if err != nil {
		return 0, err
	}
	return l.Size, nil
}
