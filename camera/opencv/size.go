//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"image/png"
	"os"
)

// SizeFile is the size of the picture that DecodeFile gives, from the headers alone where
// they say it: a picture that is damaged further on may have one. Errors are DecodeFile's.
func SizeFile(path string) (w, h int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, fmt.Errorf("opencv: %w", err)
	}
	if w, h, ok := headerSize(data); ok {
		return w, h, nil
	}
	w, h, _, err = copied(data)
	if err != nil {
		return 0, 0, fmt.Errorf("opencv: decode %s: %w", path, err)
	}
	return w, h, nil
}

// headerSize reads JPEG and PNG. ok is false for all else, and for a picture with Exif data:
// that may turn it by a quarter.
func headerSize(data []byte) (w, h int, ok bool) {
	if bytes.Contains(data, []byte("Exif")) || bytes.Contains(data, []byte("eXIf")) {
		return 0, 0, false
	}
	read := png.DecodeConfig
	if isJPEG(data) {
		if checkJPEG(data) != nil {
			return 0, 0, false
		}
		read = jpeg.DecodeConfig
	}
	c, err := read(bytes.NewReader(data))
	return c.Width, c.Height, err == nil
}
