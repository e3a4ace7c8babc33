package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// alone is the layout of one picture that has the input to itself.
func alone(it *Item, m affine, w, h int) *layout {
	return &layout{views: []view{{it: it, m: m, scale: 1, window: rect{0, 0, float64(w), float64(h)}}}}
}

// everything is each augmentation, often.
func everything() Augment {
	a := DefaultAugment()
	a.Mosaic, a.Occlude, a.OccludeMax, a.Fog, a.Rain, a.Blur, a.JPEG = 0.3, 0.5, 0.6, 0.5, 0.5, 0.5, 0.3
	return a
}

// boxed are random pictures: labels of every state, positives with boxes and without.
func boxed(t *testing.T, n int) *Cache {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 3))
	s := &Set{Labels: []string{"a", "b", "c"}}
	for i := range n {
		it := painted(fmt.Sprint(i), 96, 64, byte(i), Unknown, Unknown, Unknown)
		for l := range it.Labels {
			it.Labels[l] = State(rng.IntN(3))
			if it.Labels[l] == Positive && rng.IntN(4) > 0 {
				for range 1 + rng.IntN(3) {
					w, h := uniform(rng, 2, 60), uniform(rng, 2, 50)
					it.Boxes = append(it.Boxes, Box{l, uniform(rng, 0, 96-w), uniform(rng, 0, 64-h), w, h})
				}
			}
		}
		s.Items = append(s.Items, it)
	}
	c, err := OpenCache(t.Context(), s, 80, CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever is drawn, the teacher does not lie. What it says is checked against the boxes,
// point by point, without its own arithmetic of areas.
func TestAugmentationTellsNoLies(t *testing.T) {
	const w, h = 96, 64
	c := boxed(t, 60)
	rng := rand.New(rand.NewPCG(5, 5))
	d := drawer{everything(), w, h, c, func(rng *rand.Rand) int { return rng.IntN(60) }}
	var lay layout
	n := 3 * w / Stride * h / Stride
	teach := Teach{make([]float32, n), make([]float32, n), make([]float32, 3), make([]float32, 3)}
	var said [3][3]int
	for range 4000 {
		d.draw(rng, &lay)
		teach.teach(&lay, w, h)
		for l := range 3 {
			shown := survey(&lay, l, w, h)
			switch positive, known := teach.Presence[l] == 1, teach.PresenceMask[l] == 1; {
			case !known && positive:
				t.Fatal("positive, and not known")
			case known && positive && !shown.positive:
				t.Fatalf("label %d is positive and nothing of it is to be seen: %+v", l, lay)
			case known && !positive && (shown.positive || !shown.negative):
				t.Fatalf("label %d is negative, and something of it is there, or may be: %+v", l, lay)
			}
			said[l][int(teach.Presence[l]+teach.PresenceMask[l])]++
			for i, v := range teach.Map[l*n/3:][:n/3] {
				weight := teach.MapWeight[l*n/3+i]
				if v == 1 && weight > 0 && !shown.boxed[i] {
					t.Fatalf("label %d: cell %d is positive, outside every box", l, i)
				}
				if v == 0 && weight > 0 && (shown.inside[i] || shown.unknown[i]) {
					t.Fatalf("label %d: cell %d is negative, within a box or where nobody looked", l, i)
				}
			}
		}
	}
	for l, n := range said {
		if slices.Min(n[:]) < 100 {
			t.Errorf("label %d: unknown, negative, positive %v times: too few to mean something", l, n)
		}
	}
}

// shown is what there is of a label in an input, cell by cell: boxed where a box touches
// the cell, inside where the cell's middle is in the middle of a box, unknown where its
// picture does not say.
type shown struct {
	positive, negative     bool
	boxed, inside, unknown []bool
}

func survey(lay *layout, l, w, h int) shown {
	n := w / Stride * h / Stride
	s := shown{negative: true, boxed: make([]bool, n), inside: make([]bool, n), unknown: make([]bool, n)}
	for i := range lay.views {
		v := &lay.views[i]
		s.negative = s.negative && v.it.Labels[l] != Unknown && v.it.Located(l)
		if v.it.Labels[l] == Positive && !v.it.Located(l) && len(lay.views) == 1 {
			s.positive = true
		}
		for y := 0; y < h; y++ {
			for x := 0; x < w; x++ {
				px, py := float64(x)+.5, float64(y)+.5
				if px < v.window.x0 || px >= v.window.x1 || py < v.window.y0 || py >= v.window.y1 {
					continue
				}
				cell := y/Stride*(w/Stride) + x/Stride
				s.unknown[cell] = s.unknown[cell] || !v.it.Located(l)
				for _, b := range v.it.Boxes {
					if b.Label != l {
						continue
					}
					// Back to the picture, where the box is as it was.
					bx, by := (px-v.m[2])/v.m[0]/v.scale, (py-v.m[5])/v.m[4]/v.scale
					if bx < b.X || bx > b.X+b.W || by < b.Y || by > b.Y+b.H {
						continue
					}
					s.boxed[cell], s.negative = true, false
					if fx, fy := (bx-b.X)/b.W, (by-b.Y)/b.H; fx > .1 && fx < .9 && fy > .1 && fy < .9 {
						s.inside[cell] = true
					}
					under := slices.ContainsFunc(lay.hidden, func(r rect) bool { return px > r.x0 && px < r.x1 && py > r.y0 && py < r.y1 })
					s.positive = s.positive || !under
				}
			}
		}
	}
	// A box's rim may touch a cell between the points that are looked at.
	for i := range lay.views {
		for _, b := range lay.views[i].it.Boxes {
			if r := lay.views[i].m.box(b, lay.views[i].scale).clip(lay.views[i].window); b.Label == l && !r.empty() {
				s.negative = false
				for y := int(r.y0 / Stride); y <= min(h/Stride-1, int(r.y1/Stride)); y++ {
					for x := int(r.x0 / Stride); x <= min(w/Stride-1, int(r.x1/Stride)); x++ {
						s.boxed[y*(w/Stride)+x] = true
					}
				}
			}
		}
	}
	return s
}

// What lies under a rectangle is not there to be seen.
func TestOcclusion(t *testing.T) {
	const w, h, cells = 64, 32, 8 * 4
	it := Item{Labels: []State{Positive}, Boxes: []Box{{0, 8, 8, 32, 16}}}
	for _, tc := range []struct {
		name     string
		hidden   []rect
		presence [2]float32 // presence and mask
		positive int        // cells of weight > 0
	}{
		{"free", nil, [2]float32{1, 1}, 6},
		{"beside it", []rect{{44, 0, 64, 32}}, [2]float32{1, 1}, 6},
		{"half covered", []rect{{24, 0, 64, 32}}, [2]float32{1, 1}, 2},
		{"three quarters covered", []rect{{16, 0, 64, 32}}, [2]float32{0, 0}, 0},
		{"by two", []rect{{0, 0, 24, 32}, {30, 0, 64, 32}}, [2]float32{0, 0}, 0},
		{"all of it", []rect{{0, 0, 64, 32}}, [2]float32{0, 0}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lay := alone(&it, affine{1, 0, 0, 0, 1, 0}, w, h)
			lay.hidden = tc.hidden
			teach := Teach{make([]float32, cells), make([]float32, cells), make([]float32, 1), make([]float32, 1)}
			teach.teach(lay, w, h)
			if got := [2]float32{teach.Presence[0], teach.PresenceMask[0]}; got != tc.presence {
				t.Errorf("presence and mask %v, want %v", got, tc.presence)
			}
			n, mass := 0, float32(0)
			for i, v := range teach.Map {
				if v == 1 && teach.MapWeight[i] > 0 {
					n, mass = n+1, mass+teach.MapWeight[i]
				}
			}
			if n != tc.positive || n > 0 && math.Abs(float64(mass)-1) > 1e-6 {
				t.Errorf("%d positive cells that weigh %g, want %d that weigh 1", n, mass, tc.positive)
			}
		})
	}
}

// A small object is not taught where a blur may have wiped it out.
func TestBlurDoubtsSmallObjects(t *testing.T) {
	it := Item{Labels: []State{Positive}, Boxes: []Box{{0, 8, 8, 6, 6}}}
	lay := alone(&it, affine{1, 0, 0, 0, 1, 0}, 64, 32)
	for blur, want := range map[float64]bool{0: true, 1: true, 2: false} {
		lay.blur = blur
		if _, seen := lay.shows(&lay.views[0], it.Boxes[0]); seen != want {
			t.Errorf("blur %g: an object of 6 pixels is seen: %v", blur, seen)
		}
	}
}

func TestMosaicTruth(t *testing.T) {
	const w, h = 64, 32
	there := Item{Labels: []State{Positive}, Boxes: []Box{{0, 4, 4, 10, 10}}}
	anywhere := Item{Labels: []State{Positive}}
	not, nobody := Item{Labels: []State{Negative}}, Item{Labels: []State{Unknown}}
	gone := Item{Labels: []State{Positive}, Boxes: []Box{{0, 100, 4, 10, 10}}}
	for _, tc := range []struct {
		name     string
		items    [4]*Item
		presence [2]float32
		weighed  [4]bool // quarters whose map counts
	}{
		{"all negative", [4]*Item{&not, &not, &not, &not}, [2]float32{0, 1}, [4]bool{true, true, true, true}},
		{"one shows it", [4]*Item{&not, &nobody, &there, &anywhere}, [2]float32{1, 1}, [4]bool{true, false, true, false}},
		{"one unknown", [4]*Item{&not, &not, &not, &nobody}, [2]float32{0, 0}, [4]bool{true, true, true, false}},
		{"somewhere in one", [4]*Item{&not, &not, &anywhere, &not}, [2]float32{0, 0}, [4]bool{true, true, false, true}},
		{"cut away in one", [4]*Item{&not, &gone, &not, &not}, [2]float32{0, 1}, [4]bool{true, true, true, true}},
		{"all unknown", [4]*Item{&nobody, &nobody, &nobody, &nobody}, [2]float32{0, 0}, [4]bool{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var lay layout
			for i, it := range tc.items {
				x, y := float64(i%2*w/2), float64(i/2*h/2)
				lay.views = append(lay.views, view{it: it, scale: 1, m: affine{1, 0, x, 0, 1, y}, window: rect{x, y, x + w/2, y + h/2}})
			}
			n := w / Stride * h / Stride
			teach := Teach{make([]float32, n), make([]float32, n), make([]float32, 1), make([]float32, 1)}
			teach.teach(&lay, w, h)
			if got := [2]float32{teach.Presence[0], teach.PresenceMask[0]}; got != tc.presence {
				t.Errorf("presence and mask %v, want %v", got, tc.presence)
			}
			for i := range 4 {
				weight := teach.MapWeight[(i/2*2+1)*w/Stride+i%2*4+3] // a corner that no box reaches
				if (weight > 0) != tc.weighed[i] {
					t.Errorf("quarter %d: weight %g", i, weight)
				}
			}
		})
	}
}

// With everything on, batches still depend on the seed and the step alone, and each
// augmentation changes pictures.
func TestEveryAugmentationIsDeterministic(t *testing.T) {
	c := boxed(t, 20)
	batch := func(a Augment, seed uint64, workers int) []byte {
		l, err := NewLoader(c, LoaderConfig{Width: 96, Height: 64, Batch: 8, Seed: seed, Augment: a, Workers: workers}, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(b.Frames)
	}
	plain := batch(Augment{}, 1, 1)
	for name, a := range map[string]Augment{
		"everything": everything(), "mosaic": {Mosaic: 1}, "occlude": {Occlude: 1, OccludeMax: 0.5}, "fog": {Fog: 1, FogMax: 0.5},
		"rain": {Rain: 1}, "blur": {Blur: 1, BlurMax: 2}, "jpeg": {JPEG: 1, JPEGMin: 10}, "noise": {Noise: 20}, "night": {Night: 1},
	} {
		one := batch(a, 1, 1)
		if !slices.Equal(one, batch(a, 1, 3)) {
			t.Errorf("%s: three workers make another batch than one", name)
		}
		if slices.Equal(one, plain) {
			t.Errorf("%s changes nothing", name)
		}
		if slices.Equal(one, batch(a, 2, 1)) {
			t.Errorf("%s: another seed gives the same batch", name)
		}
	}
}

func TestAugmentValidate(t *testing.T) {
	if err := DefaultAugment().Validate(); err != nil {
		t.Error(err)
	}
	for says, a := range map[string]Augment{
		"mosaic": {Mosaic: 2}, "occlude_max": {Occlude: 0.1}, "fog_max": {Fog: 0.1, FogMax: 1}, "blur_max": {Blur: 0.1, BlurMax: 100},
		"jpeg_min": {JPEG: 0.1}, "rain": {Rain: -1}, "jpeg: NaN": {JPEG: math.NaN()},
	} {
		if err := a.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: error %v does not say %q", a, err, says)
		}
	}
}
