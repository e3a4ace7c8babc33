package scene

import "math"

// What an object needs to be in the truth; see the package comment.
const (
	minHigh   = 0.03 // of the picture's height
	minPixels = 4
	minInside = 0.35
	minShown  = 0.40
	plenty    = 0.015 // of the picture's area: enough to name what is mostly hidden or outside
)

// truthWidth is the width of the picture that visibility is measured on where the
// frame is larger: a quarter of the work, and a share of an outline hardly changes.
const truthWidth = 640

// TruthAt returns what is in frame seq of the drive. A frame past the end of the
// drive has nothing in it. It panics when c is not valid; Open reports that.
func (c Config) TruthAt(seq uint64) Truth {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		panic("scene: " + err.Error())
	}
	w := newDrive(c)
	if seq >= uint64(c.frames()) {
		return newTruth(&w.air)
	}
	scale := max(1, float64(c.Width)/truthWidth)
	p := newPainter(int(math.Round(float64(c.Width)/scale)), int(math.Round(float64(c.Height)/scale)))
	p.watch()
	p.render(make([]byte, 3*p.canvas.w*p.canvas.h), w, c.time(seq), seq)
	t, _ := p.truth(c.Width, c.Height)
	return t
}

// watch makes the painter note which object each pixel shows.
func (p *painter) watch() { p.owner = make([]uint16, p.canvas.w*p.canvas.h) }

func newTruth(a *air) Truth {
	t := Truth{Labels: map[string]bool{}, Light: a.light, Weather: a.weather}
	for _, l := range Labels() {
		t.Labels[l] = false
	}
	return t
}

// truth judges what was drawn last, for a picture of w×h pixels. unsure lists the
// actors that can be seen but not well enough.
func (p *painter) truth(w, h int) (t Truth, unsure []int) {
	t = newTruth(&p.air)
	shown := make([]int, len(p.touched))
	for _, id := range p.owner {
		shown[id]++
	}
	sx, sy := float64(w)/float64(p.canvas.w), float64(h)/float64(p.canvas.h)
	for i, f := range p.found {
		if !f.seen || shown[i+1] == 0 {
			continue
		}
		b := Box{f.label, float64(f.box[0]) * sx, float64(f.box[1]) * sy, float64(f.box[2]-f.box[0]) * sx, float64(f.box[3]-f.box[1]) * sy}
		inside := area(f.box) / area(f.whole)
		visible := float64(shown[i+1]) / float64(p.touched[i+1])
		large := b.H >= max(minPixels, minHigh*float64(h))
		clear := inside >= minInside && visible >= minShown
		if !large || !clear && float64(shown[i+1]) < plenty*float64(len(p.owner)) {
			unsure = append(unsure, f.index)
			continue
		}
		t.Boxes = append(t.Boxes, b)
		t.Labels[f.label] = true
	}
	return t, unsure
}

func area(b [4]float32) float64 { return float64(b[2]-b[0]) * float64(b[3]-b[1]) }
