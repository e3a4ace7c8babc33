package dataset

import "slices"

// Ready is the set with the cache's own pictures in place of files, and boxes to match: for
// many runs on the same pictures, none of which decodes them again. Bad pictures are out,
// and nothing is moved or mirrored. It is no use once the cache is closed, and only of use
// from one that OpenCache made.
func (c *Cache) Ready() *Set {
	out := *c.Set
	out.Items = nil
	for i, p := range c.pix {
		if p.bgr == nil {
			continue
		}
		it := c.Set.Items[i]
		it.Path, it.Key, it.Fixed = "", "", true
		it.Pixels = func() (int, int, []byte, error) { return p.w, p.h, p.bgr, nil }
		it.Boxes, it.Beliefs = slices.Clone(it.Boxes), slices.Clone(it.Beliefs)
		for j, b := range it.Boxes {
			it.Boxes[j] = b.times(p.scale)
		}
		for j, b := range it.Beliefs {
			it.Beliefs[j].Box = b.times(p.scale)
		}
		out.Items = append(out.Items, it)
	}
	return &out
}

// Only is the set asked about some of its labels, in the order given. It panics if one is
// not there.
func (s *Set) Only(labels []string) *Set {
	from, to := make([]int, len(labels)), make([]int, len(s.Labels))
	for i := range to {
		to[i] = -1
	}
	for i, l := range labels {
		from[i] = slices.Index(s.Labels, l)
		to[from[i]] = i
	}
	out := s.copied()
	out.Labels = slices.Clone(labels)
	for i := range out.Items {
		it := &out.Items[i]
		states, boxes := make([]State, len(labels)), []Box(nil)
		for j, l := range from {
			states[j] = it.Labels[l]
		}
		for _, b := range it.Boxes {
			if to[b.Label] >= 0 {
				b.Label = to[b.Label]
				boxes = append(boxes, b)
			}
		}
		var beliefs []Belief
		for _, b := range it.Beliefs {
			if to[b.Label] >= 0 {
				b.Label = to[b.Label]
				beliefs = append(beliefs, b)
			}
		}
		if it.Believed != nil {
			looked := make([]bool, len(labels))
			for j, l := range from {
				looked[j] = it.Believed[l]
			}
			it.Believed = looked
		}
		it.Labels, it.Boxes, it.Beliefs = states, boxes, beliefs
	}
	return out
}
