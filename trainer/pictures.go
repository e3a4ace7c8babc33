package trainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"perceive/trainer/dataset"
	"perceive/trainer/loss"
)

// loader is what the configuration makes of a training set.
func (c Config) loader() dataset.LoaderConfig {
	return dataset.LoaderConfig{
		Width: int(c.Network.Width), Height: int(c.Network.Height), Batch: c.Batch, Seed: c.Seed, Pooled: len(c.Pooled),
		Unlooked: c.Loss.Missing == loss.Selective,
		Augment:  c.Augment, Balanced: c.Balanced, Workers: runtime.GOMAXPROCS(0), Ahead: 3,
	}
}

// decodeTrain opens the training cache. Its pictures are kept at 1.4 times the input's
// longer side: enough for the zoom of augmentation, and a third of the room of whole ones.
func (j *Job) decodeTrain(ctx context.Context) (*dataset.Cache, error) {
	side := int(max(j.Config.Network.Width, j.Config.Network.Height)) * 7 / 5
	c, err := dataset.OpenCache(ctx, j.Train, side, j.cacheOptions(0))
	if err != nil {
		return nil, err
	}
	return c, j.accept(c)
}

// cacheOptions count on from before pictures.
func (j *Job) cacheOptions(before int) dataset.CacheOptions {
	return dataset.CacheOptions{Dir: j.Cache, Progress: func(done int) {
		if j.Decoded != nil {
			j.Decoded(before+done, len(j.Train.Items)+len(j.Val.Items))
		}
	}}
}

// accept tells of a cache and its bad pictures, and closes it where the policy refuses
// them.
func (j *Job) accept(c *dataset.Cache) error {
	if j.Cached != nil {
		j.Cached(c)
	}
	if err := c.Check(j.OnBad); err != nil {
		c.Close()
		return err
	}
	flaws := c.Flaws()
	for _, line := range flaws.Lines() {
		if j.Warn != nil {
			j.Warn(errors.New(line))
		}
	}
	return nil
}

// Preview writes contact sheets of the first batch, after augmentation and with what is
// taught of it, and returns their names: to is a picture's name (further sheets get
// a number), or a folder.
func (j *Job) Preview(ctx context.Context, to string) ([]string, error) {
	if err := j.Config.Validate(); err != nil {
		return nil, err
	}
	c, err := j.decodeTrain(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	sheets, err := dataset.Preview(ctx, c, j.Config.loader(), 1)
	if err != nil {
		return nil, err
	}
	ext := strings.ToLower(filepath.Ext(to))
	file := ext == ".png" || ext == ".jpg" || ext == ".jpeg"
	dir := to
	if file {
		dir = filepath.Dir(to)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("trainer: preview: %w", err)
	}
	var names []string
	for i, s := range sheets {
		name := filepath.Join(to, fmt.Sprintf("batch-%d.png", i+1))
		if file {
			name = to
			if i > 0 {
				name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(to, filepath.Ext(to)), i+1, filepath.Ext(to))
			}
		}
		if err := s.Write(name); err != nil {
			return nil, fmt.Errorf("trainer: preview: %w", err)
		}
		names = append(names, name)
	}
	return names, nil
}
