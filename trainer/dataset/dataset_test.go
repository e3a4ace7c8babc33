package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

var ab = []string{"a", "b"}

// painted is an item without a file: w×h pixels of one grey.
func painted(name string, w, h int, grey byte, labels ...State) Item {
	return Item{Name: name, Source: "s", Group: name, Labels: labels, Pixels: func() (int, int, []byte, error) {
		pix := make([]byte, 3*w*h)
		for i := range pix {
			pix[i] = grey
		}
		return w, h, pix, nil
	}}
}

// openFile reads a file of the project's own format.
func openFile(path string, pseudo bool) (*Set, error) {
	return Open([]string{fmt.Sprintf("jsonl:%s?pseudo=%v", path, pseudo)}, ab)
}

func TestReadJSONL(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		pseudo     bool
		says       string // of the error; "" for none
		want       []State
	}{
		{"all three states", `{"path":"x.jpg","labels":{"a":1,"b":0}}` + "\n" + `{"path":"y.jpg","labels":{"a":null}}`, false, "", []State{Positive, Negative, Unknown, Unknown}},
		{"boxes of other labels are passed over", `{"path":"x.jpg","labels":{"a":1,"b":0},"boxes":[{"label":"z","xywh":[0,0,1,1]}]}`, false, "", []State{Positive, Negative}},
		{"pseudo is off", `{"path":"x.jpg","labels":{"a":1,"b":0}}` + "\n" + `{"path":"y.jpg","labels":{},"pseudo":{"a":1}}`, false, "", []State{Positive, Negative, Unknown, Unknown}},
		{"pseudo is on", `{"path":"x.jpg","labels":{"a":1,"b":0}}` + "\n" + `{"path":"y.jpg","labels":{"b":0},"pseudo":{"a":1,"b":1}}`, true, "", []State{Positive, Negative, Positive, Negative}},
		{"empty lines", "\n" + `{"path":"x.jpg","labels":{"a":1,"b":0}}` + "\n\n", false, "", []State{Positive, Negative}},
		{"no pictures", "", false, "no pictures", nil},
		{"not JSON", "path,label\n", false, "line 1", nil},
		{"cut short", `{"path":"x.jpg","labels":{"a":1,"b":0}}` + "\n" + `{"path":"y`, false, "line 2", nil},
		{"no path", `{"labels":{"a":1}}`, false, `"path"`, nil},
		{"path twice", `{"path":"x.jpg","labels":{"a":1}}` + "\n" + `{"path":"x.jpg","labels":{"a":1}}`, false, "line 1 already", nil},
		{"label of 2", `{"path":"x.jpg","labels":{"a":2}}`, false, `"a" is 2`, nil},
		{"a box without a positive", `{"path":"x.jpg","labels":{"a":0},"boxes":[{"label":"a","xywh":[0,0,1,1]}]}`, false, "negative", nil},
		{"a box without a size", `{"path":"x.jpg","labels":{"a":1},"boxes":[{"label":"a","xywh":[0,0,0,1]}]}`, false, "size 0×1", nil},
		{"a label nobody looked at", `{"path":"x.jpg","labels":{"a":1}}`, false, `"b" is unknown in all`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "labels.jsonl")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			set, err := openFile(path, tc.pseudo)
			if tc.says != "" {
				if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("error %v: want one that names the file and says %q", err, tc.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []State
			for _, it := range set.Items {
				got = append(got, it.Labels...)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("states %v, want %v", got, tc.want)
			}
			if want := filepath.Join(filepath.Dir(path), "x.jpg"); set.Items[0].Path != want {
				t.Errorf("path %q, want %q", set.Items[0].Path, want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for uri, says := range map[string]string{
		"":                        "want one of the kinds",
		"labels.txt":              "jsonl",
		"voc:x":                   "jsonl",
		"jsonl:none.jsonl":        "no such file",
		"jsonl:x.jsonl?colour=1":  "colour",
		"jsonl:x.jsonl?pseudo=so": "want 0 or 1",
	} {
		if _, err := Open([]string{uri}, ab); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v does not say %q", uri, err, says)
		}
	}
	if _, err := Open(nil, ab); err == nil {
		t.Error("no data: no error")
	}
}

// Whatever the bytes, reading ends in a sound set, or in an error.
func FuzzParseJSONL(f *testing.F) {
	f.Add(`{"path":"x.jpg","labels":{"a":1,"b":null},"boxes":[{"label":"a","xywh":[1,2,3,4]}],"pseudo":{"b":1}}`)
	f.Add(`{"path":"x","labels":{"a":0,"b":7,"c":1},"boxes":[{"label":"a","xywh":[1,2,3,4]},{"label":"b","xywh":[1,2,0,4]},{"label":"a","xywh":[1,2,1e300,4]}]}` + "\n{}\nx\n" + `{"path":"x"}`)
	f.Add("{}")
	f.Fuzz(func(t *testing.T, text string) {
		if set, err := parseJSONL(strings.NewReader(text), ".", ab, true, &Flaws{}); err == nil {
			sound(t, text, set)
		}
	})
}

func TestSplitKeepsGroupsTogether(t *testing.T) {
	s := &Set{Labels: ab}
	for i := range 200 {
		it := painted(fmt.Sprint(i), 1, 1, 0, Positive, Negative)
		it.Group = fmt.Sprint(i / 10)
		s.Items = append(s.Items, it)
	}
	rest, part := s.Split(0.25, 1)
	if len(part.Items) != 50 || len(rest.Items) != 150 {
		t.Errorf("%d and %d items, want 150 and 50", len(rest.Items), len(part.Items))
	}
	in := map[string]bool{}
	for _, it := range part.Items {
		in[it.Group] = true
	}
	for _, it := range rest.Items {
		if in[it.Group] {
			t.Fatalf("group %s is on both sides", it.Group)
		}
	}
	if _, again := s.Split(0.25, 1); again.Items[0].Name != part.Items[0].Name {
		t.Error("the same seed gives another split")
	}
}

func TestHide(t *testing.T) {
	s := &Set{Labels: ab}
	for i := range 1000 {
		it := painted(fmt.Sprint(i), 1, 1, 0, Positive, Negative)
		it.Boxes = []Box{{0, 0, 0, 1, 1}}
		s.Items = append(s.Items, it)
	}
	hidden := s.Hide(0.5, 1)
	n := 0
	for i, it := range hidden.Items {
		for l, st := range it.Labels {
			if st == Unknown {
				n++
			} else if st != s.Items[i].Labels[l] {
				t.Fatal("a label changed its answer")
			}
		}
		if (it.Labels[0] == Unknown) != (len(it.Boxes) == 0) {
			t.Fatal("the boxes of a hidden label are there, or those of a known one are not")
		}
	}
	if n < 900 || n > 1100 {
		t.Errorf("%d of 2,000 labels hidden, want about half", n)
	}
	if s.Items[0].Labels[0] != Positive || len(s.Items[0].Boxes) != 1 {
		t.Error("the set itself was changed")
	}
	if s.Fingerprint() == hidden.Fingerprint() {
		t.Error("hiding labels leaves the fingerprint")
	}
}

// Drawn by Weights, the answers of each label come up in equal shares, whatever their
// numbers.
func TestWeightsBalanceAnswers(t *testing.T) {
	s := &Set{Labels: ab}
	for i := range 1000 {
		it := painted(fmt.Sprint(i), 1, 1, 0, Negative, Unknown)
		if i%20 == 0 {
			it.Labels = []State{Positive, Unknown}
		}
		if i%5 == 1 {
			it.Labels = []State{Unknown, Positive}
		}
		if i%50 == 2 {
			it.Labels = []State{Unknown, Negative}
		}
		it.Source = fmt.Sprint(i % 3)
		s.Items = append(s.Items, it)
	}
	mass := map[[2]int]float64{}
	for i, w := range s.Weights() {
		for l, st := range s.Items[i].Labels {
			if st != Unknown {
				mass[[2]int{l, int(st)}] += w
			}
		}
	}
	for k, m := range mass {
		if math.Abs(m-1) > 1e-9 {
			t.Errorf("label %d, answer %v: weight %g, want 1", k[0], State(k[1]), m)
		}
	}
}

// A picture of 64×32, an input of the same size: cells of 8 pixels. The numbers were
// worked out by hand.
func TestTeach(t *testing.T) {
	const w, h, cells = 64, 32, 8 * 4
	same := affine{1, 0, 0, 0, 1, 0}
	box := Box{0, 8, 8, 32, 16} // cells 1..5 × 1..3 touched, core 16..32 × 12..20: cells 2..4 × 1..2
	for _, tc := range []struct {
		name     string
		labels   []State
		boxes    []Box
		m        affine
		presence [2]float32 // presence, mask of label 0
		positive int        // cells of 1
		known    int        // cells of weight > 0
	}{
		{"unknown", []State{Unknown, Unknown}, nil, same, [2]float32{0, 0}, 0, 0},
		{"negative", []State{Negative, Unknown}, nil, same, [2]float32{0, 1}, 0, cells},
		{"positive without a box", []State{Positive, Unknown}, nil, same, [2]float32{1, 1}, 0, 0},
		{"positive with a box", []State{Positive, Unknown}, []Box{box}, same, [2]float32{1, 1}, 6, cells - 15 + 6},
		{"moved out of the picture", []State{Positive, Unknown}, []Box{box}, affine{1, 0, -200, 0, 1, 0}, [2]float32{0, 1}, 0, cells},
		{"only a sliver left", []State{Positive, Unknown}, []Box{box}, affine{1, 0, -36, 0, 1, 0}, [2]float32{0, 0}, 0, cells - 3},
		{"flipped", []State{Positive, Unknown}, []Box{box}, affine{-1, 0, 64, 0, 1, 0}, [2]float32{1, 1}, 6, cells - 15 + 6},
		{"too small to see", []State{Positive, Unknown}, []Box{box}, affine{0.2, 0, 0, 0, 0.2, 0}, [2]float32{0, 0}, 0, cells - 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			it := Item{Labels: tc.labels, Boxes: tc.boxes}
			teach := Teach{make([]float32, 2*cells), make([]float32, 2*cells), make([]float32, 2), make([]float32, 2)}
			for i := range teach.Map { // what was there before is overwritten
				teach.Map[i], teach.MapWeight[i] = 9, 9
			}
			teach.teach(alone(&it, tc.m, w, h), w, h)
			if got := [2]float32{teach.Presence[0], teach.PresenceMask[0]}; got != tc.presence {
				t.Errorf("presence and mask %v, want %v", got, tc.presence)
			}
			positive, known, mass := 0, 0, float32(0)
			for i, v := range teach.Map[:cells] {
				if v == 1 {
					positive++
					mass += teach.MapWeight[i]
				}
				if teach.MapWeight[i] > 0 {
					known++
				}
			}
			if positive != tc.positive || known != tc.known {
				t.Errorf("%d positive cells of %d known, want %d of %d", positive, known, tc.positive, tc.known)
			}
			if positive > 0 && math.Abs(float64(mass)-1) > 1e-6 {
				t.Errorf("the positive cells weigh %g together, want 1", mass)
			}
			for i := cells; i < 2*cells; i++ {
				if teach.Map[i] != 0 || teach.MapWeight[i] != 0 {
					t.Fatal("the unknown label has a map")
				}
			}
		})
	}
}

// A placement maps the corners of a picture to where its pixels go, within bounds that
// the settings give.
func TestPlaceStaysWithinBounds(t *testing.T) {
	a := DefaultAugment()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		located := rng.IntN(2) == 0
		m := a.place(rng, 640, 360, 320, 192, located)
		scale := math.Sqrt(math.Abs(m[0])*m[4]) / 0.5 // against the letterbox's
		most := a.ZoomIn
		if !located {
			most = a.ZoomInUnlocated
		}
		if scale < a.ZoomOut-1e-9 || scale > most+1e-9 {
			t.Fatalf("scale %g, want %g..%g", scale, a.ZoomOut, most)
		}
		// The picture covers the input, or lies inside it: along each axis.
		r := m.box(Box{0, 0, 0, 640, 360}, 1)
		for _, s := range [][3]float64{{r.x0, r.x1, 320}, {r.y0, r.y1, 192}} {
			inside, covers := s[0] >= -1e-9 && s[1] <= s[2]+1e-9, s[0] <= 1e-9 && s[1] >= s[2]-1e-9
			if !inside && !covers {
				t.Fatalf("from %g to %g of %g", s[0], s[1], s[2])
			}
		}
	}
}

func newTestCache(t *testing.T) *Cache {
	t.Helper()
	s := &Set{Labels: ab}
	for i := range 20 {
		s.Items = append(s.Items, painted(fmt.Sprint(i), 64, 32, byte(10*i), State(1+i%2), Unknown))
	}
	s.Items[3].Pixels = func() (int, int, []byte, error) { return 0, 0, nil, errors.New("damaged") }
	c, err := OpenCache(t.Context(), s, 64, CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Bad) != 1 || len(c.Usable()) != 19 {
		t.Fatalf("%d bad, %d usable", len(c.Bad), len(c.Usable()))
	}
	return c
}

func TestCacheShrinks(t *testing.T) {
	s := &Set{Labels: ab, Items: []Item{painted("wide", 400, 100, 77, Positive, Unknown)}}
	c, err := OpenCache(t.Context(), s, 100, CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if p := c.pix[0]; p.w != 100 || p.h != 25 || p.scale != 0.25 || p.bgr[0] != 77 {
		t.Errorf("%d×%d at %g", p.w, p.h, p.scale)
	}
	s.Items[0].Pixels = func() (int, int, []byte, error) { return 0, 0, nil, errors.New("damaged") }
	if _, err := OpenCache(t.Context(), s, 100, CacheOptions{}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("no usable picture: %v", err)
	}
}

func testLoader(t *testing.T, c *Cache, workers, first int) *Loader {
	t.Helper()
	l, err := NewLoader(c, LoaderConfig{Width: 64, Height: 32, Batch: 8, Seed: 7, Augment: DefaultAugment(), Balanced: true, Workers: workers}, first)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// The batch of a step depends on the seed and the step: not on the number of workers,
// and not on where the loader started.
func TestLoaderIsDeterministic(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c := newTestCache(t)
	one, many, late := testLoader(t, c, 1, 1), testLoader(t, c, 4, 1), testLoader(t, c, 2, 5)
	for step := 1; step <= 8; step++ {
		a, err1 := one.Next(t.Context())
		b, err2 := many.Next(t.Context())
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		same := func(x, y *Batch) bool {
			return x.Step == y.Step && slices.Equal(x.Frames, y.Frames) && slices.Equal(x.Map, y.Map) &&
				slices.Equal(x.Presence, y.Presence) && slices.Equal(x.Items, y.Items)
		}
		if a.Step != step || !same(a, b) {
			t.Fatalf("step %d: two loaders differ", step)
		}
		if slices.Contains(a.Items, 3) {
			t.Fatal("a picture that cannot be decoded is in a batch")
		}
		if step >= 5 {
			l, err := late.Next(t.Context())
			if err != nil || !same(a, l) {
				t.Fatalf("step %d: a loader that started there differs (%v)", step, err)
			}
			late.Return(l)
		}
		one.Return(a)
		many.Return(b)
	}
	for _, l := range []*Loader{one, many, late} {
		l.Close()
		l.Close()
	}
	if _, err := one.Next(t.Context()); err == nil {
		t.Error("a closed loader lends a batch")
	}
}

func TestLoaderNextCancels(t *testing.T) {
	l := testLoader(t, newTestCache(t), 1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 { // batches may be ready; then it must not wait for more
		if _, err := l.Next(ctx); errors.Is(err, context.Canceled) {
			return
		}
	}
	t.Error("Next waits although its context ended")
}

func TestLoaderRefuses(t *testing.T) {
	c := newTestCache(t)
	for name, cfg := range map[string]LoaderConfig{
		"size":    {Width: 60, Height: 32, Batch: 1},
		"batch":   {Width: 64, Height: 32},
		"augment": {Width: 64, Height: 32, Batch: 1, Augment: Augment{Flip: 2}},
	} {
		if l, err := NewLoader(c, cfg, 1); err == nil {
			l.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
