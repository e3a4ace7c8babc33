package study

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"perceive/trainer/dataset"
)

// some draws n of a set's pictures, at most as many as there are.
func some(s *dataset.Set, n int, seed uint64) *dataset.Set {
	out := *s
	out.Items = make([]dataset.Item, 0, n)
	for _, i := range order(s, seed) {
		if len(out.Items) == n {
			break
		}
		out.Items = append(out.Items, s.Items[i])
	}
	return &out
}

// order is a permutation of a set's pictures: the first n of it are in the first n+1.
func order(s *dataset.Set, seed uint64) []int {
	return rand.New(rand.NewPCG(seed, 0x57d7)).Perm(len(s.Items))
}

// knows leaves a set's labels unknown but those given.
func knows(s *dataset.Set, labels ...string) *dataset.Set {
	out := *s
	out.Items = slices.Clone(s.Items)
	for i := range out.Items {
		it := &out.Items[i]
		it.Labels = slices.Clone(it.Labels)
		for l, name := range s.Labels {
			if !slices.Contains(labels, name) {
				it.Labels[l] = dataset.Unknown
			}
		}
		it.Boxes = slices.DeleteFunc(slices.Clone(it.Boxes), func(b dataset.Box) bool { return it.Labels[b.Label] == dataset.Unknown })
	}
	return &out
}

// whole are the pictures of a set of which every label is known.
func whole(s *dataset.Set) *dataset.Set {
	out := *s
	out.Items = slices.DeleteFunc(slices.Clone(s.Items), lacking)
	return &out
}

// lacking reports whether some label of a picture is unknown.
func lacking(it dataset.Item) bool { return slices.Contains(it.Labels, dataset.Unknown) }

// own gives each label n pictures of its own, of which nothing but that label is known.
// Part l of the result is label l's, whatever labels follow it.
func own(s *dataset.Set, n int, seed uint64) ([]*dataset.Set, error) {
	free := order(s, seed)
	out := make([]*dataset.Set, len(s.Labels))
	for l, name := range s.Labels {
		part := *s
		part.Items = nil
		left := free[:0:0]
		for _, i := range free {
			if len(part.Items) < n && s.Items[i].Labels[l] != dataset.Unknown {
				part.Items = append(part.Items, s.Items[i])
			} else {
				left = append(left, i)
			}
		}
		if len(part.Items) < n {
			return nil, fmt.Errorf("%w: %s knows %d of the pictures that no task before it took, and is to have %d", ErrData, name, len(part.Items), n)
		}
		free = left
		out[l] = knows(&part, name)
	}
	return out, nil
}

// apart draws two sets without a common picture: many, of which all labels but the
// target's are known, and few, of which the target alone is known. A smaller few is part
// of a larger one, and many is the same for all of them.
func apart(s *dataset.Set, target string, many, few, mostFew int, seed uint64) (source, own *dataset.Set, err error) {
	l := slices.Index(s.Labels, target)
	var others []string
	for _, name := range s.Labels {
		if name != target {
			others = append(others, name)
		}
	}
	a, b := *s, *s
	a.Items, b.Items = nil, nil
	for _, i := range order(s, seed) {
		switch it := s.Items[i]; {
		case len(b.Items) < mostFew && it.Labels[l] != dataset.Unknown:
			b.Items = append(b.Items, it)
		case len(a.Items) < many:
			a.Items = append(a.Items, it)
		}
	}
	if len(b.Items) < few || len(a.Items) == 0 {
		return nil, nil, fmt.Errorf("%w: %s is known of %d pictures, and %d are to be learned from beside %d others", ErrData, target, len(b.Items), few, many)
	}
	b.Items = b.Items[:few]
	return knows(&a, others...), knows(&b, target), nil
}
