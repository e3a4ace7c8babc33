//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"regexp"
	"strings"

	"gocv.io/x/gocv"
)

// v4l2 is what is asked of a camera that the kernel drives; zero is the driver's choice.
type v4l2 struct {
	path               string
	width, height, fps int
	fourcc             string
}

var devicePath = regexp.MustCompile(`^/dev/video[0-9]{1,3}$`)

// parseV4L2 reads "/dev/video0?width=1280&height=720&fps=30&fourcc=MJPG".
func parseV4L2(uri string) (v4l2, error) {
	path, query, _ := strings.Cut(uri, "?")
	d := v4l2{path: path}
	if !devicePath.MatchString(path) {
		return d, fmt.Errorf("device %q: want /dev/videoN", path)
	}
	err := readKeys(query, map[string]intKey{
		"width": {&d.width, 16, 16384}, "height": {&d.height, 16, 16384}, "fps": {&d.fps, 1, 1000},
	}, map[string]func(string) error{
		"fourcc": func(s string) error {
			d.fourcc = s
			if len(s) != 4 || !letters(s) {
				return errors.New("want four characters such as MJPG or YUYV")
			}
			return nil
		},
	})
	if err == nil && (d.width == 0) != (d.height == 0) {
		err = errors.New("width and height: give both or neither")
	}
	return d, err
}

// open opens the device and asks for what is wanted. notes says what came of it otherwise.
func (d v4l2) open() (cap *gocv.VideoCapture, notes []string, err error) {
	// OpenCV says no more than "cannot open".
	switch st, err := os.Stat(d.path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, errors.New("no such camera: is it plugged in?")
	case err != nil:
		return nil, nil, errors.Unwrap(err)
	case st.Mode()&fs.ModeCharDevice == 0:
		return nil, nil, errors.New("this is not a device")
	}
	f, err := os.OpenFile(d.path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, errors.Unwrap(err)
	}
	f.Close()
	cap, err = gocv.VideoCaptureFileWithAPI(d.path, gocv.VideoCaptureV4L2)
	if err != nil {
		cap.Close() // GoCV returns an object with the error
		return nil, nil, errors.New("the driver gives no pictures: in use elsewhere, or not a camera")
	}
	// The pixel format first: it decides which sizes there are.
	if d.fourcc != "" {
		cap.Set(gocv.VideoCaptureFOURCC, cap.ToCodec(d.fourcc))
	}
	if d.width > 0 {
		cap.Set(gocv.VideoCaptureFrameWidth, float64(d.width))
		cap.Set(gocv.VideoCaptureFrameHeight, float64(d.height))
	}
	if d.fps > 0 {
		cap.Set(gocv.VideoCaptureFPS, float64(d.fps))
	}
	return cap, d.compare(cap.CodecString(), int(cap.Get(gocv.VideoCaptureFrameWidth)), int(cap.Get(gocv.VideoCaptureFrameHeight)), cap.Get(gocv.VideoCaptureFPS)), nil
}

// compare says where the driver set something else than was asked for, as drivers do without a word.
func (d v4l2) compare(fourcc string, w, h int, fps float64) (notes []string) {
	if d.fourcc != "" && fourcc != d.fourcc {
		notes = append(notes, fmt.Sprintf("asked %s, got %s", d.fourcc, fourcc))
	}
	if d.width > 0 && (w != d.width || h != d.height) {
		notes = append(notes, fmt.Sprintf("asked %d×%d, got %d×%d", d.width, d.height, w, h))
	}
	if d.fps > 0 && math.Abs(fps-float64(d.fps)) > 0.5 {
		notes = append(notes, fmt.Sprintf("asked %d frames a second, got %g", d.fps, fps))
	}
	return notes
}
