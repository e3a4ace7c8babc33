package opencv

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"gocv.io/x/gocv"
)

// Backends are the parts of OpenCV that open videos and cameras, in the order in which it
// tries them.
type Backends struct {
	Cameras []string `json:"cameras"`
	Streams []string `json:"streams"`
	Writers []string `json:"writers"`
}

// GStreamer says whether OpenCV was built with it: a Jetson's CSI cameras and pipelines
// of one's own need it.
func (b Backends) GStreamer() bool { return slices.Contains(b.Streams, "GSTREAMER") }

// ListBackends asks OpenCV what it was built with.
func ListBackends() Backends {
	names := func(ids []gocv.VideoCaptureAPI) []string {
		out := make([]string, len(ids))
		for i, id := range ids {
			out[i] = gocv.VideoRegistry.GetBackendName(id)
		}
		return out
	}
	reg := gocv.VideoRegistry
	return Backends{names(reg.GetCameraBackends()), names(reg.GetStreamBackends()), names(reg.GetWriterBackends())}
}

// Codec is whether OpenCV's FFmpeg can write a kind of video, and read it back.
type Codec struct {
	Name   string `json:"name"`
	Writes bool   `json:"writes"`
	Reads  bool   `json:"reads"`
	// Why not. What cannot be written cannot be tried for reading.
	Why string `json:"why,omitempty"`
}

// ProbeCodecs writes and reads a short video of each kind in a temporary folder.
func ProbeCodecs() ([]Codec, error) {
	dir, err := os.MkdirTemp("", "perceive-codecs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	quiet()
	var out []Codec
	for _, c := range []struct{ name, fourcc, file string }{
		{"H.264", "avc1", "h264.mp4"}, {"MPEG-4", "mp4v", "mpeg4.mp4"}, {"MJPEG", "MJPG", "mjpeg.avi"},
	} {
		out = append(out, probe(c.name, c.fourcc, filepath.Join(dir, c.file)))
	}
	return out, nil
}

func probe(name, fourcc, path string) Codec {
	c := Codec{Name: name}
	if err := writeProbe(fourcc, path); err != nil {
		c.Why = err.Error() + "; reading was not tried, for want of a video"
		return c
	}
	c.Writes = true
	src, err := OpenVideo(path)
	if err != nil {
		c.Why = err.Error()
		return c
	}
	c.Reads = true
	src.Close()
	return c
}

// writeProbe writes three black frames.
func writeProbe(fourcc, path string) error {
	out, err := gocv.VideoWriterFileWithAPI(path, gocv.VideoCaptureFFmpeg, fourcc, 25, 64, 64, true)
	if err != nil {
		return err
	}
	defer out.Close()
	if !out.IsOpened() {
		return errors.New("no encoder")
	}
	frame := gocv.NewMatWithSize(64, 64, gocv.MatTypeCV8UC3)
	defer frame.Close()
	for range 3 {
		if err := out.Write(frame); err != nil {
			return err
		}
	}
	return nil
}
