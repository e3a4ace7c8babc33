package scene

import (
	"math"
	"math/rand/v2"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// stopSign is the red octagon on its pole.
type stopSign struct {
	up, across float64 // height of the middle and width of the face, metres
}

var (
	steel   = grey(0.5)
	stopRed = rgb{0.80, 0.06, 0.09}
)

func (s *stopSign) draw(p *painter, at vec, yaw float64) {
	pole(p, at, s.up, steel)
	face := upright(at.add(vec{0, s.up, -.06}), yaw)
	p.named(true)
	for _, ring := range [...]struct {
		r   float64
		col rgb
	}{{.5, grey(0.3)}, {.49, white}, {.45, stopRed}} {
		var corners [8]vec
		for i := range corners {
			sin, cos := math.Sincos(-math.Pi * (float64(i) + .5) / 4)
			r := ring.r * s.across / math.Cos(math.Pi/8)
			corners[i] = face.at(r*cos, r*sin)
		}
		p.face(p.reflex(ring.col, at), corners[:]...)
	}
	p.write(p.reflex(white, at), face, "STOP", .78*s.across)
}

// reflex is the colour of a surface that throws headlights back at the driver.
func (p *painter) reflex(c rgb, at vec) rgb {
	return c.mul(1 + 1.6*p.air.lamps*float32(math.Exp(-(at.z-p.eye.z)/45)))
}

func pole(p *painter, at vec, up float64, col rgb) {
	s := upright(at, 0)
	p.rect(col.mul(.7), s, -.035, 0, .035, up)
	p.rect(col, s, -.01, 0, .02, up)
}

// trafficLight is a head of three lamps on a pole, or on an arm above the road.
type trafficLight struct {
	up    float64                      // height of the middle, metres
	arm   float64                      // where the pole is, metres to the right of the head
	rim   bool                         // a white border
	size  float64                      // height of the housing, metres
	state func(p *painter, at vec) int // 0 red, 1 yellow, 2 green
}

var lampColours = [3]rgb{{1, .13, .10}, {1, .76, .12}, {.15, .98, .50}}

func (l *trafficLight) draw(p *painter, at vec, yaw float64) {
	pole(p, at.add(vec{x: l.arm}), l.up+l.size*.3, grey(.33))
	head := upright(at.add(vec{0, l.up, -.15}), yaw)
	if l.arm != 0 {
		back := upright(at.add(vec{0, l.up, 0}), 0)
		p.rect(grey(.33), back, min(0, l.arm), l.size*.12, max(0, l.arm), l.size*.12+.11)
	}
	half, wide := l.size/2, l.size*.2
	p.named(true)
	deep := vec{0, 0, .28} // the housing's side, seen when it hangs beside the road
	for _, side := range [2]float64{-1, 1} {
		a, b := head.at(side*wide, -half), head.at(side*wide, half)
		q := quad{a.add(deep), b.add(deep), b, a}
		if side > 0 {
			q = quad{a, b, b.add(deep), a.add(deep)}
		}
		p.face(grey(.06), q[:]...)
	}
	if l.rim {
		p.rect(white, head, -wide*1.22, -half*1.09, wide*1.22, half*1.09)
		p.rect(grey(.05), head, -wide*1.1, -half*1.04, wide*1.1, half*1.04)
	}
	p.rect(grey(.13), head, -wide, -half, wide, half)
	on := l.state(p, at)
	r := l.size * .125
	for i, col := range lampColours {
		y := l.size * .31 * float64(1-i)
		p.ellipse(grey(.03), head, 0, y+r*.25, r*1.25, r*1.25)
		if i == on {
			p.disc(col, head, 0, y, r)
			p.disc(col.mix(white, .55), head, 0, y, r*.5)
			p.named(false)
			p.halo(head.at(0, y), r*(2.2+4*float64(p.air.lamps)), col.mul(.35+.35*p.air.lamps))
			p.named(true)
			continue
		}
		p.ellipse(col.mul(.22), head, 0, y, r, r)
	}
}

// steady is a light that does not change.
func steady(state int) func(*painter, vec) int { return func(*painter, vec) int { return state } }

// plate is a sign that is not a stop sign.
type plate struct {
	kind int
	up   float64
}

const plateKinds = 8

func (s *plate) draw(p *painter, at vec, yaw float64) {
	pole(p, at, s.up, steel)
	f := upright(at.add(vec{0, s.up, -.06}), yaw)
	red, blue := p.reflex(rgb{.80, .07, .09}, at), p.reflex(rgb{.08, .25, .62}, at)
	pale, dark := p.reflex(white, at), grey(.08)
	switch s.kind {
	case 0, 1: // a limit
		p.ellipse(red, f, 0, 0, .36, .36)
		p.ellipse(pale, f, 0, 0, .28, .28)
		p.write(dark, f, []string{"30", "50"}[s.kind], .36)
	case 2: // no entry
		p.ellipse(red, f, 0, 0, .36, .36)
		p.rect(pale, f, -.26, -.07, .26, .07)
	case 3: // a warning
		p.face(p.reflex(yellow, at), f.at(-.45, 0), f.at(0, .45), f.at(.45, 0), f.at(0, -.45))
		p.rect(dark, f, -.04, -.06, .04, .2)
		p.ellipse(dark, f, 0, -.16, .045, .045)
	case 4: // give way
		p.face(red, f.at(-.45, .36), f.at(.45, .36), f.at(0, -.42))
		p.face(pale, f.at(-.28, .26), f.at(.28, .26), f.at(0, -.22))
	case 5: // keep right
		p.ellipse(blue, f, 0, 0, .34, .34)
		p.limb(pale, f, -.14, .14, .05, .14, -.14, .05)
	case 6: // a parking place
		p.rect(blue, f, -.3, -.3, .3, .3)
		p.write(pale, f, "P", .28)
	default: // the back of a sign
		p.ellipse(grey(.42), f, 0, 0, .36, .36)
	}
}

func newPlate(r *rand.Rand) *plate { return &plate{r.IntN(plateKinds), 2 + .5*r.Float64()} }

// write paints a word around the middle of a plane, wide metres across.
func (p *painter) write(col rgb, s plane, word string, wide float64) {
	letters := alphabet()
	total := 0.0
	for _, r := range word {
		total += letters[r].wide
	}
	if total == 0 || wide*p.size(s.o) < 3 { // too small to be more than a smear
		return
	}
	k := wide / total
	x := -wide / 2
	corners := make([]vec, 0, 96)
	for _, r := range word {
		l := letters[r]
		corners = corners[:0]
		for _, q := range l.line {
			corners = append(corners, s.at(x+k*q.x, k*(q.y-.36)))
		}
		p.ink(col, s, corners)
		x += k * l.wide
	}
}

// ink paints a letter, whose corners go round in the font's sense: the light is
// that of the plane it is written on.
func (p *painter) ink(col rgb, s plane, corners []vec) {
	if len(corners) < 3 || s.v.cross(s.u).dot(p.eye.sub(s.o)) <= 0 {
		return
	}
	n := s.v.cross(s.u)
	p.place(corners)
	if len(p.local3) >= 3 {
		p.put(p.air.lit(col, n, p.local(s.o)), 1)
	}
}

// letter is the outline of a letter in units of the font's size, its holes joined
// to it by a line of no width.
type letter struct {
	line []struct{ x, y float64 }
	wide float64
}

// alphabet reads the letters that are written anywhere from the Go bold font.
var alphabet = sync.OnceValue(func() map[rune]letter {
	f, err := sfnt.Parse(gobold.TTF)
	if err != nil {
		panic("scene: the font that is compiled in cannot be read: " + err.Error())
	}
	const unit = 1024
	m := map[rune]letter{}
	var b sfnt.Buffer
	for _, r := range "ABCDEFGHIKLMNOPRSTUX0123456789" {
		i, err := f.GlyphIndex(&b, r)
		if err != nil {
			continue
		}
		wide, err := f.GlyphAdvance(&b, i, fixed.I(unit), font.HintingNone)
		if err != nil {
			continue
		}
		segments, err := f.LoadGlyph(&b, i, fixed.I(unit), nil)
		if err != nil {
			continue
		}
		m[r] = outline(segments, float64(wide)/64/unit)
	}
	return m
})

// outline flattens the curves of a letter and joins its contours into one.
func outline(segments sfnt.Segments, wide float64) letter {
	l := letter{wide: wide}
	type xy = struct{ x, y float64 }
	at := func(p fixed.Point26_6) xy { return xy{float64(p.X) / 65536, -float64(p.Y) / 65536} }
	var start, pen xy
	for n, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if n > 0 { // close the contour and go back to the first one's start
				l.line = append(l.line, start, l.line[0])
			}
			start = at(s.Args[0])
			pen = start
			l.line = append(l.line, pen)
		case sfnt.SegmentOpLineTo:
			pen = at(s.Args[0])
			l.line = append(l.line, pen)
		case sfnt.SegmentOpQuadTo: // three chords are enough at the size of a sign
			c, e := at(s.Args[0]), at(s.Args[1])
			for i := 1.0; i <= 3; i++ {
				t := i / 3
				l.line = append(l.line, xy{
					(1-t)*(1-t)*pen.x + 2*t*(1-t)*c.x + t*t*e.x,
					(1-t)*(1-t)*pen.y + 2*t*(1-t)*c.y + t*t*e.y,
				})
			}
			pen = e
		}
	}
	l.line = append(l.line, start)
	return l
}
