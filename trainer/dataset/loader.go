package dataset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
)

// LoaderConfig says what a batch is.
type LoaderConfig struct {
	Width, Height, Batch int
	Seed                 uint64
	Augment              Augment
	// Pooled is the number of labels, the last ones, that have no maps.
	Pooled int
	// Unlooked makes the presence mask −1 where nobody looked, for a loss that decides about
	// that. What somebody saw and a crop made doubtful stays 0.
	Unlooked bool
	// Balanced draws by Weights, else every picture equally often.
	Balanced bool
	// Workers is the number of goroutines that prepare pictures, Ahead the number
	// of batches that are kept ready.
	Workers, Ahead int
}

// Batch is one training batch: frames uint8 [B,H,W,3] and teachers [B,…].
type Batch struct {
	Step                   int
	Frames                 []byte
	Map, MapWeight         []float32
	Presence, PresenceMask []float32
	// Items are the pictures' indices in the set; of a mosaic, its first picture's.
	Items []int
}

// Loader prepares batches ahead of the training step. What is in the batch of a
// step depends on the seed and the step alone, not on workers or time.
type Loader struct {
	cfg    LoaderConfig
	draw   drawer
	usable []int
	cum    []float64 // cumulative drawing weights of usable

	ready chan *pending
	free  chan *Batch
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// pending is a batch in the making.
type pending struct {
	batch *Batch
	wait  sync.WaitGroup
	mu    sync.Mutex
	err   error
}

// NewLoader starts to prepare the batches from step first on. Close it.
func NewLoader(cache *Cache, cfg LoaderConfig, first int) (*Loader, error) {
	l, err := newLoader(cache, cfg)
	if err != nil {
		return nil, err
	}
	for range l.cfg.Ahead {
		l.free <- newBatch(l.cfg, len(cache.Set.Labels))
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	l.start(ctx, first)
	return l, nil
}

// newLoader is a loader that does not run.
func newLoader(cache *Cache, cfg LoaderConfig) (*Loader, error) {
	if err := cfg.Augment.Validate(); err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	if cfg.Batch < 1 || cfg.Width%Stride != 0 || cfg.Height%Stride != 0 || cfg.Width < Stride || cfg.Height < Stride {
		return nil, fmt.Errorf("dataset: batch %d of %d×%d: want at least 1, and multiples of %d", cfg.Batch, cfg.Width, cfg.Height, Stride)
	}
	cfg.Workers, cfg.Ahead = max(1, cfg.Workers), max(2, cfg.Ahead)
	l := &Loader{cfg: cfg, usable: cache.Usable(), free: make(chan *Batch, cfg.Ahead), ready: make(chan *pending, cfg.Ahead)}
	l.draw = drawer{cfg.Augment, cfg.Width, cfg.Height, cache, l.pick}
	if len(l.usable) == 0 {
		return nil, errors.New("dataset: no usable pictures")
	}
	weights := make([]float64, len(cache.Set.Items))
	for i := range weights {
		weights[i] = 1
	}
	if cfg.Balanced {
		weights = cache.Set.Weights()
	}
	var sum float64
	for _, i := range l.usable {
		sum += weights[i]
		l.cum = append(l.cum, sum)
	}
	return l, nil
}

func newBatch(c LoaderConfig, labels int) *Batch {
	n := c.Batch * labels
	maps := c.Batch * max(0, labels-c.Pooled) * (c.Width / Stride) * (c.Height / Stride)
	return &Batch{
		Frames: make([]byte, c.Batch*c.Width*c.Height*3), Items: make([]int, c.Batch),
		Map: make([]float32, maps), MapWeight: make([]float32, maps),
		Presence: make([]float32, n), PresenceMask: make([]float32, n),
	}
}

// start runs a feeder, which hands out batches in order, and workers, which share
// each batch's pictures.
func (l *Loader) start(ctx context.Context, first int) {
	type slot struct {
		p *pending
		i int
	}
	slots := make(chan slot)
	l.done.Go(func() {
		defer close(slots)
		defer close(l.ready)
		for step := first; ; step++ {
			var b *Batch
			select {
			case b = <-l.free:
			case <-ctx.Done():
				return
			}
			b.Step = step
			p := &pending{batch: b}
			p.wait.Add(l.cfg.Batch)
			select {
			case l.ready <- p:
			case <-ctx.Done():
				return
			}
			for i := range l.cfg.Batch {
				select {
				case slots <- slot{p, i}:
				case <-ctx.Done():
					p.wait.Add(i - l.cfg.Batch) // what nobody will do
					return
				}
			}
		}
	})
	for range l.cfg.Workers {
		l.done.Go(func() {
			wk := &worker{}
			wk.rng = rand.New(&wk.pcg)
			defer wk.render.Close()
			for s := range slots {
				if err := l.fill(wk, s.p.batch, s.i); err != nil {
					s.p.mu.Lock()
					s.p.err = errors.Join(s.p.err, err)
					s.p.mu.Unlock()
				}
				s.p.wait.Done()
			}
		})
	}
}

// Next lends the next batch; give it back with Return. After Close it is an error.
func (l *Loader) Next(ctx context.Context) (*Batch, error) {
	select {
	case p, ok := <-l.ready:
		if !ok {
			return nil, errors.New("dataset: the loader is closed")
		}
		p.wait.Wait()
		return p.batch, p.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Return gives a batch's memory back.
func (l *Loader) Return(b *Batch) { l.free <- b }

// Close stops the workers and waits for them. It may be called twice.
func (l *Loader) Close() error {
	l.stop()
	for p := range l.ready {
		_ = p
	}
	l.done.Wait()
	return nil
}
