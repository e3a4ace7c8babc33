package loss

import (
	"errors"
	"fmt"
	"slices"
)

// Config says what an answer costs. The zero value of each key is its first choice,
// but Map and Presence, of which one must be above 0.
type Config struct {
	// Map multiplies the loss of the maps, Presence that of the pooled logits. Both
	// are sums over a picture's known elements.
	Map      float64 `yaml:"map" json:"map"`
	Presence float64 `yaml:"presence" json:"presence"`

	// Kind of the presence loss: "bce", "focal" or "asymmetric".
	Kind string `yaml:"kind,omitempty" json:"kind,omitempty"`
	// FocusPositive and FocusNegative are the exponents γ that turn down what is easy, 0 to 8;
	// of focal, which has one, FocusNegative counts. Both 0 means the papers' own: 2 for
	// focal, 0 and 4 for asymmetric.
	FocusPositive float64 `yaml:"focus_positive,omitempty" json:"focus_positive,omitempty"`
	FocusNegative float64 `yaml:"focus_negative,omitempty" json:"focus_negative,omitempty"`
	// Margin of the asymmetric loss: negatives below this probability cost nothing, 0 to 0.5.
	Margin float64 `yaml:"margin,omitempty" json:"margin,omitempty"`

	// PositiveWeight of a label multiplies what its missed positives cost: "none",
	// "balanced" (negatives by positives of the training data, within 1/8 to 8) or
	// "fixed", by PositiveWeights in the order of the labels.
	PositiveWeight  string    `yaml:"positive_weight,omitempty" json:"positive_weight,omitempty"`
	PositiveWeights []float64 `yaml:"positive_weights,omitempty,flow" json:"positive_weights,omitempty"`

	// Missing says what an unknown label counts as: "ignore" leaves it out of the sum,
	// "negative" takes it for a negative, "selective" takes it for a negative where the
	// network itself gives it less than Likely (0.3 if 0), and leaves out the rest.
	Missing string  `yaml:"missing,omitempty" json:"missing,omitempty"`
	Likely  float64 `yaml:"likely,omitempty" json:"likely,omitempty"`

	// Tasks says how labels are weighed against each other: "equal", "fixed" by
	// TaskWeights, or "uncertainty", learned with the network (see Weigh).
	Tasks       string    `yaml:"tasks,omitempty" json:"tasks,omitempty"`
	TaskWeights []float64 `yaml:"task_weights,omitempty,flow" json:"task_weights,omitempty"`
}

// The choices by name. "" is the first of its kind.
const (
	BCE        = "bce"
	Focal      = "focal"
	Asymmetric = "asymmetric"

	None     = "none"
	Balanced = "balanced"
	Fixed    = "fixed"

	Ignore    = "ignore"
	Negative  = "negative"
	Selective = "selective"

	Equal       = "equal"
	Uncertainty = "uncertainty"
)

// likely is the default of Config.Likely.
const likely = 0.3

// Validate reports what cannot be for a number of labels, joined.
func (c Config) Validate(labels int) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("loss: "+format, args...)) }
	if !(c.Map >= 0) || !(c.Presence >= 0) || c.Map+c.Presence == 0 {
		bad("map %g, presence %g: want >= 0 and not both 0", c.Map, c.Presence)
	}
	for _, k := range []struct {
		key, v string
		of     []string
	}{
		{"kind", c.Kind, []string{BCE, Focal, Asymmetric}},
		{"positive_weight", c.PositiveWeight, []string{None, Balanced, Fixed}},
		{"missing", c.Missing, []string{Ignore, Negative, Selective}},
		{"tasks", c.Tasks, []string{Equal, Fixed, Uncertainty}},
	} {
		if k.v != "" && !slices.Contains(k.of, k.v) {
			bad("%s: %q is not one of %q", k.key, k.v, k.of)
		}
	}
	for _, k := range []struct {
		key   string
		v, hi float64
	}{{"focus_positive", c.FocusPositive, 8}, {"focus_negative", c.FocusNegative, 8}, {"margin", c.Margin, 0.5}, {"likely", c.Likely, 1}} {
		if !(k.v >= 0 && k.v <= k.hi) {
			bad("%s: %g is not within 0..%g", k.key, k.v, k.hi)
		}
	}
	errs = append(errs, oneEach("positive_weights", c.PositiveWeight == Fixed, c.PositiveWeights, labels),
		oneEach("task_weights", c.Tasks == Fixed, c.TaskWeights, labels))
	return errors.Join(errs...)
}

// oneEach checks a list that must be there, one number above 0 a label, or not at all.
func oneEach(key string, wanted bool, v []float64, labels int) error {
	if !wanted && len(v) > 0 {
		return fmt.Errorf("loss: %s: given, but not asked for with \"fixed\"", key)
	}
	if wanted && len(v) != labels {
		return fmt.Errorf("loss: %s: %d numbers for %d labels", key, len(v), labels)
	}
	for _, x := range v {
		if !(x > 0) {
			return fmt.Errorf("loss: %s: %g is not above 0", key, x)
		}
	}
	return nil
}

// Resolve fixes the positive weights of a data set: counts of positive and negative
// pictures, a label each. A label without one of them has weight 1.
func (c Config) Resolve(positive, negative []int) Config {
	if c.PositiveWeight != Balanced {
		return c
	}
	const bound = 8
	c.PositiveWeight, c.PositiveWeights = Fixed, make([]float64, len(positive))
	for i := range positive {
		w := 1.0
		if positive[i] > 0 && negative[i] > 0 {
			w = float64(negative[i]) / float64(positive[i])
		}
		c.PositiveWeights[i] = max(1.0/bound, min(bound, w))
	}
	return c
}
