package dataset

import (
	"math"
	"math/rand/v2"
	"sync"
)

// colour changes a picture's light in place: one look-up table per channel, and
// saturation towards the pixel's own grey. All in integers with 6 bits behind the
// point: this is most of what an augmentation costs.
func (a Augment) colour(rng *rand.Rand, pix []byte) {
	if a.Brightness == 0 && a.Contrast == 0 && a.Saturation == 0 && a.Tint == 0 && a.Night == 0 {
		return
	}
	gain := uniform(rng, 1-a.Brightness, 1+a.Brightness)
	contrast := uniform(rng, 1-a.Contrast, 1+a.Contrast)
	gamma := 1.0
	if rng.Float64() < a.Night {
		gamma = uniform(rng, 0.7, 2.2)
	}
	mean := meanOf(pix) * gain
	var lut [3][256]int32
	for c := range lut {
		tint := uniform(rng, 1-a.Tint, 1+a.Tint)
		for v := range lut[c] {
			x := (float64(v)*gain-mean)*contrast + mean
			x = math.Max(0, math.Min(255, x*tint))
			if gamma != 1 {
				x = 255 * math.Pow(x/255, gamma)
			}
			lut[c][v] = int32(x*64 + 0.5)
		}
	}
	sat := int32(256 * uniform(rng, 1-a.Saturation, 1+a.Saturation*0.8))
	for i := 0; i+2 < len(pix); i += 3 {
		p := pix[i : i+3 : i+3]
		b, g, r := lut[0][p[0]], lut[1][p[1]], lut[2][p[2]]
		grey := (b + g + r) * 10923 >> 15 // a third
		p[0], p[1], p[2] = byteOf((grey+(b-grey)*sat>>8+32)>>6), byteOf((grey+(g-grey)*sat>>8+32)>>6), byteOf((grey+(r-grey)*sat>>8+32)>>6)
	}
}

func byteOf(v int32) byte { return byte(max(0, min(255, v))) }

// meanOf is the mean of every 13th byte, which all channels share in.
func meanOf(pix []byte) float64 {
	sum, n := 0, 0
	for i := 0; i < len(pix); i += 13 {
		sum += int(pix[i])
		n++
	}
	return float64(sum) / float64(max(1, n))
}

const noiseSize = 1 << 16

// normals are normally distributed, with a standard deviation of 32: drawing them anew for
// every pixel took longer than everything else. The same ones every time, because a seed
// must give the same batch.
var normals = sync.OnceValue(func() *[noiseSize]int8 {
	rng := rand.New(rand.NewPCG(0x6e6f, 0x697365))
	out := new([noiseSize]int8)
	for i := range out {
		out[i] = int8(max(-127, min(127, math.Round(32*rng.NormFloat64()))))
	}
	return out
})

// grain adds grey noise to one picture in five: a row at a time from a drawn place in
// the table.
func (a Augment) grain(rng *rand.Rand, pix []byte, w int) {
	if a.Noise == 0 || rng.Float64() >= 0.2 {
		return
	}
	table, amount := normals(), int32(uniform(rng, 0, a.Noise)*8) // of 256ths, over 32
	for ; len(pix) >= 3*w; pix = pix[3*w:] {
		at := rng.IntN(noiseSize)
		for i := 0; i < 3*w; i += 3 {
			d := (int32(table[(at+i/3)%noiseSize])*amount + 128) >> 8
			p := pix[i : i+3 : i+3]
			p[0], p[1], p[2] = byteOf(int32(p[0])+d), byteOf(int32(p[1])+d), byteOf(int32(p[2])+d)
		}
	}
}
