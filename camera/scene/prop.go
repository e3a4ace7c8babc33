package scene

import (
	"math/rand/v2"
)

// tree is a trunk below a heap of leaves; without a trunk it is a bush.
type tree struct {
	trunk, crown float64 // metres: height of the trunk, radius of the crown
	leaf         rgb
	seed         uint64
}

var leaves = []rgb{{.20, .38, .14}, {.28, .44, .16}, {.16, .30, .14}, {.42, .46, .18}, {.55, .40, .14}}

func newTree(r *rand.Rand) *tree {
	return &tree{2.2 + r.Float64(), 1.4 + r.Float64(), pick(r, leaves), r.Uint64()}
}

func newBush(r *rand.Rand) *tree {
	return &tree{0, .45 + .3*r.Float64(), pick(r, leaves), r.Uint64()}
}

func (t *tree) draw(p *painter, at vec, _ float64) {
	s := upright(at, 0)
	p.dark(at, t.crown*.8)
	if t.trunk > 0 {
		w := .07 * t.crown
		p.face(rgb{.32, .24, .17}, s.at(-w*1.4, 0), s.at(-w, t.trunk+.6), s.at(w, t.trunk+.6), s.at(w*1.4, 0))
	}
	mid := t.trunk + t.crown*.85
	// Dark leaves first, bright ones on top of them and higher up.
	n := 16
	if t.crown*p.size(at) < 20 {
		n = 8
	}
	for i := range n {
		k := float64(i) / float64(n-1)
		x := (chance(t.seed, i, 1) - .5) * 1.5 * t.crown
		y := mid + (chance(t.seed, i, 2)-.5+.35*(k-.5))*1.1*t.crown
		r := t.crown * (.62 - .34*k)
		p.ellipse(t.leaf.mul(.62+.62*float32(k)), s, x, max(r, y), r, r*.9)
	}
}

// dark lays the soft shadow that a thing throws on the ground at its foot.
func (p *painter) dark(at vec, radius float64) {
	k := p.size(at)
	if at.z-p.eye.z < 1.5 {
		return
	}
	foot := p.project(p.local(at))
	p.soft(foot.x, foot.y, float32(radius*k), float32(radius*k*min(.5, p.eye.y/(at.z-p.eye.z))), grey(0), .55, false)
}

// prop is a small thing that stands about and has no label.
type prop struct {
	kind int
	col  rgb
}

const (
	bin = iota
	hydrant
	bollard
	lampPost
	box
	board
	propKinds
)

var propColours = []rgb{{.15, .35, .2}, {.25, .27, .3}, {.5, .12, .1}, {.75, .6, .15}, {.15, .25, .5}}

func newProp(r *rand.Rand) *prop { return &prop{r.IntN(propKinds), pick(r, propColours)} }

func (o *prop) draw(p *painter, at vec, _ float64) {
	s := upright(at, 0)
	if o.kind != lampPost {
		p.dark(at, .5)
	}
	switch o.kind {
	case bin: // on wheels, with a lid
		p.slab(o.col, at.x-.28, .08, at.z-.3, at.x+.28, .95, at.z+.3)
		p.slab(o.col.mul(.7), at.x-.32, .95, at.z-.34, at.x+.32, 1.05, at.z+.34)
	case hydrant:
		red := rgb{.75, .12, .08}
		p.rect(red, s, -.1, 0, .1, .6)
		p.ellipse(red, s, 0, .6, .12, .1)
		p.rect(red.mul(.8), s, -.2, .35, .2, .47)
		p.rect(red.mul(.6), s, -.16, 0, .16, .06)
	case bollard:
		p.rect(grey(.3), s, -.06, 0, .06, .9)
		p.rect(p.reflex(white, at), s, -.06, .65, .06, .78)
	case lampPost: // its lamp is what night is full of, and no traffic light
		pole(p, at, 6, grey(.3))
		arm := -1.6
		if at.x < 0 {
			arm = 1.6
		}
		p.rect(grey(.3), s, min(0, arm), 5.9, max(0, arm), 6)
		head := s.at(arm, 5.85)
		if p.air.lamps > 0 {
			p.glow(rgb{1, .88, .6}, 1, s.at(arm-.3, 5.78), s.at(arm-.3, 5.9), s.at(arm+.3, 5.9), s.at(arm+.3, 5.78))
			p.halo(head, 1.3, rgb{1, .8, .45}.mul(.5*p.air.lamps))
		} else {
			p.rect(grey(.5), s, arm-.3, 5.8, arm+.3, 5.95)
		}
	case box: // a telephone or power box, sometimes with a slit
		p.slab(o.col.mul(.9), at.x-.4, 0, at.z-.25, at.x+.4, 1.3, at.z+.25)
		p.rect(grey(.2), upright(at.add(vec{0, 0, -.26}), 0), -.25, .95, .25, 1.02)
	case board: // an advertisement on two legs, as red and round as a sign may be
		pole(p, at.add(vec{x: -.5}), 1, grey(.3))
		pole(p, at.add(vec{x: .5}), 1, grey(.3))
		p.rect(grey(.25), s, -.66, .85, .66, 2.25)
		p.rect(o.col.mul(1.2), s, -.6, .91, .6, 2.19)
		p.ellipse(white, s, .1, 1.65, .3, .3)
		p.write(white, plane{s.at(0, 1.12), s.u, s.v}, "SALE", .8)
	}
}
