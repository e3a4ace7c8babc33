package hil

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// loopback is what a v4l2loopback device is called.
var loopback = regexp.MustCompile(`^/dev/video[0-9]{1,3}$`)

func lacksV4L2(c Camera) error {
	if err := lacksFFmpeg(c); err != nil {
		return err
	}
	st, err := os.Stat(c.Device)
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return fmt.Errorf("there is no device %s here: apt-get install v4l2loopback-dkms, then modprobe v4l2loopback video_nr=%s exclusive_caps=1",
			c.Device, strings.TrimPrefix(c.Device, "/dev/video"))
	}
	return nil
}

// openV4L2 writes pictures to a loopback device, which the unit opens as a camera.
func openV4L2(c Camera, _, _ int) (wire, error) {
	e, err := startEncoder(v4l2Args(c.Device)...)
	return sender{e, c.Device}, err
}

func v4l2Args(device string) []string {
	return []string{"-pix_fmt", "yuyv422", "-c:v", "rawvideo", "-f", "v4l2", device}
}
