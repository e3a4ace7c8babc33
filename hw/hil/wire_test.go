package hil

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"perceive/camera/framecode"
	"perceive/camera/open"
)

// over runs a camera on a wire and hands what the program's own reader gets of it to see, until
// that is true.
func over(t *testing.T, c Camera, faults []Fault, see func(code uint32, coded bool) bool) {
	t.Helper()
	c.Name, c.World, c.FPS, c.Width, c.Quality = "front", "scene://?seed=1&seconds=1", 30, 320, 80
	clip, err := loadClip(t.Context(), c, false, openScene)
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFeed(&Scenario{Seed: 1, Cameras: []Camera{c}, Faults: faults}, 0, clip, "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f.run(ctx, time.Now()) }()
	src, err := open.Source(f.URL(), open.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for {
		frame, err := src.Next(ctx)
		if ctx.Err() != nil {
			t.Error("it did not come to that in time")
			break
		}
		if err != nil {
			continue // dropped, or what a lost packet spoils
		}
		if frame.Width != 320 || frame.Height != 180 {
			t.Errorf("a frame of %d×%d", frame.Width, frame.Height)
		}
		code, coded := framecode.Read(frame)
		frame.Release()
		if see(code, coded) {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The number in the pixels survives H.264, and frames come in order.
func TestFramesOverWires(t *testing.T) {
	for _, name := range []string{"mpegts", "rtsp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var codes []uint32
			uncoded := 0
			over(t, Camera{Over: name}, nil, func(code uint32, coded bool) bool {
				if coded {
					codes = append(codes, code)
				} else {
					uncoded++
				}
				return len(codes) == 20
			})
			if !slices.IsSorted(codes) || uncoded > 60 { // a busy machine loses packets, each of which spoils up to 15 frames
				t.Errorf("frames %v, and %d without a number", codes, uncoded)
			}
		})
	}
}

// After each fault of the connection a frame comes that was made behind it.
func TestFaultsOfRTSP(t *testing.T) {
	for _, kind := range []string{"disconnect", "refuse", "hang"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := Fault{Kind: kind, At: time.Second, For: time.Second}
			over(t, Camera{Over: "rtsp"}, []Fault{f}, func(code uint32, coded bool) bool { return coded && code > 90 })
		})
	}
}

// A port that somebody else has is waited for, and an error when that does not end.
func TestReopen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if again, err := reopen(t.Context(), addr); err == nil || again != nil {
		t.Errorf("%v, %v: want an error", again, err)
	}
	time.AfterFunc(50*time.Millisecond, func() { l.Close() })
	again, err := reopen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// An encoder that ends is an error of the run, with what it said.
func TestEncoderThatEnds(t *testing.T) {
	e, err := startEncoder("-f", "nonsense", "out")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for end := time.Now().Add(20 * time.Second); e.broken() == nil && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		e.send(picture{[]byte("no picture"), time.Now()})
	}
	if err := e.broken(); err == nil || !strings.HasPrefix(err.Error(), "ffmpeg: exit status 1: ") {
		t.Error(err)
	}
}

// What a machine lacks is named with how to get it.
func TestLacks(t *testing.T) {
	s, err := Find("wire-v4l2")
	if err != nil {
		t.Fatal(err)
	}
	s.Cameras[0].Device = "/dev/video987"
	if err := s.Lacks(); err == nil || !strings.Contains(err.Error(), "modprobe v4l2loopback video_nr=987") {
		t.Error(err)
	}
	if s.Needs() != "ffmpeg, v4l2loopback" {
		t.Errorf("%q", s.Needs())
	}
	for _, name := range []string{"wire-rtsp", "healthy"} {
		if s, err := Find(name); err != nil || s.Lacks() != nil {
			t.Errorf("%s: %v, %v", name, err, s.Lacks())
		}
	}
	t.Setenv("PATH", t.TempDir())
	for _, name := range []string{"mpegts", "rtsp", "v4l2"} {
		if _, err := openWire(Camera{Over: name, Device: os.DevNull}, 320, 180); err == nil || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := Find("healthy"); err != nil || s.Lacks() != nil || s.Needs() != "" {
		t.Errorf("MJPEG over HTTP needs nothing: %v", err)
	}
}

// There is no loopback device where this is tested: what ffmpeg is told is looked at.
func TestV4L2Arguments(t *testing.T) {
	if got := strings.Join(v4l2Args("/dev/video10"), " "); got != "-pix_fmt yuyv422 -c:v rawvideo -f v4l2 /dev/video10" {
		t.Error(got)
	}
	w := sender{address: "/dev/video10"}
	f := &feed{wire: w, cam: Camera{Query: "fps=15"}}
	if f.URL() != "/dev/video10?fps=15" {
		t.Error(f.URL())
	}
}

func TestOddSizes(t *testing.T) {
	for _, name := range []string{"mpegts", "rtsp"} {
		if _, err := openWire(Camera{Name: "front", Over: name}, 321, 180); err == nil || !strings.Contains(err.Error(), "even numbers") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
