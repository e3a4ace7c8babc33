package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func believed(labels []State, beliefs ...Belief) *Item {
	return &Item{Labels: labels, Beliefs: beliefs, Believed: []bool{true}}
}

// What nobody knows is taught by the detector, at part of the weight; what somebody knows
// is not; and a positive without a box learns where from it. By hand: inputs of 64×32 have
// 8×4 cells, and the core of the box x 16–48, y 8–24 is x 24–40, y 12–20: cells 3–5 of rows
// 1 and 2. Those six of 0.8 at weight 0.5 sum up to 2.4, by which weights are divided.
func TestBeliefsTeachTheUnknown(t *testing.T) {
	box := Box{0, 16, 8, 32, 16}
	for name, tc := range map[string]struct {
		it             *Item
		presence, mask float32
		core, rim, far float32 // weights of cells 4, 2 and 7 of row 1
		value          float32 // of the core
	}{
		"unknown":            {believed([]State{Unknown}, Belief{box, 0.8}), 0.8, trust, trust / 2.4, 0, trust / 2.4, 0.8},
		"unknown, nothing":   {believed([]State{Unknown}), 0, trust, trust, trust, trust, 0},
		"negative":           {believed([]State{Negative}, Belief{box, 0.8}), 0, 1, 1, 1, 1, 0},
		"positive, where":    {believed([]State{Positive}, Belief{box, 0.8}), 1, 1, trust / 2.4, 0, 0, 0.8},
		"positive, not sure": {believed([]State{Positive}, Belief{box, 0.2}), 1, 1, 0, 0, 0, 0},
		"nobody looked":      {&Item{Labels: []State{Unknown}, Beliefs: []Belief{{box, 0.8}}}, 0, 0, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			lay := layout{views: []view{{it: tc.it, m: affine{1, 0, 0, 0, 1, 0}, scale: 1, window: rect{0, 0, 64, 32}}}}
			teach := Teach{make([]float32, 32), make([]float32, 32), make([]float32, 1), make([]float32, 1)}
			teach.teach(&lay, 64, 32)
			if teach.Presence[0] != tc.presence || teach.PresenceMask[0] != tc.mask {
				t.Errorf("presence %g at weight %g, want %g at %g", teach.Presence[0], teach.PresenceMask[0], tc.presence, tc.mask)
			}
			for _, c := range []struct {
				what string
				i    int
				want float32
			}{{"core", 8 + 4, tc.core}, {"rim", 8 + 2, tc.rim}, {"far", 8 + 7, tc.far}} {
				if got := teach.MapWeight[c.i]; got < c.want-1e-6 || got > c.want+1e-6 {
					t.Errorf("%s cell has weight %g, want %g", c.what, got, c.want)
				}
			}
			if got := teach.Map[8+4]; got != tc.value {
				t.Errorf("core cell is %g, want %g", got, tc.value)
			}
		})
	}
}

func TestBelieveFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "seen.jsonl")
	set := func() *Set {
		return &Set{Labels: []string{"car"}, Items: []Item{{Name: "a.jpg", Labels: []State{Unknown}}, {Name: "b.jpg", Labels: []State{Unknown}}}}
	}
	var text strings.Builder
	w := BeliefWriter{&text}
	if err := errors.Join(w.Write("a.jpg", []SeenLine{{"car", [4]float64{1, 2, 3, 4}, 0.5}, {"dog", [4]float64{1, 2, 3, 4}, 0.5}}), w.Write("c.jpg", nil)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := set()
	before := s.Fingerprint()
	if err := s.Believe(path); err != nil {
		t.Fatal(err)
	}
	if !s.Items[0].believed(0) || len(s.Items[0].Beliefs) != 1 || s.Items[1].believed(0) || s.Fingerprint() == before {
		t.Errorf("items %+v", s.Items)
	}
	for name, bad := range map[string]string{
		"not JSON":       "{",
		"no size":        `{"path":"a.jpg","seen":[{"label":"car","xywh":[1,2,0,4],"p":0.5}]}`,
		"p beyond 1":     `{"path":"a.jpg","seen":[{"label":"car","xywh":[1,2,3,4],"p":1.5}]}`,
		"other pictures": `{"path":"z.jpg","seen":[]}`,
	} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := set().Believe(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// An object that a crop leaves a fifth of is not taught as absent because nothing else is
// seen: x 0 to 6 of -26 to 6. One of which the detector was not sure is.
func TestBeliefsThatAreCut(t *testing.T) {
	cut, whole := Box{0, -26, 8, 32, 16}, Box{0, 32, 8, 16, 16}
	for name, tc := range map[string]struct {
		seen           []Belief
		presence, mask float32
	}{
		"alone":           {[]Belief{{cut, 0.9}}, 0, 0},
		"beside less":     {[]Belief{{cut, 0.9}, {whole, 0.4}}, 0, 0},
		"beside more":     {[]Belief{{cut, 0.9}, {whole, 0.95}}, 0.95, trust},
		"hardly believed": {[]Belief{{cut, 0.1}}, 0, trust},
	} {
		lay := layout{views: []view{{it: believed([]State{Unknown}, tc.seen...), m: affine{1, 0, 0, 0, 1, 0}, scale: 1, window: rect{0, 0, 64, 32}}}}
		teach := Teach{make([]float32, 32), make([]float32, 32), make([]float32, 1), make([]float32, 1)}
		teach.teach(&lay, 64, 32)
		if teach.Presence[0] != tc.presence || teach.PresenceMask[0] != tc.mask {
			t.Errorf("%s: presence %g at weight %g, want %g at %g", name, teach.Presence[0], teach.PresenceMask[0], tc.presence, tc.mask)
		}
	}
}

// What the detector does not know is unknown, not absent: a file about cars says nothing
// about the night.
func TestBeliefsOfOtherLabels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.jsonl")
	text := `{"path":"a.jpg","seen":[]}` + "\n" + `{"path":"b.jpg","seen":[{"label":"car","xywh":[1,2,30,20],"p":0.5}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Set{Labels: []string{"car", "night"}, Items: []Item{{Name: "a.jpg", Labels: make([]State, 2)}}}
	if err := s.Believe(path); err != nil {
		t.Fatal(err)
	}
	lay := layout{views: []view{{it: &s.Items[0], m: affine{1, 0, 0, 0, 1, 0}, scale: 1, window: rect{0, 0, 64, 32}}}}
	teach := Teach{make([]float32, 64), make([]float32, 64), make([]float32, 2), make([]float32, 2)}
	teach.teach(&lay, 64, 32)
	if m := teach.PresenceMask; m[0] != trust || m[1] != 0 {
		t.Errorf("weights of car and night are %v, want %v and 0", m, trust)
	}
	if w := teach.MapWeight; w[0] != trust || w[32] != 0 {
		t.Errorf("cells of car and night have weights %g and %g, want %v and 0", w[0], w[32], trust)
	}
}

func FuzzBeliefs(f *testing.F) {
	f.Add(`{"path":"a.jpg","seen":[{"label":"car","xywh":[1,2,3,4],"p":0.5}]}`)
	f.Fuzz(func(_ *testing.T, text string) { parseBeliefs(strings.NewReader(text), []string{"car"}) })
}

// What a detector saw goes with the picture where it is shrunk, and with its label where
// others are left out.
func TestBeliefsFollowTheSet(t *testing.T) {
	it := painted("a", 40, 20, 9, Unknown, Unknown)
	it.Beliefs = []Belief{{Box{0, 2, 2, 4, 4}, 0.5}, {Box{1, 8, 4, 16, 6}, 0.7}}
	it.Believed = []bool{false, true}
	c, err := OpenCache(t.Context(), &Set{Labels: ab, Items: []Item{it}}, 20, CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := c.Ready().Only([]string{"b"}).Items[0]
	if want := (Belief{Box{0, 4, 2, 8, 3}, 0.7}); len(got.Beliefs) != 1 || got.Beliefs[0] != want || len(got.Believed) != 1 || !got.Believed[0] {
		t.Errorf("believed %v, %v, want %v", got.Beliefs, got.Believed, want)
	}
	if it.Beliefs[1].X != 8 {
		t.Error("the set itself was changed")
	}
}
