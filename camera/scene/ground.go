package scene

import "math"

// street is the ground of a world; distances across are in metres from the middle
// of the driver's lane.
type street struct {
	left, right float64 // the kerbs
	walk        float64 // width of both sidewalks
	marks       []mark
	crossings   []crossing
	asphalt     float32 // grey level
	verge       rgb     // what is beyond the sidewalks
}

// mark is a painted line along the road.
type mark struct {
	x      float64
	dashed bool
	yellow bool
}

// crossing is a street that crosses from z0 to z1.
type crossing struct {
	z0, z1 float64
	zebra  bool // pedestrians may cross before it
}

// Where the paint before a crossing lies, metres before z0.
const (
	zebraFrom, zebraTo = 4.2, 1.2
	lineFrom, lineTo   = 5.6, 5.1
)

var (
	white  = grey(0.92)
	yellow = rgb{0.93, 0.75, 0.22}
	paving = rgb{0.63, 0.61, 0.58}
	kerb   = rgb{0.75, 0.74, 0.72}
)

// ground paints the rows below the horizon. A row has one depth, because the
// camera looks straight along the street.
func (p *painter) ground(s *street) {
	for y := max(0, int(p.cy)); y < p.canvas.h; y++ {
		below := float64(y) + 0.5 - p.cy
		if below <= 0.3 {
			p.span(y, 0, float64(p.canvas.w), p.air.mist, 1)
			continue
		}
		z := p.focal * p.eye.y / below
		// long is how much of the street the row shows, for smooth cross marks.
		g := stripe{p: p, y: y, z: z, long: z * z / (p.focal * p.eye.y)}
		g.paint(s)
		p.grain(y, z)
	}
	if k := p.air.lamps; k > 0 { // what our own headlights throw on the road
		w, h := float32(p.canvas.w), float32(p.canvas.h)
		y, col := float32(p.cy)+0.30*h, rgb{0.30, 0.28, 0.23}.mul(1-0.4*p.air.wet)
		p.soft(float32(p.cx)-0.12*w, y, 0.42*w, 0.27*h, col, k*0.8, true)
		p.soft(float32(p.cx)+0.14*w, y, 0.42*w, 0.27*h, col, k*0.8, true)
	}
}

// stripe is one row of ground.
type stripe struct {
	p       *painter
	y       int
	z, long float64
}

// across paints from x0 to x1 metres; light says whether the paint is bright.
func (g *stripe) across(x0, x1 float64, col rgb, alpha float64) {
	p := g.p
	shift := p.bend*g.z*g.z - p.eye.x
	k := p.focal / g.z
	p.span(g.y, p.cx+(x0+shift)*k, p.cx+(x1+shift)*k, col, float32(alpha))
}

// lit is the colour of flat ground in this row.
func (g *stripe) lit(c rgb) rgb {
	c = g.p.air.lit(c, vec{0, 1, 0}, vec{0, -g.p.eye.y, g.z})
	if w := g.p.air.wet; w > 0 { // wet ground mirrors the sky, more so far away
		c = c.mix(g.p.air.horizon, w*float32(0.08+0.35*math.Exp(-8/g.z)))
	}
	return c
}

// within is the share of the row that lies between two places along the street.
func (g *stripe) within(z0, z1 float64) float64 {
	at := g.z + g.p.eye.z
	a, b := max(z0, at-g.long/2), min(z1, at+g.long/2)
	return max(0, b-a) / g.long
}

// dashes is the share of the row on the dashes of a line: 3 m in every 9.
func (g *stripe) dashes() float64 {
	sum := func(z float64) float64 {
		n := math.Floor(z / 9)
		return n*3 + min(z-n*9, 3)
	}
	at := g.z + g.p.eye.z
	return (sum(at+g.long/2) - sum(at-g.long/2)) / g.long
}

const wide = 1000.0

func (g *stripe) paint(s *street) {
	road := g.lit(grey(s.asphalt))
	verge := g.lit(s.verge)
	g.across(-wide, wide, verge, 1)
	walk, edge := g.lit(paving), g.lit(kerb)
	g.across(s.left-s.walk, s.left, walk, 1)
	g.across(s.right, s.right+s.walk, walk, 1)
	g.across(s.left-0.25, s.left, edge, 1)
	g.across(s.right, s.right+0.25, edge, 1)
	g.across(s.left, s.right, road, 1)
	// The gutter is darker: it gives the kerb its height.
	g.across(s.left, s.left+0.2, road.mul(0.75), 1)
	g.across(s.right-0.2, s.right, road.mul(0.75), 1)
	for i := 0.0; i < 4; i++ { // joints between the paving slabs
		for _, x := range [2]float64{s.left - s.walk*i/4, s.right + s.walk*i/4} {
			g.across(x-0.02, x+0.02, walk.mul(0.8), 0.7)
		}
	}
	paint := func(gold bool) rgb {
		if gold {
			return g.lit(yellow)
		}
		return g.lit(white)
	}
	for _, m := range s.marks {
		a := 0.85
		if m.dashed {
			a *= g.dashes()
		}
		g.across(m.x-0.07, m.x+0.07, paint(m.yellow), a)
	}
	for _, c := range s.crossings {
		if g.z+g.p.eye.z < c.z0-20 || g.z+g.p.eye.z > c.z1+30 {
			continue
		}
		if a := g.within(c.z0, c.z1); a > 0 {
			g.across(-wide, wide, road, a)
		}
		if a := g.within(c.z0-lineFrom, c.z0-lineTo); a > 0 {
			g.across(-1.75, s.right, paint(false), 0.85*a)
		}
		if a := g.within(c.z0-zebraFrom, c.z0-zebraTo); c.zebra && a > 0 {
			for x := s.left + 0.4; x < s.right-0.5; x++ {
				g.across(x, x+0.5, paint(false), 0.85*a)
			}
		}
	}
}

// grain roughens a row of ground with a texture that is fixed to the street, so
// that it streams by as the camera moves.
func (p *painter) grain(y int, z float64) {
	strength := int(13 * math.Exp(-z/11))
	if strength == 0 {
		return
	}
	const perMetre = 40
	line := texture[(int((z+p.eye.z)*perMetre)&255)<<8:][:256]
	step := int64(z / p.focal * perMetre * 65536)
	u := int64((p.eye.x-p.bend*z*z-p.cx*z/p.focal)*perMetre*65536) + 1<<40
	row := p.pix[3*y*p.canvas.w : 3*(y+1)*p.canvas.w]
	for i := 0; i+2 < len(row); i += 3 {
		k := 256 + int(line[u>>16&255])*strength>>6
		row[i], row[i+1], row[i+2] = dim(row[i], k), dim(row[i+1], k), dim(row[i+2], k)
		u += step
	}
}

func dim(p byte, k int) byte { return byte(min(255, int(p)*k>>8)) }

// texture is 256×256 values from -128 to 127, the same for ever.
var texture = newTexture()

func newTexture() []int8 {
	t := make([]int8, 256*256)
	s := uint64(1)
	for i := range t {
		s = mix64(s)
		// The sum of four is near to a bell curve.
		t[i] = int8((int(int8(s)) + int(int8(s>>8)) + int(int8(s>>16)) + int(int8(s>>24))) / 4)
	}
	return t
}

// mix64 turns a number into one that looks like chance (SplitMix64).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// chance is a number from 0 to 1 that depends on a, b and c alone, for details
// that are decided while drawing.
func chance(a uint64, b, c int) float64 {
	return float64(mix64(mix64(a+uint64(b)*0x1000193)+uint64(c))>>11) / (1 << 53)
}
