package serve

import (
	"errors"
	"fmt"

	"perceive/models"
	"perceive/perception"
)

var errNoSuchLabel = errors.New("the model has no such label")

// Steady are the thresholds of a model's labels. A label of the configuration that the model lacks is an error.
func (c *DecideConfig) Steady(labels []models.Label) ([]perception.Steady, error) {
	out := perception.SteadyLabels(labels, c.Leave, c.Hold)
	known := map[string]int{}
	for i, l := range labels {
		known[l.ID] = i
	}
	for name, o := range c.Labels {
		i, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("decide.labels.%s: %w", name, errNoSuchLabel)
		}
		s := &out[i]
		if o.Enter != nil {
			s.Enter, s.Leave = *o.Enter, c.Leave**o.Enter
		}
		if o.Leave != nil {
			s.Leave = *o.Leave
		}
		if o.Hold != nil {
			s.Hold = *o.Hold
		}
		if s.Leave > s.Enter {
			return nil, fmt.Errorf("decide.labels.%s: leave, %g, is above enter, %g", name, s.Leave, s.Enter)
		}
	}
	return out, nil
}
