//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"gocv.io/x/gocv"
)

// EncodeJPEG returns h rows of w BGR pixels as a JPEG file of quality 1 to 100.
func EncodeJPEG(w, h int, bgr []byte, quality int) ([]byte, error) {
	data, err := encode(gocv.JPEGFileExt, w, h, bgr, jpegQuality(quality))
	return data, prefixed(err, "opencv: encode")
}

// EncodePNG returns h rows of w BGR pixels as a PNG file, compressed quickly.
func EncodePNG(w, h int, bgr []byte) ([]byte, error) {
	data, err := encode(gocv.PNGFileExt, w, h, bgr, quickPNG())
	return data, prefixed(err, "opencv: encode")
}

// EncodeFile writes a picture as JPEG (quality 92) or PNG, as the name says. The
// file appears under its name when it is complete; until then the name keeps what it had.
func EncodeFile(path string, w, h int, bgr []byte) error {
	return prefixed(encodeFile(path, w, h, bgr), "opencv: encode "+path)
}

func encodeFile(path string, w, h int, bgr []byte) error {
	var data []byte
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jpg", ".jpeg":
		data, err = encode(gocv.JPEGFileExt, w, h, bgr, jpegQuality(92))
	case ".png":
		data, err = encode(gocv.PNGFileExt, w, h, bgr, quickPNG())
	default:
		err = errors.New("pictures are written as .jpg, .jpeg or .png")
	}
	if err != nil {
		return err
	}
	err = renameio.WriteFile(path, data, 0o644)
	if reason := errors.Unwrap(err); reason != nil {
		return reason // without the name of the file beside it
	}
	return err
}

func jpegQuality(q int) []int { return []int{gocv.IMWriteJpegQuality, max(1, min(q, 100))} }

func quickPNG() []int { return []int{gocv.IMWritePngCompression, 1} }

func prefixed(err error, prefix string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	return nil
}

// AppendJPEG appends h rows of w BGR pixels, as a JPEG file of quality 1 to 100, to dst.
func AppendJPEG(dst []byte, w, h int, bgr []byte, quality int) ([]byte, error) {
	data, err := appendEncoded(dst, gocv.JPEGFileExt, w, h, bgr, jpegQuality(quality))
	return data, prefixed(err, "opencv: encode")
}

func encode(ext gocv.FileExt, w, h int, bgr []byte, params []int) ([]byte, error) {
	return appendEncoded(nil, ext, w, h, bgr, params)
}

func appendEncoded(dst []byte, ext gocv.FileExt, w, h int, bgr []byte, params []int) ([]byte, error) {
	var v views
	defer v.done()
	m, err := v.bgr(bgr, w, h, 3*w)
	if err != nil {
		return dst, err
	}
	buf, err := gocv.IMEncodeWithParams(ext, *m, params)
	if err != nil {
		buf.Close() // GoCV returns an object with the error
		return dst, err
	}
	defer buf.Close()
	if buf.Len() == 0 {
		return dst, errors.New("OpenCV wrote nothing")
	}
	return append(dst, buf.GetBytes()...), nil
}
