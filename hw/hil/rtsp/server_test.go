package rtsp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// A client asks what there is, sets it up, plays it, shows that it is there, and leaves.
func TestConversation(t *testing.T) {
	s, addr := start(t)
	c := dial(t, addr)
	if status, h, _ := c.ask("OPTIONS", "*"); status != ok || !strings.Contains(h["public"], "DESCRIBE") {
		t.Errorf("%s %v", status, h)
	}
	status, h, body := c.ask("DESCRIBE", "rtsp://h/cam", "Accept: application/sdp")
	if status != ok || h["content-type"] != "application/sdp" || h["content-base"] != "rtsp://h/cam/" ||
		!strings.Contains(body, "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n") || !strings.Contains(body, "a=control:track0\r\n") {
		t.Errorf("%s %v\n%s", status, h, body)
	}
	if status, _, _ := c.ask("PLAY", "rtsp://h/cam"); status != notYet {
		t.Errorf("PLAY before SETUP: %s", status)
	}
	status, h, _ = c.ask("SETUP", "rtsp://h/cam/track0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
	session, _, _ := strings.Cut(h["session"], ";")
	if status != ok || session == "" {
		t.Fatalf("%s %v", status, h)
	}
	s.SendRTP([]byte("too early"))
	if status, _, _ := c.ask("PLAY", "rtsp://h/cam/", "Session: "+session); status != ok {
		t.Error(status)
	}
	s.await(t, 1)
	s.SendRTP([]byte("picture"))
	s.SendRTCP([]byte("report"))
	want := "$\x00\x00\x07picture$\x01\x00\x06report"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.in, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	// Its own reports of reception stand between its requests.
	io.WriteString(c.nc, "$\x01\x00\x04ABCD")
	if status, _, _ := c.ask("GET_PARAMETER", "rtsp://h/cam/", "Session: "+session, "Content-Length: 0"); status != ok {
		t.Error(status)
	}
	if status, _, _ := c.ask("SETUP", "rtsp://h/cam", "Session: "+session, "Transport: RTP/AVP/TCP"); status != notYet {
		t.Errorf("SETUP while it plays: %s", status)
	}
	if status, _, _ := c.ask("TEARDOWN", "rtsp://h/cam/", "Session: "+session); status != ok {
		t.Error(status)
	}
	if _, err := c.in.ReadByte(); err != io.EOF {
		t.Errorf("after TEARDOWN: %v", err)
	}
	s.await(t, 0)
}

// What cannot be had is said, and the connection goes on.
func TestRefusals(t *testing.T) {
	_, addr := start(t)
	c := dial(t, addr)
	for _, x := range []struct{ method, url, header, want string }{
		{"DESCRIBE", "rtsp://h/other", "A: b", notFound},
		{"SETUP", "rtsp://h/cam/track9", "Transport: RTP/AVP/TCP", notFound},
		{"SETUP", "rtsp://h/cam/track0", "Transport: RTP/AVP;unicast;client_port=5000-5001", noTransport},
		{"SETUP", "rtsp://h/cam/track0", "Transport: RTP/AVP/TCP;interleaved=255-256", noTransport},
		{"SETUP", "rtsp://h/cam/track0", "A: b", noTransport},
		{"PLAY", "rtsp://h/cam", "Session: invented", noSession},
		{"RECORD", "rtsp://h/cam", "A: b", notImplemented},
		{"OPTIONS", "*", "A: b", ok},
	} {
		if status, _, _ := c.ask(x.method, x.url, x.header); status != x.want {
			t.Errorf("%s %s %s: %s, want %s", x.method, x.url, x.header, status, x.want)
		}
	}
}

// What is no RTSP ends the connection, at the latest when it becomes too long.
func TestMalformed(t *testing.T) {
	_, addr := start(t)
	for name, text := range map[string]string{
		"another protocol":  "GET / HTTP/1.1\r\n\r\n",
		"two words":         "OPTIONS *\r\n\r\n",
		"a long line":       "OPTIONS " + strings.Repeat("a", 2*maxLine),
		"many lines":        "OPTIONS * RTSP/1.0\r\n" + strings.Repeat("A: b\r\n", 2*maxHeaders),
		"a line without :":  "OPTIONS * RTSP/1.0\r\nCSeq 1\r\n\r\n",
		"a large body":      fmt.Sprintf("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n", maxBody+1),
		"a negative length": "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n",
		"a bad address":     "OPTIONS rtsp://h:x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
	} {
		c := dial(t, addr)
		io.WriteString(c.nc, text)
		if status, _, _ := c.answer(); status != badRequest {
			t.Errorf("%s: %s", name, status)
		}
		if rest, _ := io.ReadAll(c.in); len(rest) > 0 {
			t.Errorf("%s: %q", name, rest)
		}
	}
	c := dial(t, addr)
	io.WriteString(c.nc, "OPTIONS * RTSP/1.0\r\n\r\n")
	if status, _, _ := c.answer(); status != badRequest {
		t.Errorf("no CSeq: %s", status)
	}
	io.WriteString(c.nc, "OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n")
	if status, _, _ := c.answer(); status != badVersion {
		t.Errorf("another version: %s", status)
	}
}

// Connections that are cut end, and new ones at once, until they may come again.
func TestCut(t *testing.T) {
	s, addr := start(t)
	one := playing(t, addr)
	s.await(t, 1)
	s.Cut(true)
	for _, c := range []*caller{one, dial(t, addr)} {
		if rest, _ := io.ReadAll(c.in); len(rest) > 0 {
			t.Errorf("%q", rest)
		}
	}
	s.await(t, 0)
	s.Cut(false)
	playing(t, addr)
	s.await(t, 1)
}

// A client that does not read loses packets and holds nobody up.
func TestSlowClient(t *testing.T) {
	s, addr := start(t)
	playing(t, addr)
	quick := playing(t, addr)
	s.await(t, 2)
	packet := make([]byte, 60000)
	got := make(chan int)
	go func() {
		n := 0
		for buf := make([]byte, 4+len(packet)); n < queue; n++ {
			if _, err := io.ReadFull(quick.in, buf); err != nil || !bytes.Equal(buf[:4], []byte{'$', 4, 60000 >> 8, 60000 & 0xff}) {
				break
			}
		}
		got <- n
	}()
	for range 2 * queue {
		s.SendRTP(packet)
		time.Sleep(50 * time.Microsecond)
	}
	if n := <-got; n != queue {
		t.Errorf("the client that reads got %d packets", n)
	}
	s.SendRTP(make([]byte, 1<<16)) // larger than a length can say: left out
	s.HangUp()
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("$\x00\x00\x02abSETUP rtsp://h/cam RTSP/1.0\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		in := bufio.NewReaderSize(bytes.NewReader(text), maxLine)
		for {
			q, err := readRequest(in)
			if err != nil {
				return
			}
			(&client{server: New("/cam")}).respond(q)
		}
	})
}
