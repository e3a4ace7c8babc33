package dataset

// Stride is the size of a map's cell in input pixels.
const Stride = 8

// Teach is what one picture of a batch says: maps and their weights [M,h,w] at Stride
// of the first M labels, presence and its mask [L]. All are overwritten.
type Teach struct {
	Map, MapWeight         []float32
	Presence, PresenceMask []float32
}

const (
	// minVisible is the part of a box that must lie inside the input and under no
	// rectangle for the object to count as seen; less, and whether it shows is nobody's
	// guess.
	minVisible = 0.3
	// minHeight is the smallest height, in input pixels, at which an object counts;
	// minBlurred the smallest in standard deviations of the blur.
	minHeight, minBlurred = 4, 4
	// core is the part of a box, along each side, whose cells are positive.
	core = 0.5
)

// teach fills t for a layout in an input of w×h pixels.
//
// Where a label is located, every cell outside boxes is a known negative, the
// cells at the core of a box are positive, and the rest of the box is ignored. The
// weights are divided by the number of positive cells of the label, so that a car
// that fills the picture does not outweigh a stop sign of twelve pixels.
//
// Where nobody looked but a detector, its probabilities are the targets, at part of the
// weight; where somebody said that a label is there and not where, they say where.
//
// Of several pictures in one input, one that shows a label makes it positive, and only
// all of them without it make it negative.
func (t Teach) teach(lay *layout, w, h int) {
	gw, gh := w/Stride, h/Stride
	clear(t.Map)
	clear(t.MapWeight)
	clear(t.Presence)
	clear(t.PresenceMask)
	for l := range t.Presence {
		g := grid{w: gw}
		if l*gw*gh < len(t.Map) {
			g.value, g.weight = t.Map[l*gw*gh:][:gw*gh], t.MapWeight[l*gw*gh:][:gw*gh]
		}
		var n [3]int
		most, doubtful := 0.0, 0.0
		for i := range lay.views {
			v := &lay.views[i]
			if v.it.believed(l) {
				g.set(v.window, v.window, g.weight, trust)
				p, doubt := g.believe(lay, v, l, 0)
				most, doubtful = max(most, p), max(doubtful, doubt)
				continue
			}
			n[g.view(lay, v, l)]++
		}
		switch {
		case n[Positive] > 0:
			t.Presence[l], t.PresenceMask[l] = 1, 1
		case n[Negative] == len(lay.views):
			t.PresenceMask[l] = 1
		case n[Unknown] > 0 || doubtful >= sure && doubtful > most:
		default: // a detector alone, of some picture
			t.Presence[l], t.PresenceMask[l] = float32(most), trust
		}
		g.balance()
	}
}

// grid is one label's map, without cells if the label has none.
type grid struct {
	value, weight []float32
	w             int
}

// view marks what a view says of label l in its window, and returns what it shows of it:
// Unknown where nobody could say.
func (g grid) view(lay *layout, v *view, l int) State {
	state := v.it.Labels[l]
	if state == Unknown {
		return Unknown
	}
	if !v.it.Located(l) {
		if len(lay.views) > 1 {
			// Shrunk to a quarter of the input, what lies anywhere may be too small to see.
			return Unknown
		}
		g.believe(lay, v, l, sure)
		return Positive
	}
	g.set(v.window, v.window, g.weight, 1)
	if state == Negative {
		return Negative
	}
	present, doubtful := g.boxes(lay, v, l)
	switch {
	case present:
		return Positive
	case doubtful:
		return Unknown
	}
	return Negative
}

// boxes marks a view's boxes of label l. present: one is clearly seen; doubtful: one is
// cut, covered, blurred or shrunk so far that nobody could say.
func (g grid) boxes(lay *layout, v *view, l int) (present, doubtful bool) {
	for _, b := range v.it.Boxes {
		if b.Label != l {
			continue
		}
		shown, seen := lay.shows(v, b)
		if shown.empty() {
			continue
		}
		g.set(shown, v.window, g.weight, 0)
		present, doubtful = present || seen, doubtful || !seen
	}
	// Cores last: an object before another's rim is still an object.
	for _, b := range v.it.Boxes {
		if b.Label != l {
			continue
		}
		if shown, seen := lay.shows(v, b); seen {
			g.set(shown.middle(core), v.window, g.value, 1)
			g.set(shown.middle(core), v.window, g.weight, 1)
		}
	}
	if present {
		g.cover(lay.hidden)
	}
	return present, doubtful
}

// shows is the part of a box that lies in its window, and whether the object counts as
// seen.
func (lay *layout) shows(v *view, b Box) (shown rect, seen bool) {
	whole := v.m.box(b, v.scale)
	shown = whole.clip(v.window)
	if shown.empty() {
		return shown, false
	}
	free := shown.area()
	for _, h := range lay.hidden {
		free -= shown.clip(h).area() // where rectangles overlap, too much: to be on the safe side
	}
	return shown, free >= minVisible*whole.area() && whole.y1-whole.y0 >= max(minHeight, minBlurred*lay.blur)
}

// cover ignores the positive cells that lie under a rectangle: the object goes on there,
// and cannot be seen.
func (g grid) cover(hidden []rect) {
	for _, h := range hidden {
		for i, v := range g.value {
			x, y := float64(i%g.w*Stride), float64(i/g.w*Stride)
			if v > 0 && x >= h.x0 && y >= h.y0 && x+Stride <= h.x1 && y+Stride <= h.y1 {
				g.weight[i] = 0
			}
		}
	}
}

// set writes v into all cells of the window that r touches.
func (g grid) set(r, window rect, to []float32, v float32) {
	if len(to) == 0 {
		return
	}
	x0, x1 := cells(r.x0, r.x1, window.x0, window.x1)
	y0, y1 := cells(r.y0, r.y1, window.y0, window.y1)
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			to[y*g.w+x] = v
		}
	}
}

// cells are the first and the last cell, from lo to hi in pixels, that a stretch touches.
func cells(from, to, lo, hi float64) (first, last int) {
	a, b := int(lo/Stride), int(hi/Stride)-1
	return max(a, min(b, int(from/Stride))), max(a, min(b, int(to/Stride)))
}

// balance divides the weights by the number of positive cells.
func (g grid) balance() {
	var n float32
	for i, v := range g.value {
		n += v * g.weight[i]
	}
	if n > 1 {
		for i := range g.weight {
			g.weight[i] /= n
		}
	}
}
