package scene

import (
	"math/rand/v2"
)

// house stands beside the street: its place is the near corner at the street.
type house struct {
	side       float64 // 1 to the right of the street, -1 to the left
	long, tall float64
	wall, trim rgb
	seed       uint64
	shop       bool
	sign       string
	signCol    rgb
}

var walls = []rgb{{.72, .62, .50}, {.62, .36, .28}, {.78, .74, .66}, {.52, .52, .54}, {.66, .54, .40}, {.45, .36, .32}, {.58, .63, .66}, {.80, .70, .52}}
var words = []string{"CAFE", "BAR", "SALE", "SHOES", "PHARMA", "BOOKS", "FRUIT", "HOTEL", "24 H"}

func newHouse(r *rand.Rand, side, long float64) *house {
	h := &house{
		side: side, long: long, tall: 5 + 3.2*float64(r.IntN(5)), wall: pick(r, walls).mul(.8 + .3*r.Float32()),
		trim: pick(r, walls).mul(.6), seed: r.Uint64(), shop: r.IntN(2) == 0, sign: pick(r, words), signCol: pick(r, coats),
	}
	return h
}

const houseDeep = 11 // metres away from the street

func (h *house) draw(p *painter, at vec, _ float64) {
	near, far := at, at.add(vec{z: h.long})
	up := vec{y: h.tall}
	back := vec{x: h.side * houseDeep}
	front := quad{near, near.add(up), far.add(up), far} // along the street, seen from the left
	gable := quad{near.add(back), near.add(back).add(up), near.add(up), near}
	if h.side > 0 {
		front = quad{far, far.add(up), near.add(up), near}
		gable = quad{near, near.add(up), near.add(back).add(up), near.add(back)}
	}
	if p.face(h.wall.mul(.9), gable[:]...) {
		h.windows(p, gable, houseDeep, false)
	}
	if p.face(h.wall, front[:]...) {
		h.windows(p, front, h.long, true)
	}
}

// windows covers a wall with floors of windows, and the ground floor of the
// street's side with a door or a shop.
func (h *house) windows(p *painter, wall quad, wide float64, street bool) {
	size := max(p.size(wall[0]), p.size(wall[3])) // pixels a metre
	if size == 0 {
		size = p.focal
	}
	if size*1.2 < 2.5 { // a window would be a speck
		return
	}
	ledge := wall.part(0, 1-.35/h.tall, 1, 1)
	p.face(h.trim, ledge[:]...)
	floors, bays := int(h.tall/3.2), max(1, int(wide/2.7))
	for row := range floors {
		if row == 0 && street {
			h.groundFloor(p, wall, bays)
			continue
		}
		for bay := range bays {
			u := (float64(bay) + .5) / float64(bays)
			v := (float64(row)*3.2 + 1) / h.tall
			half := .55 / wide
			col := glass.add(p.air.horizon.mul(.25 + .2*float32(chance(h.seed, row, bay))))
			q := wall.part(u-half, v, u+half, v+1.5/h.tall)
			if float32(chance(h.seed, row+50, bay)) < .45*p.air.lamps {
				p.lamplit(rgb{1, .82, .50}.mul(.55+.4*float32(chance(h.seed, row+90, bay))), q)
				continue
			}
			p.face(col, q[:]...)
			if size > 9 {
				bar := wall.part(u-.05/wide, v, u+.05/wide, v+1.5/h.tall)
				p.face(h.trim.mul(1.2), bar[:]...)
				sill := wall.part(u-half*1.2, v-.12/h.tall, u+half*1.2, v)
				p.face(h.trim.mul(1.3), sill[:]...)
			}
		}
	}
}

// groundFloor paints a shop window with its sign, or doors and windows.
func (h *house) groundFloor(p *painter, wall quad, bays int) {
	if !h.shop {
		for bay := range bays {
			u0, u1 := (float64(bay)+.3)/float64(bays), (float64(bay)+.7)/float64(bays)
			q := wall.part(u0, 1/h.tall, u1, 2.5/h.tall)
			col := glass
			if bay == bays/2 {
				q, col = wall.part(u0, 0, u1, 2.3/h.tall), h.trim.mul(.6)
			}
			p.face(col, q[:]...)
		}
		return
	}
	pane := wall.part(.06, .4/h.tall, .94, 2.5/h.tall)
	if p.air.lamps > 0 {
		p.lamplit(rgb{1, .88, .62}.mul(.35+.45*p.air.lamps), pane)
	} else {
		p.face(glass.add(p.air.horizon.mul(.3)), pane[:]...)
	}
	for i := range 3 {
		u := .06 + .88*float64(i+1)/4
		bar := wall.part(u-.006, .4/h.tall, u+.006, 2.5/h.tall)
		p.face(h.trim.mul(.7), bar[:]...)
	}
	board := wall.part(.06, 2.6/h.tall, .94, 3.15/h.tall)
	p.face(h.signCol.mul(1+.5*p.air.lamps), board[:]...)
	wide := .88 * h.long
	s := plane{board.at(.5, .5), board[3].sub(board[0]).mul(1 / wide), vec{0, 1, 0}}
	p.write(white, s, h.sign, min(.8*wide, .38*float64(len(h.sign))))
}

// lamplit paints a quad that is lit from inside, where it faces the lens.
func (p *painter) lamplit(col rgb, q quad) {
	if _, ok := p.place(q[:]); ok {
		p.put(p.air.haze(col, p.local3[0].z), 1)
	}
}
