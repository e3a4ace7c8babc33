//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gocv.io/x/gocv"
)

// EncodeJPEG returns h rows of w BGR pixels as a JPEG file of quality 1 to 100.
func EncodeJPEG(w, h int, bgr []byte, quality int) ([]byte, error) {
	return encode(gocv.JPEGFileExt, w, h, bgr, []int{gocv.IMWriteJpegQuality, max(1, min(quality, 100))})
}

// EncodePNG returns h rows of w BGR pixels as a PNG file, compressed quickly.
func EncodePNG(w, h int, bgr []byte) ([]byte, error) {
	return encode(gocv.PNGFileExt, w, h, bgr, []int{gocv.IMWritePngCompression, 1})
}

// EncodeFile writes a picture as JPEG (quality 92) or PNG, as the name says. The
// file appears under its name when it is complete.
func EncodeFile(path string, w, h int, bgr []byte) error {
	var data []byte
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jpg", ".jpeg":
		data, err = EncodeJPEG(w, h, bgr, 92)
	case ".png":
		data, err = EncodePNG(w, h, bgr)
	default:
		err = errors.New("opencv: pictures are written as .jpg, .jpeg or .png")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	part := path + ".part"
	if err = os.WriteFile(part, data, 0o666); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		os.Remove(part)
		return fmt.Errorf("opencv: %w", err)
	}
	return nil
}

func encode(ext gocv.FileExt, w, h int, bgr []byte, params []int) ([]byte, error) {
	var v views
	defer v.done()
	m, err := v.bgr(bgr, w, h, 3*w)
	if err != nil {
		return nil, fmt.Errorf("opencv: encode: %w", err)
	}
	buf, err := gocv.IMEncodeWithParams(ext, *m, params)
	if err != nil {
		return nil, fmt.Errorf("opencv: encode: %w", err)
	}
	defer buf.Close()
	if buf.Len() == 0 {
		return nil, errors.New("opencv: encode: OpenCV wrote nothing")
	}
	return append([]byte(nil), buf.GetBytes()...), nil
}
