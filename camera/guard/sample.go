package guard

import (
	"encoding/binary"

	"perceive/camera"
)

// The sample: blocks spread evenly over the picture, side×side pixels each, step pixels
// apart so that the blocks see the same part of a scene at any resolution.
const (
	columns, rows = 16, 9
	blocks        = columns * rows
	side          = 8
	// fineHeight is the height of a picture, in pixels, whose neighbouring pixels are looked
	// at; of one of twice the height it is every second, and so on.
	fineHeight = 480
	// patch is the side of the parts of a block whose brightness is compared over time.
	patch       = 4
	patches     = (side / patch) * (side / patch)
	patchPixels = patch * patch
	// edges is how many pixels of a block have four neighbours in it.
	edges = (side - 2) * (side - 2) / 2
)

// geometry is what the places of the blocks depend on.
type geometry struct{ width, height, stride int }

// sample is what is known of one picture.
type sample struct {
	of    geometry
	step  int
	start [blocks]int // the offset of each block's first pixel in Pix

	// bright counts the pixels of every second row and column by their brightness, 0 to 255.
	bright [256]uint32
	// detail is each block's mean squared difference between a pixel's brightness and its
	// four neighbours': sharp edges and noise are high in it, what is smooth is near zero.
	detail [blocks]float32
	// patches are sums of brightness.
	patches [blocks * patches]uint16

	order [blocks]float32 // to sort in
}

// counted is how many pixels bright counts.
const counted = blocks * side * side / 4

// plan places the blocks. It is false for pictures too small to have one.
func (s *sample) plan(g geometry) bool {
	s.of = g
	s.step = max(1, g.height/fineHeight)
	span := (side-1)*s.step + 1
	if g.width <= span || g.height < span || g.stride < 3*g.width {
		return false
	}
	for i := range s.start {
		x := (g.width - span - 1) * (i % columns) / (columns - 1)
		y := (g.height - span) * (i / columns) / (rows - 1)
		s.start[i] = y*g.stride + 3*x
	}
	return true
}

// look takes the sample of a frame. It is false if there is nothing to be sampled.
func (s *sample) look(f *camera.Frame) bool {
	if g := (geometry{f.Width, f.Height, f.Stride}); g != s.of && !s.plan(g) {
		s.of = geometry{}
		return false
	}
	if len(f.Pix) < f.Height*f.Stride {
		return false
	}
	clear(s.bright[:])
	for i := range s.start {
		s.block(i, f.Pix[s.start[i]:])
	}
	return true
}

// block looks at the block that begins with pix. Brightness is (B+2G+R)/4: near enough to luma,
// and a third of the cost.
func (s *sample) block(n int, pix []byte) {
	var luma [side][side]int32
	at, next := 3*s.step, s.step*s.of.stride
	for y := range luma {
		row := pix[y*next:]
		row = row[:(side-1)*at+4]
		to := &luma[y]
		for x, i := 0, 0; x < side; x, i = x+1, i+at {
			bgr := binary.LittleEndian.Uint32(row[i:])
			to[x] = int32(bgr&255+bgr>>7&510+bgr>>16&255) >> 2
		}
	}
	for y := 0; y < side; y += 2 {
		for x := 0; x < side; x += 2 {
			s.bright[luma[y][x]&255]++
		}
	}
	var sum [patches]int32
	for y := range luma {
		l := &luma[y]
		k := y / patch * 2
		sum[k] += l[0] + l[1] + l[2] + l[3]
		sum[k+1] += l[4] + l[5] + l[6] + l[7]
	}
	for k, v := range sum {
		s.patches[n*patches+k] = uint16(v)
	}
	var energy int32
	for y := 1; y < side-1; y++ {
		up, mid, down := &luma[y-1], &luma[y], &luma[y+1]
		for x := 1 + y&1; x < side-1; x += 2 {
			d := 4*mid[x] - up[x] - down[x] - mid[x-1] - mid[x+1]
			energy += d * d
		}
	}
	s.detail[n] = float32(energy) / (16 * edges)
}
