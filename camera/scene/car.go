package scene

import (
	"math"
	"math/rand/v2"
)

// car is a car of one of three shapes, standing at the middle of its floor and
// heading along its yaw: 0 drives away from us, π comes towards us.
type car struct {
	shape   *shape
	paint   rgb
	braking bool
	plate   rgb
}

// shape is the side view of a car in metres: along is 0 in the middle and grows
// forwards, up is above the ground, half is half the width there.
type shape struct {
	long         float64
	body, cabin  []rib
	wheel        float64 // radius
	axles        [2]float64
	lamp0, lamp1 float64 // height of the lamps
	panes        int     // side windows
}

type rib struct{ along, up, half float64 }

// Ribs go round the car clockwise as seen from its right: up at the rear, down at
// the front. The first and the last stand on the same level.
var shapes = []*shape{
	{ // saloon
		long:  4.5,
		body:  []rib{{-2.2, 0.25, .84}, {-2.25, 0.55, .88}, {-2.2, 0.93, .84}, {-1.2, 0.98, .86}, {1.0, 0.96, .86}, {2.0, 0.76, .82}, {2.25, 0.5, .86}, {2.2, 0.25, .84}},
		cabin: []rib{{-1.75, 0.95, .80}, {-0.95, 1.42, .60}, {0.25, 1.44, .60}, {1.1, 0.94, .80}},
		wheel: 0.32, axles: [2]float64{-1.35, 1.4}, lamp0: 0.66, lamp1: 0.84, panes: 2,
	},
	{ // hatchback
		long:  3.9,
		body:  []rib{{-1.9, 0.25, .82}, {-1.95, 0.55, .86}, {-1.85, 0.98, .82}, {0.9, 0.98, .84}, {1.75, 0.8, .80}, {1.95, 0.5, .84}, {1.9, 0.25, .82}},
		cabin: []rib{{-1.82, 0.97, .80}, {-1.5, 1.5, .62}, {0.1, 1.52, .62}, {1.05, 0.96, .80}},
		wheel: 0.31, axles: [2]float64{-1.2, 1.2}, lamp0: 0.72, lamp1: 0.95, panes: 2,
	},
	{ // off-roader
		long:  4.7,
		body:  []rib{{-2.3, 0.35, .90}, {-2.35, 0.65, .95}, {-2.25, 1.12, .90}, {1.1, 1.12, .92}, {2.2, 1.0, .88}, {2.35, 0.6, .93}, {2.3, 0.35, .90}},
		cabin: []rib{{-2.2, 1.1, .88}, {-1.95, 1.74, .72}, {0.35, 1.76, .72}, {1.25, 1.1, .88}},
		wheel: 0.39, axles: [2]float64{-1.45, 1.45}, lamp0: 0.8, lamp1: 1.06, panes: 3,
	},
}

var carPaints = []rgb{
	{0.88, 0.88, 0.88}, {0.70, 0.71, 0.73}, {0.33, 0.34, 0.37}, {0.10, 0.10, 0.11}, {0.70, 0.09, 0.08},
	{0.12, 0.22, 0.55}, {0.10, 0.36, 0.22}, {0.85, 0.62, 0.12}, {0.45, 0.24, 0.14}, {0.48, 0.66, 0.80},
}

func newCar(r *rand.Rand) *car {
	return &car{
		shape: shapes[r.IntN(len(shapes))], paint: carPaints[r.IntN(len(carPaints))],
		braking: r.IntN(4) == 0, plate: []rgb{white, yellow}[r.IntN(2)],
	}
}

// frame places the car's own directions in the street.
type frame struct{ at, ahead, right vec }

func newFrame(at vec, yaw float64) frame {
	sin, cos := math.Sincos(yaw)
	return frame{at, vec{sin, 0, cos}, vec{cos, 0, -sin}}
}

func (f frame) point(along, side, up float64) vec {
	return f.at.add(f.ahead.mul(along)).add(f.right.mul(side)).add(vec{0, up, 0})
}

var (
	glass = rgb{0.16, 0.20, 0.25}
	tyre  = grey(0.07)
	rim   = grey(0.55)
	unlit = rgb{0.45, 0.05, 0.05}
)

func (c *car) draw(p *painter, at vec, yaw float64) {
	f, s := newFrame(at, yaw), c.shape
	l, w := s.long/2, s.body[1].half
	p.glow(grey(0), 0.45, f.point(-l-.1, -w-.1, .01), f.point(l+.1, -w-.1, .01), f.point(l+.1, w+.1, .01), f.point(-l-.1, w+.1, .01))
	p.named(true)
	// What shows below the body: the tyres' treads and the dark between them.
	for _, a := range s.axles {
		for _, side := range [2]float64{-1, 1} {
			in, out := side*(w-.24), side*(w-.02)
			p.glow(p.air.lit(tyre, vec{0, 0, -1}, p.local(at)), 1, f.point(a, in, 0), f.point(a, in, .5), f.point(a, out, .5), f.point(a, out, 0))
		}
	}
	p.hull(c.paint, f, s.body)
	c.sides(p, f)
	c.ends(p, f)
	p.hull(c.paint.mul(0.96), f, s.cabin)
	c.panes(p, f)
	p.named(false)
	c.shine(p, f, yaw)
}

// hull paints a body between ribs that is the same on its right and its left.
func (p *painter) hull(col rgb, f frame, ribs []rib) {
	var right, left [8]vec
	for i, r := range ribs {
		right[i] = f.point(r.along, r.half, r.up)
		left[len(ribs)-1-i] = f.point(r.along, -r.half, r.up)
	}
	p.face(col, left[:len(ribs)]...)
	p.face(col, right[:len(ribs)]...)
	for i := range len(ribs) - 1 {
		p.face(col, across(f, ribs[i], ribs[i+1])...)
	}
}

// across is the surface from one rib to the next, from the left to the right.
func across(f frame, a, b rib) []vec {
	q := quad{f.point(a.along, -a.half, a.up), f.point(b.along, -b.half, b.up), f.point(b.along, b.half, b.up), f.point(a.along, a.half, a.up)}
	return q[:]
}

// sides paints wheels, door lines and the sill.
func (c *car) sides(p *painter, f frame) {
	s := c.shape
	w := s.body[1].half + 0.015
	for _, side := range [2]float64{-1, 1} {
		for _, a := range s.axles {
			// The plane of a wheel looks outwards: its right is ahead on the car's right.
			pl := plane{f.point(a, side*w, s.wheel), f.ahead.mul(side), vec{0, 1, 0}}
			p.ellipse(c.paint.mul(0.35), pl, 0, 0.03, s.wheel+.07, s.wheel+.07)
			p.ellipse(tyre, pl, 0, 0, s.wheel, s.wheel)
			p.ellipse(rim, pl, 0, 0, s.wheel*.62, s.wheel*.62)
			p.ellipse(grey(0.25), pl, 0, 0, s.wheel*.2, s.wheel*.2)
		}
		pl := plane{f.point(0, side*w, 0), f.ahead.mul(side), vec{0, 1, 0}}
		up := s.body[2].up
		p.rect(grey(0.12), pl, -s.axles[1]+.45, s.body[0].up, s.axles[1]-.45, s.body[0].up+.09)
		for _, x := range [3]float64{-0.75, 0.1, 1.0} {
			p.rect(c.paint.mul(0.55), pl, side*x-.012, s.body[0].up+.1, side*x+.012, up-.03)
		}
		for _, x := range [2]float64{-0.62, 0.25} {
			p.rect(c.paint.mul(0.5), pl, side*x-.09, up-.14, side*x+.09, up-.1)
		}
	}
}

// ends paints what is on the rear and the front: lamps, plates, bumpers, grille.
func (c *car) ends(p *painter, f frame) {
	s := c.shape
	l, w := s.long/2+.012, s.body[1].half
	rear := plane{f.point(-l, 0, 0), f.right, vec{0, 1, 0}}
	front := plane{f.point(l, 0, 0), f.right.mul(-1), vec{0, 1, 0}}
	low := s.body[0].up
	p.rect(grey(0.13), rear, -w+.02, low, w-.02, low+.2)
	p.rect(c.plate, rear, -.26, low+.26, .26, low+.38)
	p.rect(grey(0.13), front, -w+.02, low, w-.02, low+.16)
	p.rect(grey(0.08), front, -.5, s.lamp0-.16, .5, s.lamp1-.06)
	p.rect(grey(0.35), front, -.48, s.lamp0-.06, .48, s.lamp0-.03)
	p.rect(c.plate, front, -.26, low+.1, .26, low+.22)
	for _, side := range [2]float64{-1, 1} {
		a, b := side*(w-.02), side*(w-.34)
		p.rect(unlit.mul(1.3), rear, min(a, b), s.lamp0, max(a, b), s.lamp1)
		p.rect(grey(0.75), front, min(a, b), s.lamp0-.04, max(a, b), s.lamp1-.06)
	}
	for i, lit := range [2]bool{p.air.lamps > 0 || c.braking, p.air.lamps > 0} {
		pl, col := [2]plane{rear, front}[i], [2]rgb{{1, .16, .12}, {1, .98, .9}}[i]
		toward := pl.v.cross(pl.u) // outwards
		if !lit || toward.dot(p.eye.sub(pl.o)) <= 0 {
			continue
		}
		for _, side := range [2]float64{-1, 1} {
			x, y := side*(w-.18), (s.lamp0+s.lamp1)/2-.02*float64(i)
			p.glow(col, 1, pl.at(x-.13, y-.07), pl.at(x-.13, y+.07), pl.at(x+.13, y+.07), pl.at(x+.13, y-.07))
		}
	}
}

// panes glazes the cabin, whose ribs are rear foot, rear top, front top, front foot.
func (c *car) panes(p *painter, f frame) {
	r := c.shape.cabin
	rear := quad(across(f, r[0], r[1]))
	front := quad(across(f, r[2], r[3]))
	sky := p.air.horizon.mul(0.35) // panes mirror the sky
	pane := glass.add(sky.mul(0.5))
	q := rear.part(.09, .14, .91, .88)
	p.face(pane, q[:]...)
	q = front.part(.07, .10, .93, .90)
	p.face(pane, q[:]...)
	for _, side := range [2]float64{-1, 1} {
		foot0, top0 := f.point(r[0].along, side*r[0].half, r[0].up), f.point(r[1].along, side*r[1].half, r[1].up)
		foot1, top1 := f.point(r[3].along, side*r[3].half, r[3].up), f.point(r[2].along, side*r[2].half, r[2].up)
		q := quad{foot0, top0, top1, foot1}
		if side < 0 {
			q = quad{foot1, top1, top0, foot0}
		}
		n := float64(c.shape.panes)
		for i := range c.shape.panes {
			u0, u1 := .06+.88*float64(i)/n, .06+.88*float64(i+1)/n-.03
			g := q.part(u0, .12, u1, .86)
			p.face(pane, g[:]...)
		}
	}
}

// shine adds the halos of the lamps that point at us.
func (c *car) shine(p *painter, f frame, yaw float64) {
	facing := math.Cos(yaw) // 1 when we see the rear
	s := c.shape
	for _, side := range [2]float64{-1, 1} {
		x, y := side*(s.body[1].half-.18), (s.lamp0+s.lamp1)/2
		switch {
		case facing > 0.5 && (p.air.lamps > 0 || c.braking):
			k := 0.25 + 0.35*p.air.lamps
			p.halo(f.point(-s.long/2, x, y), 0.45, rgb{1, .12, .08}.mul(k))
		case facing < -0.5 && p.air.lamps > 0:
			p.halo(f.point(s.long/2, x, y), 1.1, rgb{1, .95, .82}.mul(0.75*p.air.lamps))
		}
	}
}
