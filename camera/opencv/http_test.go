//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"perceive/camera"
	"perceive/camera/cameratest"
	"perceive/camera/supervise"
)

// greyJPEG is a flat picture.
func greyJPEG(t testing.TB, w, h int, grey byte) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	flat(img, color.Gray{Y: grey})
	return jpegOf(t, img)
}

// multipartServer sends what write writes, again and again until it returns false.
func multipartServer(t testing.TB, write func(i int, w io.Writer) bool) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(multipartHandler(write))
	t.Cleanup(s.Close)
	return s
}

func multipartHandler(write func(i int, w io.Writer) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", `multipart/x-mixed-replace; boundary=frame`)
		for i := 0; r.Context().Err() == nil && write(i, w); i++ {
			w.(http.Flusher).Flush()
		}
	})
}

// sendPart is a part as mjpg-streamer writes it.
func sendPart(w io.Writer, body []byte, headers ...string) {
	fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n", len(body))
	for _, h := range headers {
		fmt.Fprintf(w, "%s\r\n", h)
	}
	fmt.Fprint(w, "\r\n")
	w.Write(body)
	fmt.Fprint(w, "\r\n")
}

func connect(t testing.TB, uri string) camera.Source {
	t.Helper()
	c, err := ParseCamera(uri)
	if err != nil {
		t.Fatal(err)
	}
	src, err := c.Open(context.Background(), Options{Buffers: supervise.DefaultLend + 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// supervised watches over the camera at a URI.
func supervised(t testing.TB, uri string, onEvent func(camera.Event)) camera.Live {
	t.Helper()
	c, err := ParseCamera(uri)
	if err != nil {
		t.Fatal(err)
	}
	l := supervise.Open(supervise.Config{
		Info: camera.Info{URI: c.URI, Kind: c.Kind}, OnEvent: onEvent,
		Open: func(ctx context.Context) (camera.Source, error) {
			return c.Open(ctx, Options{Buffers: supervise.DefaultLend + 2})
		},
	})
	t.Cleanup(func() { l.Close() })
	return l
}

func TestHTTPConformance(t *testing.T) {
	picture := greyJPEG(t, 64, 48, 100)
	s := multipartServer(t, func(i int, w io.Writer) bool {
		time.Sleep(10 * time.Millisecond)
		if i%7 == 3 {
			sendPart(w, picture[:len(picture)/2])
		} else {
			sendPart(w, picture, "X-Timestamp: 1700000000.5")
		}
		return true
	})
	cameratest.TestLive(t, func(t *testing.T) camera.Live { return supervised(t, s.URL, nil) }, cameratest.Want{
		Info: camera.Info{Kind: "http", Width: 64, Height: 48},
		Check: func(t *testing.T, f *camera.Frame) {
			if f.Pix[0] < 98 || f.Pix[0] > 102 || f.Clock != camera.HeaderClock || f.Stamp != 1700000000500*time.Millisecond {
				t.Errorf("frame %d: grey %d, stamp %v of %q", f.Seq, f.Pix[0], f.Stamp, f.Clock)
			}
		},
	})
}

// What servers send, in the ways that they do.
func TestHTTPParts(t *testing.T) {
	a, b := greyJPEG(t, 64, 48, 50), greyJPEG(t, 32, 16, 150)
	for _, tc := range []struct {
		name string
		send func(w io.Writer)
		good []uint64
		bad  []uint64
		end  error
	}{
		{"plain, and the server's end", func(w io.Writer) {
			sendPart(w, a)
			sendPart(w, b)
			io.WriteString(w, "--frame--\r\n")
		}, []uint64{0, 1}, nil, errServerEnded},
		{"no lengths", func(w io.Writer) {
			for _, p := range [][]byte{a, b} {
				fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\n\r\n%s\r\n", p)
			}
			io.WriteString(w, "--frame--")
		}, []uint64{0, 1}, nil, errServerEnded},
		{"bare line feeds", func(w io.Writer) { fmt.Fprintf(w, "--frame\n\n%s\n--frame\n\n%s\n--frame\n", a, b) }, []uint64{0, 1}, nil, io.ErrUnexpectedEOF},
		{"words before the first part", func(w io.Writer) { io.WriteString(w, "hello\r\n\r\n"); sendPart(w, a) }, []uint64{0}, nil, io.ErrUnexpectedEOF},
		{"half a picture, then the next", func(w io.Writer) { sendPart(w, a[:len(a)/2]); sendPart(w, b) }, []uint64{1}, []uint64{0}, io.ErrUnexpectedEOF},
		{"half a picture, then nothing", func(w io.Writer) {
			sendPart(w, a)
			fmt.Fprintf(w, "--frame\r\nContent-Length: %d\r\n\r\n%s", len(b), b[:len(b)/2])
		}, []uint64{0}, nil, io.ErrUnexpectedEOF},
		{"no picture", func(w io.Writer) { sendPart(w, []byte("<html>")); sendPart(w, a) }, []uint64{1}, []uint64{0}, io.ErrUnexpectedEOF},
		{"a length that is too short", func(w io.Writer) {
			fmt.Fprintf(w, "--frame\r\nContent-Length: 50\r\n\r\n%s\r\n", a)
			sendPart(w, b)
		}, []uint64{1}, []uint64{0}, io.ErrUnexpectedEOF},
		{"a length that is absurd", func(w io.Writer) { io.WriteString(w, "--frame\r\nContent-Length: 999999999999\r\n\r\n") }, nil, nil, errPartTooLong},
		{"a header without end", func(w io.Writer) { io.WriteString(w, "--frame\r\n"+strings.Repeat("a: b\r\n", 100)) }, nil, nil, errHeader},
		{"nothing", func(io.Writer) {}, nil, nil, io.ErrUnexpectedEOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := multipartServer(t, func(_ int, w io.Writer) bool { tc.send(w); return false })
			good, bad, end := outcome(t, connect(t, s.URL))
			if !slices.Equal(good, tc.good) || !slices.Equal(bad, tc.bad) || !errors.Is(end, tc.end) {
				t.Errorf("good %v, bad %v, end %v; want %v, %v, %v", good, bad, end, tc.good, tc.bad, tc.end)
			}
		})
	}
}

func TestHTTPRefuses(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	handlers := map[string]http.HandlerFunc{
		"the server says 404":   http.NotFound,
		"the server says 401":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		"has no boundary":       func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "multipart/mixed") },
		"FFmpeg cannot open it": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>hello") },
		"connection refused":    nil,
	}
	for says, handler := range handlers {
		t.Run(says, func(t *testing.T) {
			uri := "http://user:secret@" + closed.Addr().String() + "/x"
			if handler != nil {
				s := httptest.NewServer(handler)
				defer s.Close()
				uri = strings.Replace(s.URL, "http://", "http://user:secret@", 1)
			}
			c, err := ParseCamera(uri)
			if err != nil {
				t.Fatal(err)
			}
			src, err := c.Open(t.Context(), Options{})
			if err == nil {
				src.Close()
				t.Fatal("no error")
			}
			if s := err.Error(); !strings.Contains(s, says) || strings.Contains(s, "secret") {
				t.Errorf("error %q: want %q, and no password", s, says)
			}
		})
	}
}

// A read of a silent camera ends with its context.
func TestHTTPReadIsCancelled(t *testing.T) {
	s := multipartServer(t, func(i int, w io.Writer) bool {
		if i > 0 {
			time.Sleep(10 * time.Millisecond)
		} else {
			sendPart(w, greyJPEG(t, 64, 48, 1))
		}
		return true
	})
	src := connect(t, s.URL)
	if f, err := src.Next(t.Context()); err != nil {
		t.Fatal(err)
	} else {
		f.Release()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if f, err := src.Next(ctx); f != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Next = %v, %v", f, err)
	}
}

// Lines that are long, broken or binary never make the parser fail otherwise than by an error,
// and never hand out more than came in.
func FuzzParts(f *testing.F) {
	f.Add([]byte("--frame\r\nContent-Length: 3\r\nX-Timestamp: 1.5\r\n\r\nabc\r\n--frame\r\n\r\nxyz\r\n--frame--\r\n"))
	f.Add([]byte("--frame\n\n\n--frame--"))
	f.Add([]byte("--frame\r\nContent-Length: 9999999\r\n\r\nabc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newParts(bytes.NewReader(data), "frame")
		total := 0
		for range len(data) + 2 {
			part, err := p.next()
			if err != nil {
				return
			}
			if total += len(part.body); total > len(data) {
				t.Fatalf("%d bytes out of %d", total, len(data))
			}
		}
		t.Fatalf("more parts than bytes: %q", data)
	})
}

func TestParseStamp(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1700000000": 1700000000 * time.Second, "1700000000.25": 1700000000250 * time.Millisecond,
		"1700000000123": 1700000000123 * time.Millisecond, "1700000000123.5": 1700000000123500 * time.Microsecond,
		"0.000000001": 1, "0": 0, "": -1, "now": -1, "-1": -1, "1.x": -1, "99999999999999999999": -1, "999999999999999999": -1,
	} {
		got, ok := parseStamp([]byte(text))
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, ok, want)
		}
	}
}

func FuzzParseStamp(f *testing.F) {
	f.Add([]byte("1700000000.25"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := parseStamp(b); ok && d < 0 {
			t.Errorf("%q: %v", b, d)
		}
	})
}

// endless is a body that repeats a part for ever.
type endless struct {
	part []byte
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.part[e.at:])
	e.at = (e.at + n) % len(e.part)
	return n, nil
}

func (e *endless) Close() error { return nil }

// stream is a source over a body that never ends, without a network.
func stream(t testing.TB, w, h int) *httpMJPEG {
	var b bytes.Buffer
	sendPart(&b, greyJPEG(t, w, h, 9), "X-Timestamp: 1700000000.5")
	body := &endless{part: b.Bytes()}
	return &httpMJPEG{body: body, hangup: func() {}, parts: newParts(body, "frame"), pool: newPool(4), opened: time.Now(), last: -1}
}

func TestHTTPAllocatesNothing(t *testing.T) {
	h := stream(t, 64, 48)
	defer h.Close()
	ctx := context.Background()
	read := func() {
		f, err := h.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
	}
	read()
	if n := testing.AllocsPerRun(100, read); n > 0 {
		t.Errorf("%g allocations a frame", n)
	}
}

func BenchmarkHTTP(b *testing.B) {
	h := stream(b, 1280, 720)
	defer h.Close()
	b.ReportAllocs()
	for b.Loop() {
		f, err := h.Next(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
}
