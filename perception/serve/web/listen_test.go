package web_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"perceive/perception/serve/web"
)

// What a reader does not take is not held by the megabyte: it would be late by all of that.
func TestAnswersAreNotHeldByTheKernel(t *testing.T) {
	l, err := web.New(web.Config{Listen: "127.0.0.1:0"}, newFake(t)).Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) })
	}}
	reader, err := small.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := c.Write(make([]byte, 16<<20))
	if err == nil || n > 256<<10 {
		t.Errorf("%d bytes were taken for a reader that does not read, %v: want 262144 at most", n, err)
	}
}
