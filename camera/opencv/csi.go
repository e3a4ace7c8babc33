//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"strconv"
	"strings"
)

// csi is a camera on a Jetson's CSI connector.
type csi struct {
	sensor, mode       int
	width, height, fps int
	flip               int
}

// parseCSI reads "csi://0?width=1280&height=720&fps=30&flip=0&mode=4".
func parseCSI(uri string) (csi, error) {
	c := csi{width: 1280, height: 720, fps: 30, mode: -1}
	rest := strings.TrimPrefix(uri, "csi://")
	id, query, _ := strings.Cut(rest, "?")
	n, err := strconv.Atoi(strings.TrimSuffix(id, "/"))
	if err != nil || n < 0 || n > 15 {
		return c, fmt.Errorf("sensor %q: want csi://N, N from 0 to 15", id)
	}
	c.sensor = n
	err = readKeys(query, map[string]intKey{
		"width": {&c.width, 64, 8192}, "height": {&c.height, 64, 8192}, "fps": {&c.fps, 1, 240},
		"flip": {&c.flip, 0, 7}, "mode": {&c.mode, 0, 31},
	}, nil)
	return c, err
}

// pipeline is the text of the GStreamer pipeline: pictures stay in the image processor's memory
// (NVMM) until nvvidconv copies them out as BGRx, which is what it can do of what OpenCV can
// take in; the last step to BGR is the processor's. appsink keeps the newest picture alone.
//
// flip is nvvidconv's flip-method: 0 none, 1 to 3 quarter turns to the left, 4 mirrored, 6 upside down
// mirrored, 5 and 7 along the diagonals.
func (c csi) pipeline() string {
	src := fmt.Sprintf("nvarguscamerasrc sensor-id=%d", c.sensor)
	if c.mode >= 0 {
		src += fmt.Sprintf(" sensor-mode=%d", c.mode)
	}
	return strings.Join([]string{
		src,
		fmt.Sprintf("video/x-raw(memory:NVMM),width=%d,height=%d,framerate=%d/1,format=NV12", c.width, c.height, c.fps),
		fmt.Sprintf("nvvidconv flip-method=%d", c.flip),
		"video/x-raw,format=BGRx",
		"videoconvert",
		"video/x-raw,format=BGR",
		"appsink drop=true max-buffers=1 sync=false",
	}, " ! ")
}
