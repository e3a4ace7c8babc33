package study

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"perceive/trainer/dataset"
)

// Data says where pictures come from. Without Train they are rendered.
type Data struct {
	Train, Val, Test []string
	// Labels are the tasks, the last one the target of transfer learning. nil are the
	// renderer's four.
	Labels []string
	// Cache is the folder where decoded pictures are kept; "" keeps them in memory.
	Cache string
	// Decoded, if not nil, is told how many of how many pictures are decoded.
	Decoded func(done, total int)
	// Warn, if not nil, is told of pictures that are left out.
	Warn func(error)
}

// Bench is data, decoded once for all runs, and the recipe.
type Bench struct {
	Recipe
	// Pool is what training pictures are drawn from, Val chooses weights, Test measures.
	Pool, Val, Test *dataset.Set
	// Labels are the main tasks; the sets may know more, for experiments with many.
	Labels []string

	rendered bool           // and not read
	chosen   bool           // the labels were given
	inputs   *dataset.Cache // of Test
	caches   []*dataset.Cache
}

// ErrData reports data on which an experiment cannot be done.
var ErrData = errors.New("the data is not enough")

// Seeds of rendered data, far apart: training, validation and test share no scene.
const (
	trainScenes = 101
	valScenes   = 102
	testScenes  = 103
)

// Open reads and decodes what some experiments need.
func Open(ctx context.Context, r Recipe, d Data, experiments []Experiment) (_ *Bench, err error) {
	b := &Bench{Recipe: r, Labels: d.Labels, chosen: d.Labels != nil}
	defer func() {
		if err != nil {
			b.Close()
			err = fmt.Errorf("study: %w", err)
		}
	}()
	sets, err := b.sets(d, slices.ContainsFunc(experiments, func(e Experiment) bool { return e.AllTasks }))
	if err != nil {
		return nil, err
	}
	for _, e := range experiments {
		if len(b.Labels) < e.Needs {
			return nil, fmt.Errorf("%s: %w: it needs %d labels and there are %d", e.Name, ErrData, e.Needs, len(b.Labels))
		}
	}
	if err := b.measurable(sets); err != nil {
		return nil, err
	}
	ready, err := b.decode(ctx, d, sets)
	if err != nil {
		return nil, err
	}
	b.Pool, b.Val, b.Test = ready[0], ready[1], ready[2]
	net := r.Config.Network
	b.inputs, err = dataset.NewInputs(ctx, b.Test, int(net.Width), int(net.Height), nil)
	return b, err
}

// sets are training, validation and test pictures, as labelled.
func (b *Bench) sets(d Data, allTasks bool) (sets [3]*dataset.Set, err error) {
	if len(d.Train) > 0 {
		return b.given(d)
	}
	if len(d.Val)+len(d.Test) > 0 {
		return sets, fmt.Errorf("%w: data to choose by or to measure on, and none to learn from", dataset.ErrURI)
	}
	b.rendered = true
	labels, pool := dataset.SceneTasks(4), b.Recipe.Pool
	if b.Labels == nil {
		b.Labels = labels
	}
	labels = b.Labels
	if allTasks {
		most := slices.Max(b.Tasks)
		for _, l := range dataset.SceneTasks(min(most, dataset.MaxSceneTasks)) {
			if !slices.Contains(labels, l) && len(labels) < most {
				labels = append(labels[:len(labels):len(labels)], l)
			}
		}
		pool = max(pool, len(labels)*b.PerTask)
	}
	for i, s := range []struct{ n, seed int }{{pool, trainScenes}, {b.Recipe.Val, valScenes}, {b.Recipe.Test, testScenes}} {
		if sets[i], err = dataset.Open([]string{fmt.Sprintf("scene:%d?seed=%d", s.n, s.seed)}, labels); err != nil {
			return sets, err
		}
	}
	return sets, nil
}

// Parts of the groups that are held out where no data is named for it.
const (
	testPart = 0.25
	valPart  = 0.15
)

func (b *Bench) given(d Data) (sets [3]*dataset.Set, err error) {
	if b.Labels == nil {
		b.Labels = b.Config.Labels
	}
	if sets[0], err = dataset.Open(d.Train, b.Labels); err != nil {
		return sets, err
	}
	for i, s := range []struct {
		uris []string
		part float64
	}{{d.Test, testPart}, {d.Val, valPart}} {
		at := 2 - i
		if len(s.uris) == 0 {
			sets[0], sets[at] = sets[0].Split(s.part, 1)
		} else if sets[at], err = dataset.Open(s.uris, b.Labels); err != nil {
			return sets, err
		}
	}
	return sets, nil
}

// measurable wants both answers to every main label in all three sets.
func (b *Bench) measurable(sets [3]*dataset.Set) error {
	var errs []error
	for i, what := range []string{"to learn from", "to choose by", "to measure on"} {
		counts := sets[i].Counts()
		var lack []string
		for _, l := range b.Labels {
			if n := counts[l]; n[dataset.Positive] == 0 || n[dataset.Negative] == 0 {
				lack = append(lack, fmt.Sprintf("%s (%d positive, %d negative)", l, n[dataset.Positive], n[dataset.Negative]))
			}
		}
		if lack != nil {
			errs = append(errs, fmt.Errorf("%w: of the %d pictures %s, not one each way for %s", ErrData, len(sets[i].Items), what, strings.Join(lack, ", ")))
		}
	}
	return errors.Join(errs...)
}

// decode makes the pictures ready, no larger than the networks see them.
func (b *Bench) decode(ctx context.Context, d Data, sets [3]*dataset.Set) (ready [3]*dataset.Set, err error) {
	total, before := 0, 0
	for _, s := range sets {
		total += len(s.Items)
	}
	side := int(max(b.Config.Network.Width, b.Config.Network.Height))
	for i, s := range sets {
		c, err := dataset.OpenCache(ctx, s, side, dataset.CacheOptions{Dir: d.Cache, Progress: func(done int) {
			if d.Decoded != nil {
				d.Decoded(before+done, total)
			}
		}})
		if err != nil {
			return ready, err
		}
		before += len(s.Items)
		b.caches = append(b.caches, c)
		for _, bad := range c.Bad {
			if d.Warn != nil {
				d.Warn(bad)
			}
		}
		ready[i] = c.Ready()
	}
	return ready, b.measurable(ready)
}

// Close frees the pictures. It may be called twice and ends use.
func (b *Bench) Close() error {
	var errs []error
	for _, c := range b.caches {
		errs = append(errs, c.Close())
	}
	b.caches = nil
	return errors.Join(errs...)
}

// plenty is the pool about the main labels. Where pictures are rendered it is as large as
// the recipe says, whatever other experiments need, so that runs are the same.
func (b *Bench) plenty() *dataset.Set {
	s := b.Pool.Only(b.Labels)
	if b.rendered {
		s.Items = s.Items[:min(len(s.Items), b.Recipe.Pool)]
	}
	return s
}

// drawn are the pictures to learn from of a run that has plenty.
func (b *Bench) drawn(seed uint64) *dataset.Set { return some(b.plenty(), b.Train, seed) }
