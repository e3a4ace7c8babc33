package study

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"perceive/trainer/dataset"
)

var abc = []string{"a", "b", "c"}

// grey is a set of n small pictures, each with a random answer to each label, and a box
// where it is yes.
func grey(n int, seed uint64, labels []string) *dataset.Set {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &dataset.Set{Labels: labels}
	for i := range n {
		it := dataset.Item{Name: fmt.Sprint(seed, " ", i), Labels: make([]dataset.State, len(labels))}
		pix := make([]byte, 3*64*32)
		for j := range pix {
			pix[j] = byte(rng.IntN(256))
		}
		for l := range labels {
			it.Labels[l] = dataset.Negative
			if rng.IntN(2) == 0 {
				it.Labels[l] = dataset.Positive
				it.Boxes = append(it.Boxes, dataset.Box{Label: l, X: 8 * float64(l), Y: 8, W: 8, H: 8})
			}
		}
		it.Pixels = func() (int, int, []byte, error) { return 64, 32, pix, nil }
		s.Items = append(s.Items, it)
	}
	return s
}

func names(s *dataset.Set) (out []string) {
	for _, it := range s.Items {
		out = append(out, it.Name)
	}
	return out
}

func known(s *dataset.Set, l int) (n int) {
	for _, it := range s.Items {
		if it.Labels[l] != dataset.Unknown {
			n++
		}
	}
	return n
}

// Each label has exactly its number of pictures, no two labels share one, and nothing
// else is known of them, boxes included.
func TestOwn(t *testing.T) {
	pool := grey(40, 1, abc)
	parts, err := own(pool, 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for l, part := range parts {
		for _, name := range names(part) {
			if seen[name] {
				t.Errorf("%s belongs to two labels", name)
			}
			seen[name] = true
		}
		for other := range abc {
			want := 0
			if other == l {
				want = 12
			}
			if got := known(part, other); got != want {
				t.Errorf("part of %s knows %s of %d pictures, want %d", abc[l], abc[other], got, want)
			}
		}
		for _, it := range part.Items {
			if slices.ContainsFunc(it.Boxes, func(b dataset.Box) bool { return b.Label != l }) {
				t.Errorf("%s has boxes of labels that are unknown", it.Name)
			}
		}
	}
	// The first labels' pictures do not depend on how many labels follow.
	fewer, err := own(pool.Only(abc[:2]), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(names(fewer[1]), names(parts[1])) {
		t.Error("the second label's pictures changed when the third was taken away")
	}
	if _, err := own(pool, 14, 5); !errors.Is(err, ErrData) {
		t.Errorf("3 times 14 of 40 pictures: %v", err)
	}
	if known(pool, 0) != 40 {
		t.Error("the pool itself was changed")
	}
}

// Source and target share no picture, each knows its own labels, a smaller target is part
// of a larger one, and the source is the same beside both.
func TestApart(t *testing.T) {
	pool := grey(60, 2, abc)
	source, small, err := apart(pool, "c", 30, 5, 20, 3)
	if err != nil {
		t.Fatal(err)
	}
	source20, large, err := apart(pool, "c", 30, 20, 20, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got := []int{len(source.Items), known(source, 0), known(source, 1), known(source, 2)}; !slices.Equal(got, []int{30, 30, 30, 0}) {
		t.Errorf("source: pictures and known a, b, c: %v", got)
	}
	if got := []int{len(large.Items), known(large, 0), known(large, 1), known(large, 2)}; !slices.Equal(got, []int{20, 0, 0, 20}) {
		t.Errorf("target: pictures and known a, b, c: %v", got)
	}
	if !slices.Equal(names(small), names(large)[:5]) || !slices.Equal(names(source), names(source20)) {
		t.Error("a smaller target is not part of a larger one, or the source depends on it")
	}
	for _, name := range names(large) {
		if slices.Contains(names(source), name) {
			t.Errorf("%s is in source and target", name)
		}
	}
}

func TestWholeAndSome(t *testing.T) {
	pool := grey(400, 4, abc)
	hidden := pool.Hide(0.5, 1)
	// Of 1200 labels half are hidden; four standard deviations, √(1200)/2 each, are 69.
	if n := known(hidden, 0) + known(hidden, 1) + known(hidden, 2); n < 600-69 || n > 600+69 {
		t.Errorf("%d of 1200 labels are left of which half were hidden", n)
	}
	w := whole(hidden)
	for l := range abc {
		if known(w, l) != len(w.Items) {
			t.Errorf("%s is unknown in some whole pictures", abc[l])
		}
	}
	// One in eight, 50 pictures, give or take four standard deviations of 6.6.
	if len(w.Items) < 50-27 || len(w.Items) > 50+27 {
		t.Errorf("%d of 400 pictures kept all three labels", len(w.Items))
	}
	a, b := some(pool, 10, 9), some(pool, 20, 9)
	if len(a.Items) != 10 || !slices.Equal(names(a), names(b)[:10]) || slices.Equal(names(a), names(some(pool, 10, 8))) {
		t.Error("a drawing is not part of a larger one, or is the same for every seed")
	}
	if n := len(some(pool, 1000, 1).Items); n != 400 {
		t.Errorf("1000 of 400 pictures are %d", n)
	}
}

// Only gives labels new places, and boxes follow.
func TestOnly(t *testing.T) {
	pool := grey(30, 5, abc)
	s := pool.Only([]string{"c", "a"})
	for i, it := range s.Items {
		was := pool.Items[i]
		if it.Labels[0] != was.Labels[2] || it.Labels[1] != was.Labels[0] || len(it.Labels) != 2 {
			t.Fatalf("%s: labels %v of %v", it.Name, it.Labels, was.Labels)
		}
		for _, b := range it.Boxes {
			if b.X != 16*float64(1-b.Label) {
				t.Errorf("%s: box at %g is of label %d now", it.Name, b.X, b.Label)
			}
		}
	}
}
