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
		it.Boxes = slices.Clone(it.Boxes)
		for j := range it.Boxes {
			b := &it.Boxes[j]
			b.X, b.Y, b.W, b.H = b.X*p.scale, b.Y*p.scale, b.W*p.scale, b.H*p.scale
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
		it.Labels, it.Boxes = states, boxes
	}
	return out
}
