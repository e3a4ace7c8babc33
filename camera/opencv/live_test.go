//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gocv.io/x/gocv"
)

func TestCSIPipeline(t *testing.T) {
	for uri, want := range map[string]string{
		"csi://0": "nvarguscamerasrc sensor-id=0 ! video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1,format=NV12 ! " +
			"nvvidconv flip-method=0 ! video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false",
		"csi://1?width=1920&height=1080&fps=60&flip=2&mode=3": "nvarguscamerasrc sensor-id=1 sensor-mode=3 ! " +
			"video/x-raw(memory:NVMM),width=1920,height=1080,framerate=60/1,format=NV12 ! " +
			"nvvidconv flip-method=2 ! video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false",
	} {
		c, err := parseCSI(uri)
		if err != nil {
			t.Errorf("%s: %v", uri, err)
		} else if got := c.pipeline(); got != want {
			t.Errorf("%s:\n%s, want\n%s", uri, got, want)
		}
	}
}

func TestParseV4L2(t *testing.T) {
	got, err := parseV4L2("/dev/video2?width=1280&height=720&fps=30&fourcc=MJPG")
	if want := (v4l2{"/dev/video2", 1280, 720, 30, "MJPG"}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, tc := range []struct {
		fourcc string
		w, h   int
		fps    float64
		want   []string
	}{
		{"MJPG", 1280, 720, 30.0003, nil},
		{"YUYV", 640, 480, 10, []string{"asked MJPG, got YUYV", "asked 1280×720, got 640×480", "asked 30 frames a second, got 10"}},
	} {
		if notes := got.compare(tc.fourcc, tc.w, tc.h, tc.fps); !slices.Equal(notes, tc.want) {
			t.Errorf("%+v: %q", tc, notes)
		}
	}
	if notes := (v4l2{}).compare("YUYV", 640, 480, 10); notes != nil {
		t.Errorf("nothing was asked for: %q", notes)
	}
}

func TestParseCameraRefuses(t *testing.T) {
	for uri, says := range map[string]string{
		"/dev/video":                       "want /dev/videoN",
		"/dev/video0x":                     "want /dev/videoN",
		"/dev/video0?colour=1":             `unknown key "colour": want fourcc, fps, height, width`,
		"/dev/video0?width=0&height=1":     "width and height",
		"/dev/video0?width=640":            "give both",
		"/dev/video0?fps=1&fps=2":          "fps is given 2 times",
		"/dev/video0?fourcc=MJPEG":         `fourcc="MJPEG": want four`,
		"/dev/video0?fps=%zz":              "keys",
		"csi://":                           "want csi://N",
		"csi://x":                          "want csi://N",
		"csi://0?flip=8":                   `flip="8": want a whole number, 0 to 7`,
		"csi://0?width=-1":                 `width="-1"`,
		"csi://0?exposure=1":               `unknown key "exposure": want flip, fps, height, mode, width`,
		"gst:videotestsrc ! autovideosink": "must end in appsink",
		"rtsp://":                          "no host",
		"http:///x":                        "no host",
		"http://a b/":                      "invalid character",
		"ftp://camera/":                    "no camera or stream",
	} {
		t.Run(uri, func(t *testing.T) {
			_, err := ParseCamera(uri)
			if err == nil {
				t.Fatal("no error")
			}
			if says == "width and height" {
				says = "width=\"0\""
			}
			if s := err.Error(); !strings.Contains(s, says) {
				t.Errorf("%q: want %q", s, says)
			}
		})
	}
}

func FuzzParseCamera(f *testing.F) {
	for _, uri := range []string{"/dev/video0?width=1&height=2&fourcc=MJPG", "csi://0?flip=1", "gst:a ! appsink", "rtsp://u:p@h/", "http://h"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		c, err := ParseCamera(uri)
		if err == nil && (c.Kind == "" || c.open == nil) {
			t.Errorf("%q: %+v", uri, c)
		}
	})
}

func TestBackendMissing(t *testing.T) {
	err := backend(gocv.VideoCaptureMSMF) // Windows has it
	if err == nil || !strings.Contains(err.Error(), "was built without") {
		t.Errorf("%v", err)
	}
}

// What is no camera is refused with a reason, where OpenCV knows none.
func TestDeviceRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"/dev/video999": "no such camera",
		file:            "not a device",
		"/dev/null":     "the driver gives no pictures",
	} {
		if _, _, err := (v4l2{path: path}).open(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", path, err, says)
		}
	}
}
