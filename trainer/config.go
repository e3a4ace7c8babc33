// Package trainer trains a multi-label network on partly labelled pictures:
// the loop around the training graph, evaluation, checkpoints and the report.
package trainer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/renameio/v2"

	"perceive/trainer/dataset"
	"perceive/trainer/loss"
	"perceive/trainer/nn"
	"perceive/trainer/optim"
)

// Config is everything that decides what a run computes. It is saved in every
// checkpoint. The zero value is not valid; start from Default.
type Config struct {
	// Labels are the tasks, in the order of the network's outputs.
	Labels []string `yaml:"labels" json:"labels"`
	// Pooled are those of them, the last ones, that have no map: their presence is learned
	// alone, and many cost next to nothing. For questions about the whole picture.
	Pooled []string `yaml:"pooled,omitempty,flow" json:"pooled,omitempty"`
	// Network is the shape of the network; its number of labels is len(Labels).
	Network nn.Config `yaml:"network" json:"network"`
	// Init is the folder of a run whose best weights are the initial ones, where names and
	// shapes agree: transfer learning.
	Init string `yaml:"init,omitempty" json:"init,omitempty"`
	// Steps to train, Batch pictures a step.
	Steps int `yaml:"steps" json:"steps"`
	Batch int `yaml:"batch" json:"batch"`
	// Shard is the number of pictures of a pass, which divides Batch; 0 chooses one. Memory
	// grows with it, not with Batch.
	Shard int `yaml:"shard,omitempty" json:"shard,omitempty"`
	// Seed of the initial weights, the order of pictures and their augmentation.
	Seed uint64 `yaml:"seed" json:"seed"`
	// Rate is the peak learning rate, reached after Warmup steps; it falls along a
	// half cosine to Rate·FinalRate.
	Rate      float64 `yaml:"rate" json:"rate"`
	FinalRate float64 `yaml:"final_rate" json:"final_rate"`
	Warmup    int     `yaml:"warmup" json:"warmup"`

	Optimizer optim.Config `yaml:"optimizer" json:"optimizer"`
	Loss      loss.Config  `yaml:"loss" json:"loss"`
	// Rates are learning rates of parts of the network, relative to Rate, by the beginning of
	// their parameters' names: {backbone: 0.1}. 0 freezes the part.
	Rates   nn.Rates        `yaml:"rates,omitempty" json:"rates,omitempty"`
	Augment dataset.Augment `yaml:"augment" json:"augment"`
	// Balanced draws pictures so that each answer to each label, and each source,
	// is met in a fair share; else every picture is met equally often.
	Balanced bool `yaml:"balanced" json:"balanced"`

	// EvalEvery and SaveEvery count steps between looks at the validation data and
	// between checkpoints.
	EvalEvery int `yaml:"eval_every" json:"eval_every"`
	SaveEvery int `yaml:"save_every" json:"save_every"`
}

// Default is a recipe for photographs of roads.
func Default() Config {
	network, _ := nn.Config{Width: 320, Height: 192}.Member("small")
	return Config{
		Labels:  []string{"pedestrian", "car", "stop_sign", "traffic_light"},
		Network: network,
		Steps:   3600, Batch: 32, Seed: 1,
		Rate: 2e-3, FinalRate: 0.01, Warmup: 200,
		Optimizer: optim.Default(), Loss: loss.Config{Map: 1, Presence: 1},
		Augment:  dataset.DefaultAugment(),
		Balanced: true, EvalEvery: 250, SaveEvery: 250,
	}
}

// ConfigFile is the resolved configuration in a run's folder.
const ConfigFile = "config.yaml"

// LoadConfig reads settings from a YAML file over those of base. Unknown keys are
// errors; every error names the file, and one of YAML the line.
func LoadConfig(path string, base Config) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return base, fmt.Errorf("trainer: configuration: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField())
	if err := dec.Decode(&base); err != nil && !errors.Is(err, io.EOF) {
		return base, fmt.Errorf("trainer: configuration %s: %w", path, err)
	}
	if err := base.Validate(); err != nil {
		return base, fmt.Errorf("%s: %w", path, err)
	}
	return base, nil
}

// YAML is the configuration as LoadConfig reads it.
func (c Config) YAML() ([]byte, error) { return yaml.Marshal(c) }

// Save writes the configuration to a file.
func (c Config) Save(path string) error {
	text, err := c.YAML()
	if err == nil {
		err = renameio.WriteFile(path, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("trainer: configuration: %w", err)
	}
	return nil
}

// Validate reports every setting that cannot be, joined.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Labels) == 0 {
		bad("labels: none")
	}
	for i, l := range c.Labels {
		if l == "" || slices.Contains(c.Labels[:i], l) {
			bad("labels: %q is empty or there twice", l)
		}
	}
	if n := len(c.Pooled); n > len(c.Labels) || !sameElements(c.Pooled, c.Labels[len(c.Labels)-n:]) {
		bad("pooled: %v: want the last of the labels %v: put those without a map behind the others", c.Pooled, c.Labels)
	}
	for _, v := range []struct {
		name string
		n    int
	}{{"steps", c.Steps}, {"batch", c.Batch}, {"eval_every", c.EvalEvery}, {"save_every", c.SaveEvery}} {
		if v.n < 1 {
			bad("%s: %d is not at least 1", v.name, v.n)
		}
	}
	if c.Shard < 0 || (c.Shard > 0 && c.Batch%c.Shard != 0) {
		bad("shard: %d does not divide the batch of %d", c.Shard, c.Batch)
	}
	if !(c.Rate > 0) || !(c.FinalRate >= 0 && c.FinalRate <= 1) || c.Warmup < 0 {
		bad("rate %g, final_rate %g, warmup %d: want > 0, within 0..1, >= 0", c.Rate, c.FinalRate, c.Warmup)
	}
	errs = append(errs, c.net().Validate(), c.Loss.Validate(len(c.Labels)), c.Optimizer.Validate(), c.Augment.Validate())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("trainer: configuration: %w", err)
	}
	return nil
}

func sameElements(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// Diff names the first setting in which two configurations differ, "" if none.
func (c Config) Diff(other Config) string {
	a, b := reflect.ValueOf(c.saved()), reflect.ValueOf(other.saved())
	for i := range a.NumField() {
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			key, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
			return fmt.Sprintf("%s: %v, now %v", key, y, x)
		}
	}
	return ""
}

// saved is the configuration as it comes back from a checkpoint, where a list that is empty
// is one that is absent, and the hash of the backbone is all there is of it.
func (c Config) saved() Config {
	var out Config
	text, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil { // no checkpoint has it either
		return c
	}
	return out
}

// net is the network with its number of labels filled in.
func (c Config) net() nn.Config {
	n := c.Network
	n.Labels, n.Pooled = int64(len(c.Labels)), int64(len(c.Pooled))
	return n
}

// schedule is the learning rate of each step.
func (c Config) schedule() optim.OneCycle {
	return optim.OneCycle{Peak: c.Rate, Final: c.FinalRate, Warmup: c.Warmup, Total: c.Steps}
}
