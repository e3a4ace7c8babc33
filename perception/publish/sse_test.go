package publish_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"perceive/perception/publish"
)

func itoa(i int) string { return strconv.Itoa(i) }

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	return must(t, n, err)
}

// serve runs the events on a real server.
func serve(t *testing.T, o publish.Options, most int) (*publish.Events, *httptest.Server) {
	e, err := publish.NewEvents(head, o, most)
	must(t, e, err)
	server := httptest.NewServer(e)
	t.Cleanup(func() {
		e.Close()
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return e, server
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	resp, err := http.Get(url)
	must(t, resp, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// The stream is as the standard for Server-Sent Events has it: header, results with ids, events.
func TestEventsStream(t *testing.T) {
	e, server := serve(t, publish.Options{Name: "events"}, 0)
	resp := get(t, server.URL)
	if c := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || c != "text/event-stream" {
		t.Errorf("%s, %s", resp.Status, c)
	}
	r := bufio.NewReader(resp.Body)
	block := func() string {
		t.Helper()
		var b strings.Builder
		for {
			l := string(line(t, r))
			if l == "\n" {
				return b.String()
			}
			b.WriteString(l)
		}
	}
	if b := block(); !strings.HasPrefix(b, "event: header\ndata: {\"schema\":2,") {
		t.Error(b)
	}
	e.Emit(t.Context(), ok(17), nil)
	if b := block(); !strings.HasPrefix(b, "id: 17\nevent: result\ndata: {\"seq\":17,") || strings.Count(b, "\n") != 3 {
		t.Error(b)
	}
	if err := e.Event("model", map[string]string{"result": "swapped\nbackwards"}); err != nil {
		t.Fatal(err)
	}
	if b := block(); !strings.HasPrefix(b, `event: event`+"\n"+`data: {"event":"model","time":"`) || !strings.Contains(b, `"result":"swapped\nbackwards"`) || strings.Count(b, "\n") != 2 {
		t.Error(b)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	if resp := get(t, server.URL); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after the end: %s", resp.Status)
	}
}

func TestEventsLimitsClients(t *testing.T) {
	_, server := serve(t, publish.Options{Name: "events"}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	must(t, req, err)
	first, err := http.DefaultClient.Do(req)
	must(t, first, err)
	defer first.Body.Close()
	if resp := get(t, server.URL); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a second client: %s", resp.Status)
	}
	resp, err := http.Post(server.URL, "text/plain", nil)
	must(t, resp, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", resp.Status)
	}
	cancel()
	eventually(t, "there is room again", func() bool {
		resp, err := http.Get(server.URL)
		must(t, resp, err)
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// A browser that stands still holds up nobody; what it reads then is the newest, with the gap said.
func TestEventsClientThatDoesNotRead(t *testing.T) {
	e, server := serve(t, publish.Options{Name: "events", Lines: 10}, 0)
	resp := get(t, server.URL)
	const n = 2000 // 20 MB, more than a connection holds
	for i := range n {
		e.Emit(t.Context(), long(i), nil)
		if i%10 == 9 {
			eventually(t, "the lines are handed on", func() bool { s := e.Stats(); return s.Waiting <= 10 })
		}
	}
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	seen, lost, last := 0, 0, ""
	for lines := bufio.NewReader(resp.Body); ; {
		l, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		data, is := strings.CutPrefix(l, "data: ")
		switch {
		case !is || strings.Contains(data, `"schema"`):
		case strings.HasPrefix(data, `{"event":"lost"`):
			lost += atoi(t, field(t, []byte(data), "count"))
		default:
			seen, last = seen+1, field(t, []byte(data), "seq")
		}
	}
	if lost == 0 || seen+lost != n || last != itoa(n-1) {
		t.Errorf("%d results and %d lost of %d, the last is %s", seen, lost, n, last)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
