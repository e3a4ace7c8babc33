package rtsp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// start serves /cam, and ends with the test.
func start(t *testing.T) (*Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New("/cam")
	done := make(chan struct{})
	go func() { s.Serve(l); close(done) }()
	t.Cleanup(func() {
		l.Close()
		<-done
		s.HangUp()
		goleak.VerifyNone(t, goleak.IgnoreCurrent())
	})
	return s, l.Addr().String()
}

// caller is a client that says what a test tells it to.
type caller struct {
	t  *testing.T
	nc net.Conn
	in *bufio.Reader
	n  int
}

func dial(t *testing.T, addr string) *caller {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &caller{t: t, nc: nc, in: bufio.NewReader(nc)}
}

// ask sends a request with a number and returns the answer.
func (c *caller) ask(method, url string, header ...string) (status string, got map[string]string, body string) {
	c.t.Helper()
	c.n++
	text := fmt.Sprintf("%s %s RTSP/1.0\r\nCSeq: %d\r\n%s\r\n", method, url, c.n, strings.Join(append(header, ""), "\r\n"))
	if _, err := io.WriteString(c.nc, text); err != nil {
		c.t.Fatal(err)
	}
	status, got, body = c.answer()
	if got["cseq"] != fmt.Sprint(c.n) {
		c.t.Errorf("%s: CSeq %q, want %d", method, got["cseq"], c.n)
	}
	return status, got, body
}

func (c *caller) answer() (status string, header map[string]string, body string) {
	c.t.Helper()
	line, err := readLine(c.in)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	if header, err = readHeader(c.in); err != nil {
		c.t.Fatal(err)
	}
	var n int
	fmt.Sscan(header["content-length"], &n)
	text := make([]byte, n)
	if _, err := io.ReadFull(c.in, text); err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimPrefix(line, "RTSP/1.0 "), header, string(text)
}

// playing is a client to which packets come.
func playing(t *testing.T, addr string) *caller {
	t.Helper()
	c := dial(t, addr)
	status, h, _ := c.ask("SETUP", "rtsp://h/cam/track0", "Transport: RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=4-5")
	if status != ok || h["transport"] != "RTP/AVP/TCP;unicast;interleaved=4-5" {
		t.Fatalf("%s %v", status, h)
	}
	if status, _, _ := c.ask("PLAY", "rtsp://h/cam/", "Session: "+h["session"]); status != ok {
		t.Fatal(status)
	}
	return c
}

func (s *Server) await(t *testing.T, clients int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); s.Playing() != clients; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d clients play, want %d", s.Playing(), clients)
		}
	}
}
