package scene

import (
	"math"
	"slices"
)

// Still draws one picture of w×h pixels with its truth, independent of all other
// seeds: each has a street, a camera, light and weather of its own. Each label is
// in about half of the pictures; one in twelve has none of the four.
//
// A still has nothing in it that is too small or too hidden to be in the truth, so
// a label that is false means that there is no such thing to be seen. It panics
// when w or h is not from 64 to 4096.
func Still(seed uint64, w, h int) (bgr []byte, t Truth) {
	if err := (Config{Width: w, Height: h, FPS: 1, Seconds: 1}).validate(); err != nil {
		panic("scene: " + err.Error())
	}
	p := newPainter(w, h)
	p.watch()
	bgr = make([]byte, 3*w*h)
	world := newStill(seed)
	for {
		p.render(bgr, world, 0, seed)
		t, unsure := p.truth(w, h)
		if len(unsure) == 0 {
			return bgr, t
		}
		// What is left out hides nothing any more, so this ends. From the back, so that the
		// numbers of the others stay.
		slices.Sort(unsure)
		for _, n := range slices.Backward(slices.Compact(unsure)) {
			world.actors = slices.Delete(world.actors, n, n+1)
		}
	}
}

// newStill builds a short piece of street around one picture.
func newStill(seed uint64) *world {
	r := newRand(seed, forStill)
	w := &world{seed: seed, air: newAir(r)}
	w.street = newStreet(r, r.IntN(2) == 0)
	b := builder{r: r, w: w, houses: r.Float64() < .7}
	v := view{
		eye:   vec{(r.Float64() - .5) * 1.2, 1.2 + .6*r.Float64(), 0},
		focal: .7 + .35*r.Float64(), cx: .5 + .16*(r.Float64()-.5), cy: .45 + .12*(r.Float64()-.5),
		bend: 8e-4 * (r.Float64() - .5),
	}
	w.path = func(float64) view { return v }

	z := -12.0
	for range 2 + r.IntN(2) {
		z1 := z + 25 + 45*r.Float64()
		b.scenery(z, z1)
		cross := crossing{z0: z1 + 4, z1: z1 + 14, zebra: r.IntN(2) == 0}
		if cross.z0 > 12 {
			w.street.crossings = append(w.street.crossings, cross)
		}
		z = z1 + 18
	}
	for range r.IntN(6) {
		b.litter(vec{b.sidewalk(), 0, 5 + 30*r.Float64()})
	}
	f := fitter{builder: b, view: v}
	if r.IntN(12) > 0 {
		for _, label := range Labels() {
			often := .58
			if label == StopSign || label == TrafficLight {
				often = .63 // these find no free place more often
			}
			if r.Float64() > often {
				continue
			}
			n := 1
			if r.IntN(5) < 2 {
				n = 2 + r.IntN(3)
			}
			for range n {
				f.put(label)
			}
		}
	}
	return w
}

// sidewalk is a place across, on one of the two sidewalks.
func (b *builder) sidewalk() float64 {
	s, d := &b.w.street, .4+(b.w.street.walk-.8)*b.r.Float64()
	if b.r.IntN(2) == 0 {
		return s.left - d
	}
	return s.right + d
}

// fitter puts labelled things where they do not cover each other.
type fitter struct {
	builder
	view  view
	taken []gap
}

// gap is the part of the picture's width that something covers, at a depth.
type gap struct{ x0, x1, z float64 }

// put tries some places for a thing with a label and leaves it out where none is free.
func (f *fitter) put(label string) {
	for range 20 {
		if f.try(label) {
			return
		}
	}
}

func (f *fitter) try(label string) bool {
	r := f.r
	at, half := vec{}, .5
	// Sizes in the picture are spread evenly, not distances.
	between := func(a, b float64) float64 { return a * math.Pow(b/a, r.Float64()) }
	yaw := 0.0
	var draw thing
	switch label {
	case Pedestrian:
		at = vec{f.sidewalk(), 0, between(4.5, 24)}
		side := r.IntN(3) - 1
		if r.IntN(3) == 0 {
			at.x, side = f.w.street.left+(f.w.street.right-f.w.street.left)*r.Float64(), 1-2*r.IntN(2)
		}
		half = .4
		draw = newPerson(r, side, r.IntN(4) > 0, f.w.air.wet > 0)
	case Car:
		at = vec{[]float64{-3.5, 0, 0, f.w.street.right - 1.05, f.w.street.left + 1.05}[r.IntN(5)], 0, between(6.5, 38)}
		yaw = .1 * (r.Float64() - .5)
		if at.x < -1 {
			yaw += math.Pi
		}
		half = 1.1
		if r.IntN(5) == 0 { // across the street, seen from the side
			yaw, half = math.Pi/2+.3*(r.Float64()-.5)+math.Pi*float64(r.IntN(2)), 2.4
			room := f.w.street.right - f.w.street.left - 5
			at.x, at.z = f.w.street.left+2.5+room*r.Float64(), between(9, 30)
		}
		draw = newCar(r)
	case StopSign:
		at = vec{f.sidewalk(), 0, between(4.5, 16)}
		yaw = .7 * (r.Float64() - .5)
		draw = &stopSign{1.8 + .7*r.Float64(), .7 + .2*r.Float64()}
	case TrafficLight:
		at = vec{f.sidewalk(), 0, between(6, 24)}
		l := &trafficLight{up: 2.4 + .9*r.Float64(), rim: r.IntN(2) == 0, size: .9 + .4*r.Float64(), state: steady(r.IntN(3))}
		if r.IntN(3) == 0 {
			at.x, at.z, l.up = -2+3*r.Float64(), between(16, 28), 5+.6*r.Float64()
			l.arm = f.w.street.right + .6 - at.x
		}
		yaw = .5 * (r.Float64() - .5)
		draw = l
	}
	if !f.free(at, half) {
		return false
	}
	f.add(label, at, yaw, half, 200, draw)
	return true
}

// free reports whether a thing there would be in the picture with neither itself
// nor what is placed already covered by much, and takes the place.
func (f *fitter) free(at vec, half float64) bool {
	v := f.view
	x := v.cx + v.focal*(at.x-v.eye.x+v.bend*at.z*at.z)/at.z
	g := gap{x - v.focal*half/at.z, x + v.focal*half/at.z, at.z}
	if x < .03 || x > .97 {
		return false
	}
	for _, o := range f.taken {
		shared := min(g.x1, o.x1) - max(g.x0, o.x0)
		hidden := g
		if o.z > g.z {
			hidden = o
		}
		if shared > .35*(hidden.x1-hidden.x0) || math.Abs(o.z-g.z) < 1.2 && shared > 0 {
			return false
		}
	}
	f.taken = append(f.taken, g)
	return true
}
