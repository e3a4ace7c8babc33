package dataset

import (
	"math/rand/v2"
	"sort"
)

// worker is the memory of one goroutine that fills batches.
type worker struct {
	pcg    rand.PCG
	rng    *rand.Rand
	layout layout
	render renderer
}

// fill draws picture i of a batch.
func (l *Loader) fill(wk *worker, b *Batch, i int) error {
	c := l.cfg
	wk.pcg.Seed(c.Seed, uint64(b.Step)<<20|uint64(i))
	l.draw.draw(wk.rng, &wk.layout)
	b.Items[i] = wk.layout.views[0].item
	size := 3 * c.Width * c.Height
	if err := wk.render.render(wk.rng, l.draw.cache, c.Augment, &wk.layout, b.Frames[i*size:][:size], c.Width, c.Height); err != nil {
		return err
	}
	t := b.teach(i, len(b.Presence)/c.Batch)
	t.teach(&wk.layout, c.Width, c.Height)
	if c.Unlooked {
		t.markUnlooked(&wk.layout)
	}
	return nil
}

// markUnlooked makes the mask of what is unknown −1 where nobody looked for a label in one of
// the pictures and nobody saw it in another.
func (t Teach) markUnlooked(lay *layout) {
	for l := range t.PresenceMask {
		looked, seen := true, false
		for _, v := range lay.views {
			looked = looked && (v.it.Labels[l] != Unknown || v.it.believed(l))
			seen = seen || v.it.Labels[l] == Positive
		}
		if t.PresenceMask[l] == 0 && !looked && !seen {
			t.PresenceMask[l] = -1
		}
	}
}

// teach is picture i's part of a batch's teachers.
func (b *Batch) teach(i, labels int) Teach {
	n := len(b.Map) / len(b.Items)
	return Teach{b.Map[i*n:][:n], b.MapWeight[i*n:][:n], b.Presence[i*labels:][:labels], b.PresenceMask[i*labels:][:labels]}
}

// pick draws a usable picture by its weight.
func (l *Loader) pick(rng *rand.Rand) int {
	at := sort.SearchFloat64s(l.cum, rng.Float64()*l.cum[len(l.cum)-1])
	return l.usable[min(at, len(l.usable)-1)]
}
