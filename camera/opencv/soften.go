//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"image"
	"math"
	"unsafe"

	"gocv.io/x/gocv"
)

// Softener spoils pictures as cameras do, for augmentation: out of focus, moved, and
// compressed. The zero value is ready; a Softener belongs to one goroutine.
type Softener struct {
	from  []byte // the picture before
	line  [maxMotion * maxMotion]float32
	views views
}

// maxMotion bounds the kernel of Motion, in pixels; odd.
const maxMotion = 31

// Focus blurs h rows of w BGR pixels in place, by a Gaussian of some pixels'
// standard deviation.
func (s *Softener) Focus(pix []byte, w, h int, sigma float64) error {
	return s.filter("focus", pix, w, h, sigma, func(from, to *gocv.Mat) error {
		return gocv.GaussianBlur(*from, to, image.Pt(0, 0), sigma, sigma, gocv.BorderReplicate)
	})
}

// Motion blurs along a direction, 0 to the right and π/2 downwards: as if the camera had
// moved while the shutter was open, spreading a point with this standard deviation.
func (s *Softener) Motion(pix []byte, w, h int, sigma, angle float64) error {
	return s.filter("motion", pix, w, h, sigma, func(from, to *gocv.Mat) error {
		n := s.stroke(sigma, angle)
		s.views.pin.Pin(&s.line)
		kernel, err := gocv.NewMatFromBytes(n, n, gocv.MatTypeCV32FC1, unsafe.Slice((*byte)(unsafe.Pointer(&s.line)), 4*n*n))
		if err != nil {
			return err
		}
		return gocv.Filter2D(*from, to, -1, *s.views.keep(kernel), image.Pt(-1, -1), 0, gocv.BorderReplicate)
	})
}

// stroke writes an n×n kernel: a line through the middle, spread over the pixels it passes.
func (s *Softener) stroke(sigma, angle float64) (n int) {
	half := sigma * math.Sqrt(3) // a uniform line of this half length has that standard deviation
	n = min(maxMotion, 2*int(math.Ceil(half))+1)
	clear(s.line[:])
	const points = 64
	for i := range points {
		at := half * (2*(float64(i)+0.5)/points - 1)
		x, y := float64(n/2)+at*math.Cos(angle), float64(n/2)+at*math.Sin(angle)
		x0, y0 := int(math.Floor(x)), int(math.Floor(y))
		fx, fy := x-float64(x0), y-float64(y0)
		for _, p := range [4]struct {
			x, y int
			v    float64
		}{{x0, y0, (1 - fx) * (1 - fy)}, {x0 + 1, y0, fx * (1 - fy)}, {x0, y0 + 1, (1 - fx) * fy}, {x0 + 1, y0 + 1, fx * fy}} {
			px, py := max(0, min(n-1, p.x)), max(0, min(n-1, p.y))
			s.line[py*n+px] += float32(p.v / points)
		}
	}
	return n
}

func (s *Softener) filter(what string, pix []byte, w, h int, sigma float64, apply func(from, to *gocv.Mat) error) error {
	if !(sigma > 0 && sigma <= 100) {
		return fmt.Errorf("opencv: %s: a standard deviation of %g pixels, want above 0, at most 100", what, sigma)
	}
	defer s.views.done()
	to, err := s.views.bgr(pix, w, h, 3*w)
	if err == nil {
		s.from = append(s.from[:0], pix...)
		var from *gocv.Mat
		if from, err = s.views.bgr(s.from, w, h, 3*w); err == nil {
			err = apply(from, to)
		}
	}
	return prefixed(err, "opencv: "+what)
}

// JPEG compresses h rows of w BGR pixels with a quality of 1 to 100, and puts back what is
// left of them.
func (s *Softener) JPEG(pix []byte, w, h, quality int) error {
	return prefixed(s.jpeg(pix, w, h, quality), "opencv: compress")
}

func (s *Softener) jpeg(pix []byte, w, h, quality int) error {
	defer s.views.done()
	m, err := s.views.bgr(pix, w, h, 3*w)
	if err != nil {
		return err
	}
	buf, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, *m, jpegQuality(quality))
	if err != nil {
		buf.Close() // GoCV returns an object with the error
		return err
	}
	defer buf.Close()
	// OpenCV decodes into memory of the right size and type where it lies.
	if err := gocv.IMDecodeIntoMat(buf.GetBytes(), gocv.IMReadColor, m); err != nil {
		return err
	}
	if got, err := m.DataPtrUint8(); err != nil || unsafe.SliceData(got) != unsafe.SliceData(pix) {
		return errors.Join(errors.New("OpenCV decoded to other memory"), err)
	}
	return nil
}
