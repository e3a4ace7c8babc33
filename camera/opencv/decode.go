//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"os"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// Reasons why bytes are not a picture. Errors of Decode and DecodeFile wrap one
// of them, or camera.ErrTruncated, or what the operating system says.
var (
	ErrEmpty       = errors.New("empty file")
	ErrNotPicture  = errors.New("not a picture that can be read here (JPEG, PNG, BMP, WebP and TIFF can)")
	ErrUnsupported = errors.New("unsupported picture")
)

// Decode turns the bytes of a picture file into h rows of w pixels, 8-bit BGR.
//
// Whatever the file holds is converted as OpenCV does it: 16 bits are cut to the upper 8,
// grey and palettes become BGR, transparency is dropped (not blended), an EXIF
// orientation is applied, so that the picture stands upright. CMYK and YCCK JPEGs
// are converted when Adobe's marker says how the inks are stored; without the
// marker the colours would be a guess, and the picture is refused.
func Decode(data []byte) (w, h int, bgr []byte, err error) {
	w, h, bgr, err = copied(data)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("opencv: decode: %w", err)
	}
	return w, h, bgr, nil
}

// DecodeFile is Decode of a file; its errors name the file.
func DecodeFile(path string) (w, h int, bgr []byte, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("opencv: %w", err)
	}
	w, h, bgr, err = copied(data)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("opencv: decode %s: %w", path, err)
	}
	return w, h, bgr, nil
}

// copied decodes and moves the pixels out of the Mat, whose memory goes with it.
func copied(data []byte) (w, h int, bgr []byte, err error) {
	m := gocv.NewMat()
	defer m.Close()
	if err := decode(data, &m); err != nil {
		return 0, 0, nil, err
	}
	bgr, err = m.DataPtrUint8()
	if err != nil {
		return 0, 0, nil, err
	}
	return m.Cols(), m.Rows(), append([]byte(nil), bgr...), nil
}

// decode decodes into m, which must be fresh: GoCV drops OpenCV's verdict, and a
// picture that fails leaves what m held before.
func decode(data []byte, m *gocv.Mat) error {
	if len(data) == 0 {
		return ErrEmpty
	}
	if isJPEG(data) {
		if err := checkJPEG(data); err != nil {
			return err
		}
	}
	// The variant that takes a Mat reports a C++ exception as its own result;
	// the other one leaves it in a variable that all goroutines share.
	if err := gocv.IMDecodeIntoMat(data, gocv.IMReadColor, m); err != nil {
		return fmt.Errorf("%w: %v", ErrUnsupported, err)
	}
	if m.Empty() {
		if known(data) {
			return fmt.Errorf("the picture is damaged or %w", camera.ErrTruncated)
		}
		return ErrNotPicture
	}
	if m.Type() != gocv.MatTypeCV8UC3 {
		return fmt.Errorf("%w: OpenCV gives pixels of type %v", ErrUnsupported, m.Type())
	}
	return nil
}
