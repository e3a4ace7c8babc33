package publish_test

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/publish"
)

// What the daemon records of a camera is a source: each picture at the time of its capture.
func TestARecordingIsASource(t *testing.T) {
	dir := t.TempDir()
	rec, err := publish.NewMCAP(publish.MCAPOptions{FileOptions: publish.FileOptions{Dir: dir}, Compression: mcap.Zstd}, head, publish.Options{PictureRate: 1000, Pictures: 100})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	const n, period = 6, 40 * time.Millisecond
	for i := range n {
		for _, name := range []string{"front", "rear"} {
			f := camera.NewFrame(64, 48, nil)
			copy(f.Pix, bytes.Repeat([]byte{byte(40 * i)}, len(f.Pix)))
			at := time.Duration(i) * period
			r := perception.Result{Source: name, Seq: uint64(i), Time: at, Captured: begin.Add(at), Status: perception.OK, Answers: ok(0).Answers}
			if err := rec.Emit(t.Context(), &r, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	src, err := opencv.Open(filepath.Join(dir, "perceive-000001.mcap")+"?camera=rear", opencv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for i := range n {
		f, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := int(f.Pix[0]) - 40*i; f.Width != 64 || f.Height != 48 || d < -3 || d > 3 || f.Time.Round(time.Microsecond) != time.Duration(i)*period {
			t.Errorf("picture %d: %d×%d, grey %d, at %v", i, f.Width, f.Height, f.Pix[0], f.Time)
		}
		f.Release()
	}
	if _, err := src.Next(t.Context()); err != io.EOF {
		t.Errorf("the end is %v", err)
	}
}
