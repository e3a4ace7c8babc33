package hil

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A unit that never opens its camera is an error that says where the camera is.
func TestUnitThatDoesNotConnect(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ready": true}`) }))
	defer s.Close()
	var said []string
	b := &Bench{Address: strings.TrimPrefix(s.URL, "http://"), Open: openScene, Patience: time.Second,
		Say: func(f string, args ...any) { said = append(said, fmt.Sprintf(f, args...)) }, Progress: func(_, _ time.Duration) {}}
	sc, err := Parse("a.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Run(t.Context(), sc, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "camera front: the unit has not connected to http://127.0.0.1:") || !strings.Contains(err.Error(), "within 1s") {
		t.Error(err)
	}
	if len(said) == 0 || !strings.HasPrefix(said[0], "camera front: http://127.0.0.1:") || !strings.Contains(said[0], "frame_code: true") {
		t.Errorf("%q", said)
	}
}

func TestParseListen(t *testing.T) {
	for text, want := range map[string]string{"10.0.0.1": "10.0.0.1:8702", "10.0.0.1:9000": "10.0.0.1:9002", "bench.lan:1": "bench.lan:3", "[fd00::1]:9000": "[fd00::1]:9002",
		"": "", ":9000": "", "0.0.0.0": "", "[::]:9000": "", "10.0.0.1:0": "", "10.0.0.1:70000": "", "10.0.0.1:x": ""} {
		l, err := ParseListen(text)
		if (err == nil) != (want != "") || l.at(2) != want {
			t.Errorf("%q: %v, %q, want %q", text, err, l.at(2), want)
		}
	}
}

// Cameras are at the ports that were said, in the order of the scenario, again and again.
func TestCamerasListenWhereTheyAreTold(t *testing.T) {
	for range 2 {
		free, err := freeAddress()
		if err != nil {
			t.Fatal(err)
		}
		l, err := ParseListen(free)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ over, url string }{{"mjpeg", "http://" + free + "/front.mjpeg"}, {"rtsp", "rtsp://" + free + "/front"}, {"mpegts", "udp://" + free}} {
			w, err := openWire(Camera{Name: "front", Over: c.over, address: l.at(0)}, 320, 180)
			if err != nil {
				t.Fatal(err)
			}
			if w.url() != c.url {
				t.Errorf("%s, want %s", w.url(), c.url)
			}
			w.Close()
		}
	}
}

// A unit that does not start leaves no disk behind. Where no disk can be mounted there is none either way.
func TestDiskGoesWithAFailedStart(t *testing.T) {
	s, err := Parse("a.yaml", []byte(good+"unit: {disk: 1000000}\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := &Bench{Program: filepath.Join(dir, "nothing"), Open: openScene}
	if _, err := b.Run(context.Background(), s, dir); err == nil {
		t.Error("it ran")
	}
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Contains(string(mounts), dir) {
		Unmount(dir)
		t.Errorf("%v: the disk is still mounted", err)
	}
}

// A reload waits for the one that is under way, and is of the time at which it is begun itself.
func TestReloadWaits(t *testing.T) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 4 {
			http.Error(w, "the model was not changed: serve: another reload is under way", http.StatusConflict)
			return
		}
		http.Error(w, "the model was not changed: signature", http.StatusConflict)
	}))
	defer s.Close()
	begin := time.Now()
	var at Span
	refusal, err := reloadWhenFree(t.Context(), s.URL, "a.onnx", &at)
	if err != nil || n != 4 || !strings.Contains(refusal, "signature") || at.From.Sub(begin) < 300*time.Millisecond {
		t.Errorf("%v, %q after %d requests, begun %v after the first", err, refusal, n, at.From.Sub(begin))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reloadWhenFree(ctx, s.URL, "", &at); err == nil {
		t.Error("it goes on when the run has ended")
	}
}

// A unit that was started again is not ended before it is ready.
func TestSettled(t *testing.T) {
	ended := make(chan struct{})
	o, u := &observer{polls: []Poll{{}}}, &unit{lives: 2, restart: true, ended: ended}
	time.AfterFunc(300*time.Millisecond, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.polls = append(o.polls, Poll{Ready: true})
	})
	if o.settled(t.Context(), u); !o.ready() {
		t.Error("it is not ready")
	}
	o.polls, u.restart = []Poll{{}}, false
	close(ended)
	o.settled(t.Context(), u) // it has ended and will not come back: there is nothing to wait for
}
