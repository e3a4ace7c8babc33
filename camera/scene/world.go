package scene

import (
	"cmp"
	"slices"
)

// world is everything there is to see, and the way of the camera through it.
type world struct {
	seed   uint64
	air    air
	street street
	actors []actor
	path   func(t float64) view // focal, cx and cy for a picture of width 1 and height 1
}

// actor is one thing in the world.
type actor struct {
	label string // one of the four, or "" for what the truth does not name
	at    vec    // at time 0, on the ground
	speed vec    // metres a second
	yaw   float64
	deep  float64 // how far it reaches from at.z along the street
	order float64 // added to at.z, the depth that decides what covers what
	reach float64 // metres from which on it is drawn
	thing thing
}

// thing is something that can be drawn. While it is drawn, painter.named says
// which of its parts belong to the box of its label.
type thing interface {
	draw(p *painter, at vec, yaw float64)
}

// sight is an actor in view.
type sight struct {
	index int
	at    vec
	depth float64
}

// render draws the world at time t into pix, 3*w*h bytes. seq makes the noise and
// the rain of this frame differ from the next one's.
func (p *painter) render(pix []byte, w *world, t float64, seq uint64) {
	p.pix, p.seq, p.air = pix, mix64(w.seed)+seq, w.air
	p.view = w.path(t)
	p.focal, p.cx, p.cy = p.focal*float64(p.canvas.w), p.cx*float64(p.canvas.w), p.cy*float64(p.canvas.h)
	p.time = t
	p.found, p.touched = p.found[:0], append(p.touched[:0], 0)
	p.cur, p.id = nil, 0
	if p.owner != nil {
		clear(p.owner)
	}
	p.sky(w.seed)
	p.ground(&w.street)

	p.order = p.order[:0]
	for i := range w.actors {
		a := &w.actors[i]
		at := a.at.add(a.speed.mul(t))
		if ahead := at.z - p.eye.z; i != p.skip && ahead+a.deep > near && ahead < a.reach {
			p.order = append(p.order, sight{i, at, at.z + a.order})
		}
	}
	// Far to near: what is nearer paints over what it hides.
	slices.SortFunc(p.order, func(a, b sight) int {
		return cmp.Or(cmp.Compare(b.depth, a.depth), cmp.Compare(a.index, b.index))
	})
	for _, s := range p.order {
		a := &w.actors[s.index]
		if p.labelled = a.label != ""; p.labelled {
			p.touched = append(p.touched, 0)
			p.found = append(p.found, found{index: s.index, label: a.label})
		}
		a.thing.draw(p, s.at, a.yaw)
		p.named(false)
	}
	p.rain()
	p.noise()
}

// named says that what is drawn from here on is, or is not, part of what the
// label of the current actor names. Without a label it has no effect.
func (p *painter) named(on bool) {
	p.cur, p.id = nil, 0
	if n := len(p.found); on && p.labelled {
		p.cur, p.id = &p.found[n-1], uint16(n)
	}
}
