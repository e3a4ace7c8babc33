package hil

import (
	"math/rand/v2"

	"perceive/camera"
	"perceive/camera/opencv"
)

// spoiler does to pictures what the faults say. It belongs to one goroutine.
type spoiler struct {
	rand *rand.Rand
	soft opencv.Softener
	fit  opencv.Fitter
}

// under spoils the world behind the glass: the frame code stays readable on top.
func (s *spoiler) under(f *camera.Frame, kind string, amount float64) error {
	switch kind {
	case "blur":
		return s.soft.Focus(f.Pix, f.Width, f.Height, or(amount, 0.5)*float64(f.Width)/40)
	case "noise":
		most := or(amount, 0.3) * 255
		for i := range f.Pix {
			f.Pix[i] = clamp(float64(f.Pix[i]) + (s.rand.Float64()*2-1)*most)
		}
	case "occlude":
		// Something that is near and out of focus: one dark colour with a little grain.
		rows := min(f.Height, int(or(amount, 1)*float64(f.Height)))
		for i := range f.Pix[:rows*f.Stride] {
			f.Pix[i] = byte(52 + s.rand.IntN(3))
		}
	case "colour_cast":
		a := or(amount, 0.6)
		for i := 0; i+2 < len(f.Pix); i += 3 {
			f.Pix[i] = clamp(float64(f.Pix[i]) * (1 - a))
			f.Pix[i+2] = clamp(float64(f.Pix[i+2])*(1-a) + 255*a)
		}
	}
	return nil
}

// over spoils all that comes through the glass, the code too.
func (s *spoiler) over(f *camera.Frame, kind string) {
	var v byte
	switch kind {
	case "black":
		v = 2
	case "saturate":
		v = 253
	default:
		return
	}
	for i := range f.Pix {
		f.Pix[i] = v + byte(s.rand.IntN(3))
	}
}

// resized is the picture in another size.
func (s *spoiler) resized(f *camera.Frame, scale float64) (*camera.Frame, error) {
	w, h := max(240, int(float64(f.Width)*scale)), max(64, int(float64(f.Height)*scale))
	out := camera.NewFrame(w, h, nil)
	s.fit.How = camera.Letterbox
	_, err := s.fit.Fit(out.Pix, w, h, 0, f)
	return out, err
}

// bytes spoils an encoded picture.
func (s *spoiler) bytes(jpeg []byte, kind string) []byte {
	switch kind {
	case "truncate":
		return jpeg[:len(jpeg)/2]
	case "corrupt":
		out := append([]byte(nil), jpeg...)
		for range 1 + len(out)/200 {
			out[2+s.rand.IntN(len(out)-2)] ^= byte(1 + s.rand.IntN(255))
		}
		return out
	}
	return jpeg
}

func or(v, other float64) float64 {
	if v == 0 {
		return other
	}
	return v
}

func clamp(v float64) byte { return byte(min(max(v, 0), 255)) }
