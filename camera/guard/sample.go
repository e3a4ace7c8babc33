package guard

import "perceive/camera"

// A picture is looked at in columns × rows places, evenly spread: enough to tell what is wrong
// with all of it, at a hundredth of the cost of looking at every pixel.
const (
	columns = 64
	rows    = 36
	places  = columns * rows
)

// sample is what is looked at of one picture.
type sample struct {
	width, height int
	light         [places]uint8 // luma, 0 to 255
	level         [256]uint16   // how many places have which luma
	edge          [256]uint16   // how many have which step across edgeStep pixels
}

// take looks at a frame. Steps are measured between pixels a 320th of the width apart, so that a
// picture has about the same ones at any size.
func (s *sample) take(f *camera.Frame) {
	s.width, s.height = f.Width, f.Height
	s.level, s.edge = [256]uint16{}, [256]uint16{}
	step := max(1, f.Width/320)
	i := 0
	for r := range rows {
		y := (2*r + 1) * f.Height / (2 * rows)
		line := f.Pix[y*f.Stride:][:3*f.Width]
		for c := range columns {
			x := (2*c + 1) * f.Width / (2 * columns)
			here := luma(line, x)
			there := luma(line, min(x+step, f.Width-1))
			s.light[i] = here
			s.level[here]++
			if here > there {
				s.edge[here-there]++
			} else {
				s.edge[there-here]++
			}
			i++
		}
	}
}

// luma is a pixel's brightness: ITU-R BT.601's weights in 256ths.
func luma(line []byte, x int) uint8 {
	p := line[3*x : 3*x+3 : 3*x+3]
	return uint8((29*uint32(p[0]) + 150*uint32(p[1]) + 77*uint32(p[2])) >> 8)
}

// below is the value that a part of the places does not pass.
func below(count *[256]uint16, part float64) int {
	need := int(part * places)
	sum := 0
	for v, n := range count {
		if sum += int(n); sum > need {
			return v
		}
	}
	return 255
}

// difference is the mean difference of two pictures' places, 0 to 255; pictures of another size
// differ by 255.
func difference(a, b *sample) float64 {
	if a.width != b.width || a.height != b.height {
		return 255
	}
	sum := 0
	for i, v := range a.light {
		d := int(v) - int(b.light[i])
		sum += max(d, -d)
	}
	return float64(sum) / places
}
