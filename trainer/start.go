package trainer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"perceive/trainer/dataset"
	"perceive/trainer/loss"
	"perceive/trainer/nn"
)

// Load reads what a configuration refers to: the backbone's file, whose hash is then part
// of the configuration.
func (c *Config) Load() error {
	b := c.Network.Backbone
	if b == nil || c.Network.Trunk != nil {
		return nil
	}
	trunk, err := nn.LoadBackbone(*b)
	if err != nil {
		return fmt.Errorf("trainer: backbone: %w", err)
	}
	read := *b
	read.SHA256 = trunk.Hash()
	c.Network.Backbone, c.Network.Trunk = &read, trunk
	return nil
}

// task is what the training graphs are made of, for the answers of a data set.
func (c Config) task(counts map[string][3]int) Task {
	t := Task{Net: c.net(), Plan: NewPlan(c.Batch, c.Shard), Optimizer: c.Optimizer, Loss: c.Loss, Rates: c.Rates}
	positive, negative := make([]int, len(c.Labels)), make([]int, len(c.Labels))
	for i, l := range c.Labels {
		negative[i], positive[i] = counts[l][dataset.Negative], counts[l][dataset.Positive]
	}
	t.Loss = t.Loss.Resolve(positive, negative)
	return t
}

// assume is the training data as the configuration takes it.
func (c Config) assume(s *dataset.Set) *dataset.Set {
	if c.Loss.Missing == loss.Negative {
		return s.Assume(dataset.Negative)
	}
	return s
}

// start gives the engine the weights of the run in Config.Init, where one is named.
func (c Config) start(ctx context.Context, e *Engine) error {
	if c.Init == "" {
		return nil
	}
	from, err := LoadRun(c.Init)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	have, err := from.layout()
	if err != nil {
		return fmt.Errorf("init: %s: %w", c.Init, err)
	}
	n, sameLabels := 0, slices.Equal(c.Labels, from.Config.Labels)
	for _, p := range e.Layout.Params {
		q, err := have.Find(p.Name)
		if err != nil || !slices.Equal(p.Shape, q.Shape) || !sameLabels && (nn.OfLabels(p.Name) || p.Name == uncertainty) {
			continue // a head of other labels starts afresh, even where their number is the same
		}
		copy(e.State()[0][p.Offset:p.Offset+p.Size], from.Params[q.Offset:q.Offset+q.Size])
		n++
	}
	if n == 0 {
		return fmt.Errorf("init: %s: %w", c.Init, errNothingFits)
	}
	copy(e.Average(), e.State()[0])
	return e.Restore(ctx)
}

var errNothingFits = errors.New("none of its parameters has the name and shape of one of this network: name a run of the same network")
