package scene

import (
	"math"
	"math/rand/v2"
)

// newRand is a generator for one purpose of a seed; purposes do not disturb each other.
func newRand(seed, purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }

const (
	forDrive = iota + 1
	forStill
)

// ahead is how far the world goes on past the end of the drive, metres.
const ahead = 190

// newDrive builds the street that the drive of c goes along: blocks of houses
// with a crossing after each, people, parked and moving cars, signs and lights.
func newDrive(c Config) *world {
	r := newRand(c.Seed, forDrive)
	w := &world{seed: c.Seed, air: newAir(r)}
	w.street = newStreet(r, r.IntN(2) == 0)
	speed := 8 + 4*r.Float64()
	end := speed*c.Seconds + ahead
	b := builder{r: r, w: w, houses: r.Float64() < .75, lively: .06 + .94*r.Float64()}

	sway, phase := .25*r.Float64(), 2*math.Pi*r.Float64()
	curve, high := 3e-4*(r.Float64()-.5), 1.35+.25*r.Float64()
	w.path = func(t float64) view {
		return view{
			eye:   vec{sway * math.Sin(.5*t+phase), high, speed * t},
			focal: .82,
			// The horizon nods with the road; cy is in picture heights here too.
			cx: .5 + .004*math.Sin(.7*t+phase), cy: .44 + .003*math.Sin(5*t) + .004*math.Sin(1.3*t+phase),
			bend: curve * math.Sin(.25*t+phase),
		}
	}
	for z, n := -10.0, r.IntN(5); z < end; n++ {
		z1 := z + 40 + 25*r.Float64()
		b.block(z, z1)
		wide := 9 + 3*r.Float64()
		b.crossing(n, z1+4, z1+4+wide, speed)
		z = z1 + 8 + wide
	}
	b.traffic(speed, c.Seconds)
	return w
}

// newStreet is a street of one lane each way, or two with main.
func newStreet(r *rand.Rand, main bool) street {
	s := street{left: -5.25, right: 1.75, walk: 2.5 + 1.5*r.Float64(), asphalt: .30 + .10*r.Float32()}
	s.verge = []rgb{{.36, .45, .22}, {.58, .56, .52}, {.42, .44, .25}}[r.IntN(3)]
	s.right += 2.3 // where cars park
	s.left -= 2.3
	s.marks = []mark{{-1.75, true, false}, {1.75, true, false}, {-5.25, true, false}}
	if main {
		s.left -= 3.5
		s.marks = []mark{{-1.83, false, true}, {-1.67, false, true}, {1.75, true, false}, {-5.25, true, false}, {-8.75, true, false}}
	}
	return s
}

// builder fills a world.
type builder struct {
	r      *rand.Rand
	w      *world
	houses bool
	lively float64 // 0 is a street without anybody, 1 a busy one
}

// add puts a thing into the world that reaches deep metres along the street and
// can be seen from reach metres on.
//
// Long things need care in the painting order. What is beside a house is nearer
// to the street, so the house is painted by its far end, before all of that. What
// is beside a car is mostly on the sidewalk behind it: a car goes by its near end.
func (b *builder) add(label string, at vec, yaw float64, deep, reach float64, t thing) *actor {
	order := deep
	if label == Car {
		order = -.8 * deep
	}
	b.w.actors = append(b.w.actors, actor{label: label, at: at, yaw: yaw, deep: deep, order: order, reach: reach, thing: t})
	return &b.w.actors[len(b.w.actors)-1]
}

// block lines both sides of the street from z0 to z1, with people and cars.
func (b *builder) block(z0, z1 float64) {
	b.scenery(z0, z1)
	// Some blocks are empty, so that every label comes and goes.
	for _, side := range [2]float64{-1, 1} {
		if b.r.Float64() < .5*b.lively {
			b.parked(side, z0, z1-8)
		}
		if b.r.Float64() < .6*b.lively {
			b.walkers(side, z0, z1)
		}
	}
}

// scenery lines both sides of the street with what has no label.
func (b *builder) scenery(z0, z1 float64) {
	r, s := b.r, &b.w.street
	for _, side := range [2]float64{-1, 1} {
		edge := s.right + s.walk
		if side < 0 {
			edge = s.left - s.walk
		}
		for z := z0; z < z1-4; {
			long := min(9+8*r.Float64(), z1-z)
			if b.houses && r.IntN(7) > 0 {
				b.add("", vec{edge + side*.3, 0, z}, 0, long, 220, newHouse(r, side, long))
			} else {
				for range 2 + r.IntN(2) {
					b.add("", vec{edge + side*(1+5*r.Float64()), 0, z + long*r.Float64()}, 0, .5, 160, newTree(r))
				}
				for range 1 + r.IntN(2) {
					b.add("", vec{edge + side*(.5+2*r.Float64()), 0, z + long*r.Float64()}, 0, .5, 80, newBush(r))
				}
			}
			z += long
		}
		kerbside := s.right + .5
		if side < 0 {
			kerbside = s.left - .5
		}
		for z := z0 + 3*r.Float64(); z < z1; z += 6 + 9*r.Float64() {
			b.litter(vec{kerbside, 0, z})
		}
	}
}

// litter puts one thing without a label on the sidewalk.
func (b *builder) litter(at vec) {
	r := b.r
	switch k := r.IntN(10); {
	case k < 3:
		b.add("", at, 0, .5, 160, newTree(r))
	case k < 5:
		b.add("", at, .3*(r.Float64()-.5), .2, 90, newPlate(r))
	case k < 6:
		b.add("", at, 0, .3, 130, &prop{kind: lampPost})
	case k < 9:
		b.add("", at, 0, .4, 80, newProp(r))
	}
}

func (b *builder) parked(side, z0, z1 float64) {
	r, s := b.r, &b.w.street
	x, yaw := s.right-1.05, 0.0
	if side < 0 {
		x, yaw = s.left+1.05, math.Pi
	}
	for z := z0 + 4 + 20*r.Float64(); z < z1-3; z += 5.6 + 22*r.Float64()*r.Float64() {
		b.add(Car, vec{x, 0, z}, yaw+.04*(r.Float64()-.5), 2.4, 150, newCar(r))
	}
}

func (b *builder) walkers(side, z0, z1 float64) {
	r, s := b.r, &b.w.street
	for z := z0 + 20*r.Float64(); z < z1; z += 8 + 30*r.Float64() {
		x := s.right + 1 + (s.walk-1.4)*r.Float64()
		if side < 0 {
			x = s.left - 1 - (s.walk-1.4)*r.Float64()
		}
		for range 1 + r.IntN(5)/3 {
			walking := r.IntN(4) > 0
			h := newPerson(r, 0, walking, b.w.air.wet > 0)
			a := b.add(Pedestrian, vec{x, 0, z}, 0, .3, 110, h)
			if walking {
				a.speed.z = 1 + .5*r.Float64()
				if !h.back {
					a.speed.z = -a.speed.z
				}
			}
			x += .65
		}
	}
}

// crossing makes the street that crosses from z0 to z1, with a stop sign, a
// traffic light or nothing, by turns.
func (b *builder) crossing(n int, z0, z1, speed float64) {
	r, s := b.r, &b.w.street
	c := crossing{z0: z0, z1: z1}
	corner := vec{s.right + .6, 0, z0 - 5}
	switch n % 5 {
	case 0, 2:
		b.add(StopSign, corner, .2*(r.Float64()-.5), .2, 120, &stopSign{2.1 + .3*r.Float64(), .9})
	case 1, 3:
		c.zebra = true
		green := speed * (1.5 + 2*r.Float64()) // metres before it when it turns green
		if r.IntN(3) == 0 {
			green = math.Inf(1)
		}
		state := func(p *painter, at vec) int {
			switch left := at.z - p.eye.z - green; {
			case left > 6:
				return 0
			case left > 0:
				return 1
			}
			return 2
		}
		rim := r.IntN(2) == 0
		b.add(TrafficLight, corner, 0, .3, 140, &trafficLight{up: 3, rim: rim, size: 1.1, state: state})
		if r.IntN(2) == 0 {
			b.add(TrafficLight, vec{0, 0, z1 + 1}, 0, .3, 140, &trafficLight{up: 5.4, arm: s.right + .6, rim: rim, size: 1.1, state: state})
		} else {
			b.add(TrafficLight, vec{s.left - .6, 0, z0 - 5}, 0, .3, 140, &trafficLight{up: 3, rim: rim, size: 1.1, state: state})
		}
	default:
		c.zebra = r.IntN(2) == 0
	}
	s.crossings = append(s.crossings, c)
	pass := z0 / speed // when the camera is there
	if c.zebra {       // somebody crosses in time before us
		for range 1 + r.IntN(2) {
			side := 1 - 2*r.IntN(2)
			v := 1.1 + .5*r.Float64()
			out := s.right + .5
			if side > 0 {
				out = -s.left + .5
			}
			// Started so that the middle of the road is free again when the camera comes.
			late := pass - 3.5 - 3*r.Float64()
			a := b.add(Pedestrian, vec{}, 0, .3, 110, newPerson(r, side, true, b.w.air.wet > 0))
			a.speed.x = v * float64(side)
			a.at = vec{-float64(side)*out - a.speed.x*(late-(s.right-s.left)/v), 0, z0 - 2.7 + r.Float64()}
		}
	}
	cars := r.IntN(3)
	if r.Float64() > b.lively {
		cars = 0
	}
	for range cars { // and cars in the crossing street
		side := 1 - 2*r.IntN(2)
		v := 7 + 3*r.Float64()
		z := z0 + (z1-z0)*(.5+.22*float64(side))
		at := pass - 3 - 3*r.Float64() // when it is in the middle
		a := b.add(Car, vec{}, math.Pi/2*float64(side), 1, 130, newCar(r))
		a.speed.x = v * float64(side)
		a.at = vec{-a.speed.x * at, 0, z}
	}
}

// traffic adds cars that drive along the street, with us and towards us.
func (b *builder) traffic(speed, seconds float64) {
	r := b.r
	busy := 40 / b.lively // metres from car to car
	for z := busy * r.Float64(); z < speed*seconds*2+ahead; z += busy * (.4 + r.Float64()) {
		a := b.add(Car, vec{-3.5, 0, z}, math.Pi, 2.4, 170, newCar(r))
		a.speed.z = -speed * .85
	}
	if r.Float64() < .4*b.lively { // one that we follow, and do not catch
		a := b.add(Car, vec{0, 0, 14 + 12*r.Float64()}, 0, 2.4, 170, newCar(r))
		a.speed.z = speed * 1.02
	}
}
