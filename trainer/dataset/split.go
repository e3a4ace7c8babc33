package dataset

import (
	"math/rand/v2"
	"slices"
)

// Split divides the set by group: about fraction of the groups go to the second
// part. The same seed gives the same split.
func (s *Set) Split(fraction float64, seed uint64) (rest, part *Set) {
	var groups []string
	for _, it := range s.Items {
		groups = append(groups, it.Group)
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	rng := rand.New(rand.NewPCG(seed, 0x5317))
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	chosen := map[string]bool{}
	for _, g := range groups[:int(fraction*float64(len(groups))+0.5)] {
		chosen[g] = true
	}
	// What was left out stays with the first part, so that it is told once.
	rest, part = &Set{Labels: s.Labels, Skipped: s.Skipped, Flaws: s.Flaws, Unasked: s.Unasked}, &Set{Labels: s.Labels}
	for _, it := range s.Items {
		to := rest
		if chosen[it.Group] {
			to = part
		}
		to.Items = append(to.Items, it)
	}
	return rest, part
}

// Hide makes each known label Unknown with probability fraction, and drops its
// boxes: missing labels on purpose, for experiments. The set itself is not changed.
func (s *Set) Hide(fraction float64, seed uint64) *Set {
	rng := rand.New(rand.NewPCG(seed, 0x41de))
	out := &Set{Labels: s.Labels, Skipped: s.Skipped, Flaws: s.Flaws, Unasked: s.Unasked, Items: slices.Clone(s.Items)}
	for i := range out.Items {
		it := &out.Items[i]
		it.Labels = slices.Clone(it.Labels)
		for l := range it.Labels {
			if rng.Float64() < fraction {
				it.Labels[l] = Unknown
			}
		}
		it.Boxes = slices.DeleteFunc(slices.Clone(it.Boxes), func(b Box) bool { return it.Labels[b.Label] == Unknown })
	}
	return out
}

// Keep leaves each label known in n of the pictures that know it, drawn by the seed: so
// many labelled examples a task, for experiments. The set itself is not changed.
func (s *Set) Keep(n int, seed uint64) *Set {
	out := s.Hide(0, seed)
	rng := rand.New(rand.NewPCG(seed, 0x6b3e))
	for l := range s.Labels {
		left := n
		for _, i := range rng.Perm(len(out.Items)) {
			if it := &out.Items[i]; it.Labels[l] != Unknown {
				if left--; left < 0 {
					it.Labels[l] = Unknown
					it.Boxes = slices.DeleteFunc(it.Boxes, func(b Box) bool { return b.Label == l })
				}
			}
		}
	}
	return out
}
