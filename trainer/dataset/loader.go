package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"sync"

	"perceive/camera/opencv"
)

// LoaderConfig says what a batch is.
type LoaderConfig struct {
	Width, Height, Batch int
	Seed                 uint64
	Augment              Augment
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
	// Items are the pictures' indices in the set.
	Items []int
}

// Loader prepares batches ahead of the training step. What is in the batch of a
// step depends on the seed and the step alone, not on workers or time.
type Loader struct {
	cfg    LoaderConfig
	cache  *Cache
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
	if err := cfg.Augment.Validate(); err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	if cfg.Batch < 1 || cfg.Width%Stride != 0 || cfg.Height%Stride != 0 || cfg.Width < Stride || cfg.Height < Stride {
		return nil, fmt.Errorf("dataset: batch %d of %d×%d: want at least 1, and multiples of %d", cfg.Batch, cfg.Width, cfg.Height, Stride)
	}
	cfg.Workers, cfg.Ahead = max(1, cfg.Workers), max(2, cfg.Ahead)
	l := &Loader{cfg: cfg, cache: cache, usable: cache.Usable(), free: make(chan *Batch, cfg.Ahead),
		ready: make(chan *pending, cfg.Ahead)}
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
	for range cfg.Ahead {
		l.free <- newBatch(cfg, len(cache.Set.Labels))
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	l.start(ctx, first)
	return l, nil
}

func newBatch(c LoaderConfig, labels int) *Batch {
	n := c.Batch * labels
	cells := (c.Width / Stride) * (c.Height / Stride)
	return &Batch{
		Frames: make([]byte, c.Batch*c.Width*c.Height*3), Items: make([]int, c.Batch),
		Map: make([]float32, n*cells), MapWeight: make([]float32, n*cells),
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
			var warp opencv.Warper
			defer warp.Close()
			for s := range slots {
				if err := l.fill(&warp, s.p.batch, s.i); err != nil {
					s.p.mu.Lock()
					s.p.err = errors.Join(s.p.err, err)
					s.p.mu.Unlock()
				}
				s.p.wait.Done()
			}
		})
	}
}

// fill draws picture i of a batch.
func (l *Loader) fill(warp *opencv.Warper, b *Batch, i int) error {
	c := l.cfg
	rng := rand.New(rand.NewPCG(c.Seed, uint64(b.Step)<<20|uint64(i)))
	at := sort.SearchFloat64s(l.cum, rng.Float64()*l.cum[len(l.cum)-1])
	item := l.usable[min(at, len(l.usable)-1)]
	b.Items[i] = item
	it, p := &l.cache.Set.Items[item], l.cache.pix[item]
	located := true
	for k, s := range it.Labels {
		located = located && (s != Positive || it.Located(k))
	}
	m := c.Augment.place(rng, p.w, p.h, c.Width, c.Height, located)
	pix := b.Frames[i*c.Width*c.Height*3:][:c.Width*c.Height*3]
	if err := warp.Warp(pix, c.Width, c.Height, p.bgr, p.w, p.h, m, PadGrey); err != nil {
		return fmt.Errorf("dataset: %s: %w", it.Name, err)
	}
	c.Augment.colour(rng, pix)
	labels := len(it.Labels)
	n := labels * (c.Width / Stride) * (c.Height / Stride)
	Teach{b.Map[i*n:][:n], b.MapWeight[i*n:][:n], b.Presence[i*labels:][:labels], b.PresenceMask[i*labels:][:labels]}.
		teach(it, m, p.scale, c.Width, c.Height)
	return nil
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

// Weights are how often each picture is to be drawn: as if a label and an answer to
// it were drawn evenly, then a source that knows it, with the root of what it knows,
// then one of its pictures. So every answer is met in a fair share, and no source
// teaches itself instead of the label.
func (s *Set) Weights() []float64 {
	type cell struct {
		label  int
		answer State
	}
	count := map[cell]map[string]float64{}
	for _, it := range s.Items {
		for l, st := range it.Labels {
			c := cell{l, st}
			if count[c] == nil {
				count[c] = map[string]float64{}
			}
			count[c][it.Source]++
		}
	}
	roots := map[cell]float64{}
	for c, sources := range count {
		for _, n := range sources {
			roots[c] += math.Sqrt(n)
		}
	}
	out := make([]float64, len(s.Items))
	for i, it := range s.Items {
		for l, st := range it.Labels {
			if c := (cell{l, st}); st != Unknown {
				out[i] += 1 / (roots[c] * math.Sqrt(count[c][it.Source]))
			}
		}
	}
	return out
}
