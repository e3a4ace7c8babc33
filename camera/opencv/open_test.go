//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOpenChooses(t *testing.T) {
	dir := t.TempDir()
	video := drawVideo(t, "drive.mp4", 64, 48, 5)
	picture := pngOf(t, greyImage(8, 8, 0))
	jpg := jpegOf(t, greyImage(8, 8, 0))
	save(t, dir, "a1.png", picture)
	data, err := os.ReadFile(video)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path, kind string
		frames           int
	}{
		{"video", video, "video", 5},
		{"video with brackets", save(t, t.TempDir(), "drive [1].mp4", data), "video", 5},
		{"video without extension", save(t, t.TempDir(), "drive", data), "video", 5},
		{"JPEG stream", save(t, t.TempDir(), "drive.mjpeg", slices.Concat(jpg, jpg, jpg)), "video", 3},
		{"picture", save(t, dir, "b.JPG", jpg), "images", 1},
		{"picture with brackets", save(t, t.TempDir(), "a[2]*.png", picture), "images", 1},
		{"folder", dir, "images", 2},
		{"folder with a slash", dir + "/", "images", 2},
		{"glob", filepath.Join(dir, "*.png"), "images", 1},
		{"glob of everything", filepath.Join(dir, "*"), "images", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, err := Open(tc.path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if kind := src.Info().Kind; kind != tc.kind {
				t.Errorf("opened as %s, want %s", kind, tc.kind)
			}
			if sizes, bad := frames(t, src); len(sizes) != tc.frames || len(bad) != 0 {
				t.Errorf("%d frames, errors %v; want %d frames", len(sizes), bad, tc.frames)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "a.mp4", []byte("any"))
	for _, tc := range []struct {
		path string
		want error
		says string
	}{
		{"/dev/video0", nil, "not a recording"},
		{"rtsp://camera/1", nil, "not a recording"},
		{"http://camera/stream", nil, "not a recording"},
		{"https://camera/stream", nil, "not a recording"},
		{"udp://0.0.0.0:5000", nil, "not a recording"},
		{"gst:videotestsrc ! appsink", nil, "not a recording"},
		{"csi://0", nil, "not a recording"},
		{"", nil, "name a video file"},
		{filepath.Join(dir, "none.mp4"), fs.ErrNotExist, "no such file"},
		{filepath.Join(dir, "none.png"), fs.ErrNotExist, "no such file"},
		{filepath.Join(dir, "none*.png"), nil, "no file matches"},
		{filepath.Join(dir, "[.png"), filepath.ErrBadPattern, "pattern"},
		{filepath.Join(dir, "*.mp4"), nil, "one at a time"},
		{dir, nil, "no pictures in this folder"},
		{save(t, dir, "text.txt", []byte("this is no video")), ErrNotVideo, "not a video"},
	} {
		t.Run(tc.path, func(t *testing.T) {
			src, err := Open(tc.path, Options{})
			if err == nil {
				src.Close()
				t.Fatal("no error")
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("%v: want it to be %q", err, tc.want)
			}
			if s := err.Error(); !strings.Contains(s, tc.says) || !strings.Contains(s, tc.path) || strings.Contains(s, "\n") {
				t.Errorf("error is %q: want one line with %q and the name", s, tc.says)
			}
		})
	}
}
