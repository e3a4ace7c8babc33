package scene

import "math"

// vec is a point or direction in the street, in metres: x to the right of the
// driver's lane, y up from the ground, z along the street.
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec            { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec            { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) mul(k float64) vec        { return vec{a.x * k, a.y * k, a.z * k} }
func (a vec) dot(b vec) float64        { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) mix(b vec, t float64) vec { return a.add(b.sub(a).mul(t)) }
func (a vec) cross(b vec) vec {
	return vec{a.y*b.z - a.z*b.y, a.z*b.x - a.x*b.z, a.x*b.y - a.y*b.x}
}

// near is the distance in front of the lens from where on things are drawn.
const near = 0.5

// view is a pinhole camera that looks along the street. Turning a little to the
// side or up is done by moving the centre (cx, cy), as a shifted lens does, so
// that the horizon stays level and a row of the ground has one depth.
type view struct {
	eye    vec
	focal  float64 // pixels
	cx, cy float64 // where the street's end is in the picture, pixels
	bend   float64 // how the street curves: metres to the side per metre² ahead
	time   float64 // seconds
}

// local turns a place in the street into one relative to the lens, z ahead.
func (v *view) local(p vec) vec {
	p = p.sub(v.eye)
	if p.z > 0 {
		p.x += v.bend * p.z * p.z
	}
	return p
}

// project returns the pixel of a place relative to the lens; p.z must be at least near.
func (v *view) project(p vec) pt {
	k := v.focal / p.z
	return pt{float32(v.cx + p.x*k), float32(v.cy - p.y*k)}
}

// painter draws a world as a view sees it, in the world's light.
type painter struct {
	canvas
	view
	air  air
	seq  uint64
	skip int // the index of an actor to leave out, for tests; -1 draws all

	local3 []vec
	flat   []pt
	order  []sight
	found  []found
	cur    *found // the labelled thing being drawn; nil outside its box

	labelled bool // whether the actor being drawn has a label
}

// found is what is known about a labelled thing after it was drawn.
type found struct {
	index int // among the world's actors
	label string
	box   [4]float32 // x0 y0 x1 y1 within the picture
	whole [4]float32 // the same, not cut off at the picture's edge
	seen  bool       // some of it was drawn inside the picture
}

func newPainter(w, h int) *painter {
	return &painter{canvas: canvas{w: w, h: h}, skip: -1}
}

// face paints a flat polygon that is seen from outside when its corners go
// clockwise, lit by sun, lamps and headlights. It reports whether it was seen.
func (p *painter) face(col rgb, corners ...vec) bool {
	n, ok := p.place(corners)
	if !ok {
		return false
	}
	mid := p.local3[0].mix(p.local3[len(p.local3)/2], 0.5)
	p.put(p.air.lit(col, n, mid), 1)
	return true
}

// glow paints a polygon that shines by itself, from both sides.
func (p *painter) glow(col rgb, alpha float32, corners ...vec) {
	p.place(corners)
	if len(p.local3) >= 3 {
		p.put(p.air.haze(col, p.local3[0].z), alpha)
	}
}

// place brings corners in front of the lens into p.local3, and reports the
// direction the polygon faces and whether it faces the lens.
func (p *painter) place(corners []vec) (normal vec, facing bool) {
	p.local3 = p.local3[:0]
	if len(corners) < 3 {
		return vec{}, false
	}
	a, b, c := p.local(corners[0]), p.local(corners[1]), p.local(corners[2])
	normal = b.sub(a).cross(c.sub(a))
	if l := math.Sqrt(normal.dot(normal)); l > 0 {
		normal = normal.mul(1 / l)
	}
	prev := p.local(corners[len(corners)-1])
	for _, corner := range corners {
		q := p.local(corner)
		if (q.z >= near) != (prev.z >= near) { // the edge goes through the lens plane
			p.local3 = append(p.local3, prev.mix(q, (near-prev.z)/(q.z-prev.z)))
		}
		if q.z >= near {
			p.local3 = append(p.local3, q)
		}
		prev = q
	}
	return normal, normal.dot(a) < 0 && len(p.local3) >= 3
}

// put fills the polygon in p.local3 and notes the box of the thing being drawn.
func (p *painter) put(col rgb, alpha float32) {
	p.flat = p.flat[:0]
	for _, q := range p.local3 {
		p.flat = append(p.flat, p.project(q))
	}
	x0, y0, x1, y1 := p.fill(p.flat, col, alpha)
	if p.cur == nil {
		return
	}
	u0, v0, u1, v1 := bounds(p.flat)
	p.cur.whole = join(p.cur.whole, [4]float32{u0, v0, u1, v1}, p.cur.whole != [4]float32{})
	if x1 > x0 && y1 > y0 {
		p.cur.box = join(p.cur.box, [4]float32{x0, y0, x1, y1}, p.cur.seen)
		p.cur.seen = true
	}
}

func join(a, b [4]float32, both bool) [4]float32 {
	if !both {
		return b
	}
	return [4]float32{min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])}
}

// halo adds the shine of a lamp at a place, radius in metres.
func (p *painter) halo(at vec, radius float64, col rgb) {
	q := p.local(at)
	if q.z < 1 {
		return
	}
	c := p.project(q)
	r := float32(radius * p.focal / q.z)
	// Near lamps fill the picture with light and cost the time of many; cap them.
	r = min(r, float32(p.canvas.h)/3)
	p.soft(c.x, c.y, r, r, p.air.haze(col, q.z), 1, true)
	if p.air.wet > 0 { // the wet road draws a lamp out to a streak below it
		foot := p.project(vec{q.x, 0.1 - p.eye.y, q.z})
		p.soft(c.x, foot.y+1.6*r, r*0.3, 1.8*r, col, p.air.wet*0.5, true)
	}
}

// size is how many pixels a metre has at a place, 0 behind the lens.
func (p *painter) size(at vec) float64 {
	if z := at.z - p.eye.z; z >= near {
		return p.focal / z
	}
	return 0
}

// plane is a flat place for drawings: at(x, y) lies x along u and y along v from o.
type plane struct{ o, u, v vec }

// upright is a plane that stands at a place and faces the driver, turned by yaw.
func upright(at vec, yaw float64) plane {
	return plane{at, vec{math.Cos(yaw), 0, -math.Sin(yaw)}, vec{0, 1, 0}}
}

func (s plane) at(x, y float64) vec {
	return s.o.add(s.u.mul(x)).add(s.v.mul(y))
}

// quad is bottom left, top left, top right and bottom right, as seen from outside.
type quad [4]vec

func (q quad) at(u, v float64) vec {
	return q[0].mix(q[3], u).mix(q[1].mix(q[2], u), v)
}

// part is the piece of a quad between the fractions u0, u1 and v0, v1.
func (q quad) part(u0, v0, u1, v1 float64) quad {
	return quad{q.at(u0, v0), q.at(u0, v1), q.at(u1, v1), q.at(u1, v0)}
}

// rect paints a rectangle of a plane.
func (p *painter) rect(col rgb, s plane, x0, y0, x1, y1 float64) bool {
	return p.face(col, s.at(x0, y0), s.at(x0, y1), s.at(x1, y1), s.at(x1, y0))
}

// ellipse paints an ellipse of a plane, with as many corners as it needs.
func (p *painter) ellipse(col rgb, s plane, x, y, rx, ry float64) {
	var corners [24]vec
	p.face(col, p.round(corners[:0], s, x, y, rx, ry)...)
}

// disc paints a circle that shines by itself.
func (p *painter) disc(col rgb, s plane, x, y, r float64) {
	var corners [24]vec
	p.glow(col, 1, p.round(corners[:0], s, x, y, r, r)...)
}

func (p *painter) round(to []vec, s plane, x, y, rx, ry float64) []vec {
	n := min(24, max(6, int(4+2*math.Sqrt(max(rx, ry)*p.size(s.o)))))
	for i := range n {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / float64(n))
		to = append(to, s.at(x+rx*cos, y+ry*sin))
	}
	return to
}

// limb paints a rod with round ends from (x0, y0) to (x1, y1) on a plane, of
// radius r0 and r1 there.
func (p *painter) limb(col rgb, s plane, x0, y0, r0, x1, y1, r1 float64) {
	var corners [12]vec
	to := corners[:0]
	angle := math.Atan2(y1-y0, x1-x0)
	for i := range 6 {
		sin, cos := math.Sincos(angle - math.Pi/2 - math.Pi*float64(i)/5)
		to = append(to, s.at(x0+r0*cos, y0+r0*sin))
	}
	for i := range 6 {
		sin, cos := math.Sincos(angle + math.Pi/2 - math.Pi*float64(i)/5)
		to = append(to, s.at(x1+r1*cos, y1+r1*sin))
	}
	p.face(col, to...)
}

// slab paints a box that stands on its ground rectangle, the faces that are seen.
func (p *painter) slab(col rgb, x0, y0, z0, x1, y1, z1 float64) {
	p.face(col, vec{x0, y0, z1}, vec{x0, y1, z1}, vec{x0, y1, z0}, vec{x0, y0, z0}) // left
	p.face(col, vec{x1, y0, z0}, vec{x1, y1, z0}, vec{x1, y1, z1}, vec{x1, y0, z1}) // right
	p.face(col, vec{x0, y1, z0}, vec{x0, y1, z1}, vec{x1, y1, z1}, vec{x1, y1, z0}) // top
	p.face(col, vec{x0, y0, z0}, vec{x0, y1, z0}, vec{x1, y1, z0}, vec{x1, y0, z0}) // front
}
