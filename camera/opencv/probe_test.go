package opencv_test

import (
	"slices"
	"testing"

	"perceive/camera/opencv"
)

func TestProbeCodecs(t *testing.T) {
	codecs, err := opencv.ProbeCodecs()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(codecs, func(c opencv.Codec) bool { return c.Name == "MPEG-4" })
	// It is in every FFmpeg, and run --annotate falls back on it.
	if i < 0 || !codecs[i].Writes || !codecs[i].Reads {
		t.Errorf("%+v: MPEG-4 does not work", codecs)
	}
	for _, c := range codecs {
		if (c.Writes && c.Reads) != (c.Why == "") {
			t.Errorf("%+v: works and says why not, or the other way round", c)
		}
	}
	t.Setenv("TMPDIR", "/dev/null")
	if _, err := opencv.ProbeCodecs(); err == nil {
		t.Error("no error where nothing can be written")
	}
}

func TestListBackends(t *testing.T) {
	b := opencv.ListBackends()
	if !slices.Contains(b.Streams, "FFMPEG") || !slices.Contains(b.Writers, "FFMPEG") {
		t.Errorf("%+v: video files are read and written with FFMPEG", b)
	}
	if b.GStreamer() != slices.Contains(b.Streams, "GSTREAMER") {
		t.Errorf("%+v", b)
	}
}
