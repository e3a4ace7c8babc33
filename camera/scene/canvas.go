package scene

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// pt is a point of the picture in pixels, y down.
type pt struct{ x, y float32 }

// rgb is a colour with components from 0 to 1; more than 1 saturates.
type rgb struct{ r, g, b float32 }

func (c rgb) mul(k float32) rgb          { return rgb{c.r * k, c.g * k, c.b * k} }
func (c rgb) times(d rgb) rgb            { return rgb{c.r * d.r, c.g * d.g, c.b * d.b} }
func (c rgb) add(d rgb) rgb              { return rgb{c.r + d.r, c.g + d.g, c.b + d.b} }
func (c rgb) mix(d rgb, t float32) rgb   { return c.mul(1 - t).add(d.mul(t)) }
func (c rgb) bytes() (b, g, r int)       { return level(c.b), level(c.g), level(c.r) }
func level(f float32) int                { return int(min(max(f, 0), 1)*255 + 0.5) }
func grey(f float32) rgb                 { return rgb{f, f, f} }
func over(dst byte, src, alpha int) byte { return byte(int(dst) + ((src-int(dst))*alpha)>>8) }

// canvas is a picture of interleaved blue, green and red bytes without gaps, and
// the drawing on it: antialiased polygons, soft spots and parts of rows.
type canvas struct {
	w, h int
	pix  []byte
	// owner holds, where truth is asked for, the number of the object that each
	// pixel shows, 0 for the rest of the world. touched counts the pixels each
	// object was drawn on, hidden again or not.
	owner   []uint16
	touched []int
	id      uint16 // the object being drawn

	ras  vector.Rasterizer
	mask image.Alpha
	clip [2][]pt
}

// fill paints the inside of a polygon. It returns the rectangle that holds the
// polygon's part of the picture; empty when there is none.
func (c *canvas) fill(poly []pt, col rgb, alpha float32) (x0, y0, x1, y1 float32) {
	poly = c.clipped(poly)
	if len(poly) < 3 {
		return 0, 0, 0, 0
	}
	x0, y0, x1, y1 = bounds(poly)
	left, top := int(x0), int(y0)
	w, h := min(c.w, int(x1)+1)-left, min(c.h, int(y1)+1)-top
	if w <= 0 || h <= 0 {
		return 0, 0, 0, 0
	}
	c.ras.Reset(w, h)
	c.ras.DrawOp = draw.Src
	fx, fy := float32(left), float32(top)
	c.ras.MoveTo(poly[0].x-fx, poly[0].y-fy)
	for _, p := range poly[1:] {
		c.ras.LineTo(p.x-fx, p.y-fy)
	}
	c.ras.ClosePath()
	if cap(c.mask.Pix) < w*h {
		c.mask.Pix = make([]byte, w*h)
	}
	c.mask = image.Alpha{Pix: c.mask.Pix[:w*h], Stride: w, Rect: image.Rect(0, 0, w, h)}
	c.ras.Draw(&c.mask, c.mask.Rect, image.Opaque, image.Point{})
	c.blend(left, top, w, h, col, alpha)
	return x0, y0, x1, y1
}

// blend lays a colour over the w×h pixels at (left, top) where the mask says.
func (c *canvas) blend(left, top, w, h int, col rgb, alpha float32) {
	b, g, r := col.bytes()
	strength := int(min(max(alpha, 0), 1) * 256)
	for y := range h {
		row := c.mask.Pix[y*w : y*w+w]
		at := (top+y)*c.w + left
		pix := c.pix[3*at : 3*(at+w)]
		for x, m := range row {
			if m == 0 {
				continue
			}
			a := (int(m) + int(m)>>7) * strength >> 8
			p := pix[3*x : 3*x+3 : 3*x+3]
			p[0], p[1], p[2] = over(p[0], b, a), over(p[1], g, a), over(p[2], r, a)
		}
		// A veil of rain or shadow does not hide what is below it.
		if c.owner != nil && strength > 128 {
			c.own(row, c.owner[at:at+w])
		}
	}
}

func (c *canvas) own(mask []byte, owner []uint16) {
	for x, m := range mask {
		if m >= 128 && owner[x] != c.id {
			owner[x] = c.id
			c.touched[c.id]++
		}
	}
}

// soft lays a colour over an ellipse, with alpha in its middle and nothing at its
// rim. With light it is added instead: a lamp's halo.
func (c *canvas) soft(cx, cy, rx, ry float32, col rgb, alpha float32, light bool) {
	y0, y1 := max(0, int(cy-ry)), min(c.h-1, int(cy+ry))
	cb, cg, cr := col.bytes()
	for y := y0; y <= y1; y++ {
		dy := (float32(y) + 0.5 - cy) / ry
		half := 1 - dy*dy
		if half <= 0 {
			continue
		}
		reach := rx * float32(math.Sqrt(float64(half)))
		x0, x1 := max(0, int(cx-reach)), min(c.w-1, int(cx+reach))
		for x := x0; x <= x1; x++ {
			dx := (float32(x) + 0.5 - cx) / rx
			k := max(0, half-dx*dx)
			a := int(k * k * 256 * alpha)
			p := c.pix[3*(y*c.w+x) : 3*(y*c.w+x)+3 : 3*(y*c.w+x)+3]
			if light {
				p[0], p[1], p[2] = plus(p[0], cb*a>>8), plus(p[1], cg*a>>8), plus(p[2], cr*a>>8)
			} else {
				p[0], p[1], p[2] = over(p[0], cb, a), over(p[1], cg, a), over(p[2], cr, a)
			}
		}
	}
}

func plus(p byte, d int) byte { return byte(min(255, int(p)+d)) }

// span paints the part of row y from x0 to x1 with smooth ends.
func (c *canvas) span(y int, x0, x1 float64, col rgb, alpha float32) {
	x0, x1 = max(x0, 0), min(x1, float64(c.w))
	if x1 <= x0 || alpha <= 0 {
		return
	}
	b, g, r := col.bytes()
	strength := int(min(alpha, 1) * 256)
	row := c.pix[3*y*c.w : 3*(y+1)*c.w]
	put := func(x, a int) {
		p := row[3*x : 3*x+3 : 3*x+3]
		p[0], p[1], p[2] = over(p[0], b, a), over(p[1], g, a), over(p[2], r, a)
	}
	first, last := int(x0), int(x1)
	if first == last { // thinner than a pixel
		put(first, int(float64(strength)*(x1-x0)))
		return
	}
	put(first, int(float64(strength)*(float64(first+1)-x0)))
	for x := first + 1; x < last; x++ {
		put(x, strength)
	}
	if last < c.w {
		put(last, int(float64(strength)*(x1-float64(last))))
	}
}

// clipped cuts a polygon to the picture, side by side (Sutherland and Hodgman),
// so that the rasteriser never sees a far-away corner.
func (c *canvas) clipped(poly []pt) []pt {
	x0, y0, x1, y1 := bounds(poly)
	w, h := float32(c.w), float32(c.h)
	if x1 <= 0 || y1 <= 0 || x0 >= w || y0 >= h {
		return nil
	}
	if x0 >= 0 && y0 >= 0 && x1 <= w && y1 <= h {
		return poly
	}
	a, b := append(c.clip[0][:0], poly...), c.clip[1]
	for side := range 4 {
		b = b[:0]
		// in is how far a point is inside of this side.
		in := func(p pt) float32 { return [4]float32{p.x, w - p.x, p.y, h - p.y}[side] }
		for i, p := range a {
			q := a[(i+1)%len(a)]
			dp, dq := in(p), in(q)
			if dp >= 0 {
				b = append(b, p)
			}
			if (dp >= 0) != (dq >= 0) {
				t := dp / (dp - dq)
				b = append(b, pt{p.x + t*(q.x-p.x), p.y + t*(q.y-p.y)})
			}
		}
		a, b = b, a
	}
	for i := range a { // rounding may leave a corner a hair outside
		a[i] = pt{min(max(a[i].x, 0), w), min(max(a[i].y, 0), h)}
	}
	c.clip = [2][]pt{a, b}
	return a
}

func bounds(poly []pt) (x0, y0, x1, y1 float32) {
	if len(poly) == 0 {
		return
	}
	x0, y0, x1, y1 = poly[0].x, poly[0].y, poly[0].x, poly[0].y
	for _, p := range poly[1:] {
		x0, y0, x1, y1 = min(x0, p.x), min(y0, p.y), max(x1, p.x), max(y1, p.y)
	}
	return
}
