//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"image"
	"runtime"
	"unsafe"

	"gocv.io/x/gocv"
)

// views lays Mats over memory that OpenCV does not own. C++ keeps the address
// for longer than one call, so Go memory stays pinned until done.
type views struct {
	mats [8]gocv.Mat
	n    int
	pin  runtime.Pinner
}

// bgr lays a w×h picture with 3 bytes a pixel over pix; rows are stride bytes apart.
// The Mat is valid until done. pix must hold h rows.
func (v *views) bgr(pix []byte, w, h, stride int) (*gocv.Mat, error) {
	if w <= 0 || h <= 0 || stride < 3*w || len(pix) < (h-1)*stride+3*w {
		return nil, fmt.Errorf("a %d×%d BGR picture with rows of %d bytes does not fit %d bytes", w, h, stride, len(pix))
	}
	v.pin.Pin(unsafe.SliceData(pix))
	if stride == 3*w {
		m, err := gocv.NewMatFromBytes(h, w, gocv.MatTypeCV8UC3, pix)
		return v.keep(m), err
	}
	// GoCV cannot say a stride, so the rows are laid out as bytes, cut to width
	// and seen as pixels. The header's last row may reach past pix, nobody reads there.
	m, err := gocv.NewMatFromBytes(h, stride, gocv.MatTypeCV8UC1, pix)
	if err != nil {
		return nil, err
	}
	rows := v.keep(m).Region(image.Rect(0, 0, 3*w, h))
	return v.keep(v.keep(rows).Reshape(3, h)), nil
}

// region is a part of a Mat, of the same memory.
func (v *views) region(m *gocv.Mat, r image.Rectangle) *gocv.Mat {
	return v.keep(m.Region(r))
}

func (v *views) keep(m gocv.Mat) *gocv.Mat {
	v.mats[v.n] = m
	v.n++
	return &v.mats[v.n-1]
}

// done closes the headers and unpins the memory under them.
func (v *views) done() {
	for i := range v.mats[:v.n] {
		v.mats[i].Close()
	}
	v.n = 0
	v.pin.Unpin()
}
