package publish

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"perceive/perception"
)

// A stream on which nothing happens says that it lives, in a comment that clients pass over.
func TestEventsHeartbeat(t *testing.T) {
	e, err := NewEvents(perception.Header{Schema: perception.ResultSchema}, Options{Name: "events"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	e.beat = time.Millisecond
	server := httptest.NewServer(e)
	defer http.DefaultClient.CloseIdleConnections()
	defer server.Close()
	defer e.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal("no heartbeat: ", err)
		}
		if line == ": still here\n" {
			return
		}
	}
}
