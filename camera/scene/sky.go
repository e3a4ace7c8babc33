package scene

import "math"

// sky paints the rows above the horizon, stars, clouds and the far skyline.
// What is in it depends on seed alone and turns a little with the street.
func (p *painter) sky(seed uint64) {
	w, h := float64(p.canvas.w), float64(p.canvas.h)
	end := min(p.canvas.h, max(0, int(p.cy)+1))
	for y := range end {
		up := math.Sqrt(min(1, (p.cy-float64(y))/(0.75*h)))
		p.span(y, 0, w, p.air.horizon.mix(p.air.top, float32(up)), 1)
	}
	if p.air.light == "night" && p.air.weather == "clear" {
		for i := range 60 {
			x, y := int(chance(seed, i, 1)*w), int(chance(seed, i, 2)*p.cy)
			if y < end && y >= 0 {
				p.span(y, float64(x), float64(x)+1, white, 0.25+0.5*float32(chance(seed, i, 3)))
			}
		}
	}
	// A cloud is a heap of soft spots, flat at its foot.
	col := p.air.horizon.mix(white, 0.6*(1-p.air.lamps)).mul(1 - 0.3*p.air.wet)
	for i := range p.air.clouds {
		x := chance(seed, i, 4)*1.4*w - 0.2*w + p.bend*3e4
		y := p.cy - (0.12+0.8*chance(seed, i, 5))*0.5*h
		size := (0.05 + 0.06*chance(seed, i, 6)) * w
		for j := range 5 {
			t := float64(j-2) / 2
			r := size * (1 - 0.4*t*t)
			lift := (0.15 + 0.25*chance(seed, i, 40+j)) * r
			p.soft(float32(x+t*size*1.3), float32(y-lift), float32(r), float32(0.3*r+0.5*lift), col, 0.9, false)
		}
	}
	// Far houses, two rows of them, paler than anything near.
	for layer := range 2 {
		col := p.air.mist.mix(p.air.lit(rgb{0.35, 0.37, 0.42}, vec{0, 0, -1}, vec{}), 0.25+0.2*float32(layer))
		x := -0.1*w + p.bend*4e4*w/1280
		for i := 0; x < 1.2*w; i++ {
			wide := (0.02 + 0.05*chance(seed, i, 10+layer)) * w
			tall := (0.01 + 0.07*math.Pow(chance(seed, i, 20+layer), 2)) * h / float64(1+layer)
			x0, x1, y0, y1 := float32(x), float32(x+wide), float32(p.cy-tall), float32(p.cy+1)
			p.fill([]pt{{x0, y1}, {x0, y0}, {x1, y0}, {x1, y1}}, col, 1)
			x += wide
		}
	}
}

// rain draws streaks over the finished picture, other ones in each frame.
func (p *painter) rain() {
	if p.air.wet == 0 {
		return
	}
	w, h := p.canvas.w, p.canvas.h
	col := p.air.horizon.mix(white, 0.5)
	n := 110 + w/6
	for i := range n {
		x, y := chance(p.seq, i, 31)*float64(w)*1.1, chance(p.seq, i, 32)*float64(h)*1.1-0.1*float64(h)
		depth := chance(p.seq, i, 33) // 0 is far
		long := int(float64(h) * (0.02 + 0.06*depth*depth))
		alpha := float32(0.10 + 0.22*depth)
		thick := max(0.7, float64(w)/900*(0.5+depth))
		slope := 0.12 + 0.25*(x/float64(w)-0.5) // away from the middle, as the car drives into it
		for j := range long {
			if row := int(y) + j; row >= 0 && row < h {
				at := x + slope*float64(j)
				p.span(row, at, at+thick, col, alpha)
			}
		}
	}
}

// noise adds the sensor's grain: stronger when the picture was taken in the dark.
func (p *painter) noise() {
	strength := int(12 + 12*p.air.lamps)
	at := mix64(p.seq + 77)
	for y := range p.canvas.h {
		row := p.pix[3*y*p.canvas.w : 3*(y+1)*p.canvas.w]
		line := texture[(y+int(at&255))&255<<8:][:256]
		// Rows 256 apart must not match: each starts elsewhere in its line.
		u := byte(at>>8) + byte(mix64(uint64(y)+at))
		for i := 0; i+2 < len(row); i += 3 {
			d := int(line[u]) * strength >> 8
			u++
			row[i], row[i+1], row[i+2] = clampAdd(row[i], d), clampAdd(row[i+1], d), clampAdd(row[i+2], d)
		}
	}
}

func clampAdd(p byte, d int) byte { return byte(min(255, max(0, int(p)+d))) }
