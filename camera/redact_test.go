package camera

import "testing"

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://admin:pw@10.0.0.7/s":            "rtsp://admin:xxxxx@10.0.0.7/s",
		"rtsp://admin:p:w@d@10.0.0.7:554/s?a=b": "rtsp://admin:xxxxx@10.0.0.7:554/s?a=b",
		"rtsp://:pw@h/":                         "rtsp://:xxxxx@h/",
		"http://h/cam.mjpeg?token=abc&fps=3":    "http://h/cam.mjpeg?token=xxxxx&fps=3",
		"http://h/?user=u&PWD=a%20b":            "http://h/?user=u&PWD=xxxxx",
		"gst:rtspsrc location=rtsp://u:p@h/ user-id=u user-pw=s3 ! decodebin ! appsink": "gst:rtspsrc location=rtsp://u:xxxxx@h/ user-id=u user-pw=xxxxx ! decodebin ! appsink",
		`gst:rtspsrc user-pw = "a b" ! appsink`:                                         `gst:rtspsrc user-pw = xxxxx ! appsink`,
		"sources:\n- uri: rtsp://u:p@h/\n  name: a@b\n":                                 "sources:\n- uri: rtsp://u:xxxxx@h/\n  name: a@b\n",
		// Nothing secret, and left alone.
		"/dev/video0?width=640&fps=30":      "/dev/video0?width=640&fps=30",
		"rtsp://user@h:554/path":            "rtsp://user@h:554/path",
		"http://h:8080/a@b?monkey=1&at=a@b": "http://h:8080/a@b?monkey=1&at=a@b",
		"scene://?seed=1&seconds=10":        "scene://?seed=1&seconds=10",
		"http://h:80?x=1@2":                 "http://h:80?x=1@2",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}
