package open

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"perceive/camera"
	"perceive/camera/cameratest"
	"perceive/camera/supervise"
)

const liveScene = "scene://?seed=3&width=160&height=96&fps=100&seconds=0.5&live=true"

// live opens a source that is one.
func live(t *testing.T, uri string) camera.Live {
	t.Helper()
	src, err := Source(uri, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, ok := src.(camera.Live)
	if !ok {
		src.Close()
		t.Fatalf("%s is not live", uri)
	}
	return l
}

func TestLiveScene(t *testing.T) {
	cameratest.TestLive(t, func(t *testing.T) camera.Live { return live(t, liveScene+"&policy=newest&stall=2s") }, cameratest.Want{
		Info: camera.Info{URI: "scene://?seed=3&seconds=0.5&width=160&height=96&fps=100&live=true", Kind: "scene", Width: 160, Height: 96, FPS: 100},
		Check: func(t *testing.T, f *camera.Frame) {
			if f.Clock != camera.SceneClock {
				t.Errorf("frame %d: stamp of %q", f.Seq, f.Clock)
			}
		},
	})
}

// The newest frames of a scene have no end; every frame of it has one.
func TestLiveSceneEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := live(t, liveScene+"&policy=every")
	defer l.Close()
	n := 0
	begin := time.Now()
	for ; ; n++ {
		f, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
	}
	if n != 50 {
		t.Errorf("%d frames, want 50", n)
	}
	if took := time.Since(begin); took < 450*time.Millisecond {
		t.Errorf("50 frames at 100 a second came within %v", took)
	}
}

func TestRecordings(t *testing.T) {
	src, err := Source("scene://?seed=3&width=160&height=96", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, ok := src.(camera.Live); ok || src.Info().Live {
		t.Error("a scene is live without being asked")
	}
	_, err = Source(filepath.Join(t.TempDir(), "none.mp4"), Options{})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "rtsp://") {
		t.Errorf("%v: want what a source can be", err)
	}
}

// Opening a camera that is not there is no error: that is a state.
func TestCameraThatIsLost(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := live(t, "/dev/video999?width=640&height=480&stall=1s")
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if f, err := l.Next(ctx); f != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Next = %v, %v", f, err)
	}
	if e := l.State(); e.Attempt < 2 || e.State == camera.Streaming {
		t.Errorf("state %+v", e)
	}
	if i := l.Info(); !i.Live || i.Kind != "v4l2" || i.URI != "/dev/video999?width=640&height=480" {
		t.Errorf("Info %+v", i)
	}
}

func TestRefuses(t *testing.T) {
	for uri, says := range map[string]string{
		"http://camera/?policy=some":          `policy "some": want newest or every`,
		"http://camera/?max_age=5":            `max_age="5": want a time`,
		"http://camera/?stall=0s":             `stall="0s": want a time`,
		"http://camera/?stall=%zz":            "stall",
		"http://camera/?stall=1s&stall=2s":    "stall is given twice",
		"http://u:secret@camera/?policy=some": "policy",
		"/dev/video0?colour=1":                `unknown key "colour"`,
		"gst:?colour=1 a ! appsink":           `unknown key "colour=1"`,
		"gst:?policy=every a ! b":             "must end in appsink",
		"csi://0?fps=none":                    `fps="none"`,
		"scene://?sed=1":                      `unknown key "sed"`,
		"scene://?live=maybe":                 "true or false",
		"scene://?seed=1&policy=every":        "add live=true",
	} {
		t.Run(uri, func(t *testing.T) {
			src, err := Source(uri, Options{})
			if err == nil {
				src.Close()
				t.Fatal("no error")
			}
			if s := err.Error(); !errors.Is(err, ErrURI) || !strings.Contains(s, says) || strings.Contains(s, "secret") {
				t.Errorf("%v: want ErrURI with %q, and no password", err, says)
			}
		})
	}
}

// The keys of the camera stay as they are.
func TestKeys(t *testing.T) {
	for uri, want := range map[string]string{
		"http://c/s?a=%20b&policy=every&b&stall=2s&open=9s": "http://c/s?a=%20b&b",
		"http://c/s?policy=every":                           "http://c/s",
		"http://c/s?":                                       "http://c/s?",
		"rtsp://c/s":                                        "rtsp://c/s",
		"gst:a location=x?y ! appsink":                      "gst:a location=x?y ! appsink",
		"gst:?policy=every a ! appsink":                     "gst:a ! appsink",
	} {
		rest, c, given, err := keys(uri)
		if err != nil || rest != want {
			t.Errorf("%s: %q, %v; want %q", uri, rest, err, want)
		}
		if asked := strings.Contains(uri, "policy"); given != asked || asked != (c.Policy == supervise.Every) {
			t.Errorf("%s: policy %q", uri, c.Policy)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("http://c/s?a=%20b&policy=every&b&stall=2s")
	f.Add("gst:?max_age=1s a ! appsink")
	f.Fuzz(func(t *testing.T, uri string) {
		rest, _, given, err := keys(uri)
		if err == nil && !given && rest != uri && !strings.HasPrefix(uri, "gst:?") {
			t.Errorf("%q became %q without a key of ours", uri, rest)
		}
	})
}
