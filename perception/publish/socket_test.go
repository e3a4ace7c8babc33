package publish_test

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perceive/perception"
	"perceive/perception/publish"
)

func dial(t testing.TB, path string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("unix", path)
	must(t, conn, err)
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	return conn, bufio.NewReader(conn)
}

func line(t testing.TB, r *bufio.Reader) []byte {
	t.Helper()
	l, err := r.ReadBytes('\n')
	return must(t, l, err)
}

// long is a result whose line fills a connection soon.
func long(seq int) *perception.Result {
	return &perception.Result{Seq: uint64(seq), Status: perception.Failed, Reason: strings.Repeat("x", 10_000)}
}

// A client that does not read loses lines, and is told how many; the others get all of them.
func TestSocketKeepsClientsApart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := publish.NewSocket(path, head, publish.Options{Name: "socket", Lines: 10}, 0)
	must(t, s, err)
	idle, idleLines := dial(t, path)
	defer idle.Close()
	busy, busyLines := dial(t, path)
	defer busy.Close()
	line(t, busyLines) // headers: both are in
	line(t, idleLines)
	const n = 200 // 2 MB, more than a connection holds
	for i := range n {
		s.Emit(t.Context(), long(i), nil)
		if got := field(t, line(t, busyLines), "seq"); got != field(t, []byte(`{"seq":`+itoa(i)+`}`), "seq") {
			t.Fatalf("result %d is %s", i, got)
		}
	}
	if st := s.Stats(); st.Dropped == 0 || st.Written < n {
		t.Errorf("stats %+v", st)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	seen, lost, last := 0, 0, ""
	for {
		l, err := idleLines.ReadBytes('\n')
		if err != nil {
			break
		}
		if field(t, l, "event") == "lost" {
			lost += atoi(t, field(t, l, "count"))
			continue
		}
		seen, last = seen+1, field(t, l, "seq")
	}
	if lost == 0 || seen+lost != n || last != itoa(n-1) {
		t.Errorf("%d results and %d lost of %d, the last is %s", seen, lost, n, last)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket's file is left: %v", err)
	}
}

// What waits for a client that never reads ends with the deadline.
func TestSocketClosesOnClientsThatDoNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := publish.NewSocket(path, head, publish.Options{Name: "socket", Lines: 100}, 0)
	must(t, s, err)
	conn, r := dial(t, path)
	defer conn.Close()
	line(t, r)
	for i := range 100 {
		s.Emit(t.Context(), long(i), nil)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A client that never reads gives its place to another in the end.
func TestSocketCutsOffWhoDoesNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := publish.NewSocket(path, head, publish.Options{Name: "socket", Patience: 50 * time.Millisecond}, 1)
	must(t, s, err)
	defer s.Close()
	idle, r := dial(t, path)
	defer idle.Close()
	line(t, r)
	for i := range 200 { // 2 MB, more than a connection holds
		s.Emit(t.Context(), long(i), nil)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		next, lines := dial(t, path)
		if l := line(t, lines); field(t, l, "event") != "refused" {
			next.Close()
			return
		}
		next.Close()
		if time.Now().After(end) {
			t.Fatal("the place is not free")
		}
	}
}

func TestSocketFile(t *testing.T) {
	dir := t.TempDir()
	open := func(name string) (*publish.Socket, error) {
		return publish.NewSocket(filepath.Join(dir, name), head, publish.Options{Name: "socket"}, 1)
	}
	// One that a dead program left.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "stale"), Net: "unix"})
	must(t, l, err)
	l.SetUnlinkOnClose(false)
	l.Close()
	s, err := open("stale")
	must(t, s, err)
	defer s.Close()
	// One that is in use.
	if _, err := open("stale"); err == nil || !strings.Contains(err.Error(), "another program listens") {
		t.Error(err)
	}
	// A file.
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open("file"); err == nil || !strings.Contains(err.Error(), "no socket") || read(t, dir, "file") != "precious" {
		t.Error(err)
	}
	if _, err := open("none/s"); err == nil {
		t.Error("a socket in a folder that does not exist")
	}
}

// One client more than there may be is told why; when one has gone there is room.
func TestSocketLimitsClients(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := publish.NewSocket(path, head, publish.Options{Name: "socket"}, 1)
	must(t, s, err)
	defer s.Close()
	first, r := dial(t, path)
	line(t, r)
	second, r := dial(t, path)
	defer second.Close()
	if l := line(t, r); field(t, l, "event") != "refused" || !strings.Contains(string(l), "1 clients") {
		t.Errorf("%s", l)
	}
	first.Close()
	eventually(t, "there is room again", func() bool {
		s.Emit(t.Context(), ok(0), nil)
		conn, r := dial(t, path)
		defer conn.Close()
		return field(t, line(t, r), "schema") == "2"
	})
}
