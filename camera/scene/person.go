package scene

import (
	"math"
	"math/rand/v2"
)

// person is a pedestrian, drawn flat and turned to the lens: standing or walking,
// seen from the front, the back or the side.
type person struct {
	tall                      float64 // metres
	skin, hair, coat, pants   rgb
	shoe                      rgb
	side                      int  // -1 walks to the left, 1 to the right, 0 is seen from front or back
	back                      bool // for side 0: we see the back
	walking                   bool
	phase                     float64
	skirt, bag, longHair, hat bool
	umbrella                  bool
	cloth                     rgb // of the umbrella, the bag or the hat
}

var (
	skins   = []rgb{{0.93, 0.76, 0.64}, {0.80, 0.60, 0.46}, {0.58, 0.40, 0.28}, {0.38, 0.25, 0.17}}
	hairs   = []rgb{{0.10, 0.08, 0.07}, {0.28, 0.17, 0.10}, {0.62, 0.45, 0.22}, {0.55, 0.55, 0.55}}
	coats   = []rgb{{0.75, 0.15, 0.14}, {0.15, 0.28, 0.60}, {0.12, 0.13, 0.15}, {0.85, 0.83, 0.78}, {0.25, 0.45, 0.25}, {0.88, 0.66, 0.18}, {0.50, 0.25, 0.50}, {0.42, 0.42, 0.45}, {0.90, 0.48, 0.15}}
	cottons = []rgb{{0.14, 0.17, 0.30}, {0.10, 0.10, 0.11}, {0.45, 0.40, 0.32}, {0.32, 0.33, 0.36}, {0.28, 0.36, 0.52}}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// newPerson draws a pedestrian who walks to the side (-1, 1) or along the street (0).
func newPerson(r *rand.Rand, side int, walking, wet bool) *person {
	h := &person{
		tall: 1.58 + 0.3*r.Float64(), skin: pick(r, skins), hair: pick(r, hairs), coat: pick(r, coats), pants: pick(r, cottons),
		shoe: pick(r, cottons).mul(0.6), cloth: pick(r, coats), side: side, walking: walking, phase: 2 * math.Pi * r.Float64(),
		back: r.IntN(2) == 0, skirt: r.IntN(6) == 0, bag: r.IntN(4) == 0, longHair: r.IntN(3) == 0, hat: r.IntN(6) == 0,
	}
	if r.IntN(8) == 0 {
		h.tall = 1.15 + 0.25*r.Float64() // a child
	}
	h.umbrella = wet && r.IntN(2) == 0
	return h
}

func (h *person) draw(p *painter, at vec, _ float64) {
	s := upright(at, 0)
	s.u, s.v = s.u.mul(h.tall), s.v.mul(h.tall) // from here on 1 is the person's height
	p.dark(at, .3*h.tall)
	p.named(true)
	defer p.named(false)
	swing := 0.0
	if h.walking {
		swing = math.Sin(h.phase + 2*math.Pi*0.95*p.time)
	} else if h.side != 0 {
		swing = 0.12
	}
	if h.side != 0 {
		h.profile(figure{p, s, float64(h.side)}, swing) // drawn walking to the right
	} else {
		h.front(figure{p, s, 1}, swing)
	}
}

// figure is the plane a person is drawn on, in heights of that person; turn is -1
// where right and left are exchanged.
type figure struct {
	p    *painter
	s    plane
	turn float64
}

func (m figure) limb(col rgb, x0, y0, r0, x1, y1, r1 float64) {
	m.p.limb(col, m.s, m.turn*x0, y0, r0, m.turn*x1, y1, r1)
}

func (m figure) oval(col rgb, x, y, rx, ry float64) {
	m.p.ellipse(col, m.s, m.turn*x, y, rx, ry)
}

// poly paints a shape that is the same right and left of its middle, from half
// widths at rising heights; lean is how far the middle has moved at the top.
func (m figure) poly(col rgb, lean float64, ribs ...[2]float64) {
	var corners [16]vec
	to := corners[:0]
	mid := func(i int) float64 { return m.turn * lean * float64(i) / float64(len(ribs)-1) }
	for i, r := range ribs {
		to = append(to, m.s.at(mid(i)-r[0], r[1]))
	}
	for i := len(ribs) - 1; i >= 0; i-- {
		to = append(to, m.s.at(mid(i)+ribs[i][0], ribs[i][1]))
	}
	m.p.face(col, to...)
}

// front draws the person from the front or the back.
func (h *person) front(m figure, swing float64) {
	dark := h.pants.mul(0.8)
	for i, side := range [2]float64{-1, 1} {
		lift := 0.0
		if h.walking { // the foot in the air is drawn higher: it is behind
			lift = max(0, side*swing) * 0.06
		}
		leg := [2]rgb{dark, h.pants}[i]
		if h.skirt {
			leg = h.skin
		}
		m.limb(leg, side*.052, .50, .055, side*.058, .27+lift/2, .043)
		m.limb(leg, side*.058, .27+lift/2, .043, side*.06, .06+lift, .030)
		m.oval(h.shoe, side*.064, .028+lift, .040, .030)
	}
	if h.skirt {
		m.poly(h.pants, 0, [2]float64{.15, .30}, [2]float64{.10, .50}, [2]float64{.09, .58})
	}
	for _, side := range [2]float64{-1, 1} {
		out := .028 + .012*swing*side
		m.limb(h.coat.mul(0.82), side*.125, .785, .042, side*(.145+out), .62, .034)
		m.limb(h.coat.mul(0.82), side*(.145+out), .62, .034, side*(.150+out), .49, .026)
		m.oval(h.skin, side*(.152+out), .455, .025, .032)
	}
	m.poly(h.coat, 0, [2]float64{.100, .47}, [2]float64{.094, .60}, [2]float64{.128, .74}, [2]float64{.135, .80}, [2]float64{.07, .835})
	if h.back && h.bag {
		m.poly(h.cloth, 0, [2]float64{.085, .56}, [2]float64{.095, .70}, [2]float64{.075, .79})
	} else if !h.back { // a zip, and light from above on the shoulders
		m.limb(h.coat.mul(0.65), 0, .48, .006, 0, .80, .006)
	}
	if h.longHair {
		m.oval(h.hair, 0, .895, .075, .095)
	}
	m.limb(h.skin.mul(0.85), 0, .82, .034, 0, .87, .032)
	m.oval(h.skin, 0, .922, .058, .074)
	if h.back {
		m.oval(h.hair, 0, .932, .062, .068)
	} else {
		m.poly(h.hair, 0, [2]float64{.060, .930}, [2]float64{.058, .968}, [2]float64{.036, .998})
		for _, side := range [2]float64{-1, 1} {
			m.oval(grey(0.1), side*.024, .922, .008, .007)
		}
		m.limb(h.skin.mul(0.6), -.018, .882, .004, .018, .882, .004)
	}
	h.extras(m)
}

// profile draws the person walking to the right.
func (h *person) profile(m figure, swing float64) {
	leg := func(a float64, col rgb) {
		if h.skirt {
			col = h.skin.mul(col.g / max(h.pants.g, .01))
		}
		hx, hy := 0.0, .50
		kx, ky := hx+.23*math.Sin(a), hy-.23*math.Cos(a)
		bend := a - .12 - .45*max(0, -a) // the knee gives when the leg is behind
		fx, fy := kx+.21*math.Sin(bend), ky-.21*math.Cos(bend)
		m.limb(col, hx, hy, .062, kx, ky, .046)
		m.limb(col, kx, ky, .046, fx, fy, .030)
		m.limb(h.shoe, fx-.01, fy-.022, .026, fx+.075, fy-.03, .018)
	}
	arm := func(a float64, col rgb) {
		sx, sy := .0, .785
		ex, ey := sx+.16*math.Sin(a), sy-.16*math.Cos(a)
		hx, hy := ex+.14*math.Sin(a+.35), ey-.14*math.Cos(a+.35)
		m.limb(col, sx, sy, .040, ex, ey, .033)
		m.limb(col, ex, ey, .033, hx, hy, .026)
		m.oval(h.skin, hx+.012, hy-.018, .025, .028)
	}
	a := 0.50 * swing
	arm(a, h.coat.mul(0.65))
	leg(-a, h.pants.mul(0.7))
	leg(a, h.pants)
	if h.skirt {
		m.poly(h.pants, 0, [2]float64{.14, .30}, [2]float64{.09, .50}, [2]float64{.08, .58})
	}
	if h.bag {
		m.limb(h.cloth, -.10, .60, .055, -.10, .73, .05)
	}
	m.poly(h.coat, .01, [2]float64{.078, .47}, [2]float64{.074, .60}, [2]float64{.092, .73}, [2]float64{.072, .80}, [2]float64{.04, .83})
	arm(-a, h.coat.mul(0.82))
	m.limb(h.skin.mul(0.85), .012, .82, .034, .018, .87, .032)
	if h.longHair {
		m.oval(h.hair, -.02, .895, .062, .09)
	}
	m.oval(h.skin, .022, .920, .058, .072)
	m.limb(h.skin, .075, .910, .011, .085, .905, .009)
	m.oval(h.hair, -.008, .945, .064, .056)
	m.oval(grey(0.1), .055, .925, .008, .008)
	h.extras(m)
}

// extras draws a hat or an umbrella.
func (h *person) extras(m figure) {
	if h.hat {
		m.poly(h.cloth, 0, [2]float64{.068, .952}, [2]float64{.060, .99}, [2]float64{.035, 1.015})
		m.limb(h.cloth.mul(0.8), -.07, .952, .010, .085, .952, .010)
	}
	if h.umbrella {
		m.limb(grey(0.2), .10, .52, .006, .08, 1.12, .006)
		m.poly(h.cloth, 0, [2]float64{.33, 1.06}, [2]float64{.27, 1.14}, [2]float64{.15, 1.20}, [2]float64{.01, 1.225})
		m.limb(h.cloth.mul(0.7), 0, 1.065, .008, 0, 1.21, .004)
	}
}
