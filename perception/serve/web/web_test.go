package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"image/jpeg"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"perceive/models"
	"perceive/perception/serve/status"
	"perceive/perception/serve/web"
)

// ask is a request to a handler, from this machine unless a header says otherwise.
func ask(h http.Handler, method, path string, with ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host, r.RemoteAddr = "127.0.0.1:8080", "127.0.0.1:4711"
	for i := 0; i < len(with); i += 2 {
		switch with[i] {
		case "Host":
			r.Host = with[i+1]
		case "from":
			r.RemoteAddr = with[i+1]
		default:
			r.Header.Set(with[i], with[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEndpoints(t *testing.T) {
	s := web.New(web.Config{}, newFake(t))
	silent := newFake(t)
	silent.change(func() { silent.silent = true })
	early := web.New(web.Config{}, silent)
	for _, c := range []struct {
		name         string
		h            http.Handler
		method, path string
		code         int
		kind         string
		words        string
	}{
		{"page", s, "GET", "/", 200, "text/html", `<main id="cams"`},
		{"style", s, "GET", "/style.css", 200, "text/css", ".label"},
		{"script", s, "GET", "/main.js", 200, "text/javascript", "import"},
		{"head", s, "HEAD", "/", 200, "text/html", ""},
		{"no folder", s, "GET", "/page/", 404, "text/plain", "there is nothing at /page/"},
		{"no other file", s, "GET", "/web.go", 404, "text/plain", "the page is at /"},
		{"no way up", s, "GET", "/../web.go", 307, "", ""},
		{"status", s, "GET", "/v1/status", 200, "application/json", `"name":"front"`},
		{"model", s, "GET", "/v1/model", 200, "application/json", `"labels":[{"id":"pedestrian"`},
		{"no model", early, "GET", "/v1/model", 503, "text/plain", "no model is loaded yet"},
		{"metrics", s, "GET", "/metrics", 200, "text/plain", "perceive_info"},
		{"healthy", s, "GET", "/healthz", 200, "application/json", `{"ok":true,"problems":[]}`},
		{"ready", s, "GET", "/readyz", 200, "application/json", `{"ok":true,"problems":[]}`},
		{"not healthy", early, "GET", "/healthz", 503, "application/json", `{"ok":false,"problems":[{"part":"daemon","what":"not ready"`},
		{"not ready", early, "GET", "/readyz", 503, "application/json", `"what":"not ready"`},
		{"post to the page", s, "POST", "/", 405, "text/plain", "/ is for GET, not POST"},
		{"delete", s, "DELETE", "/v1/status", 405, "text/plain", "is for GET"},
		{"reload by GET", s, "GET", "/v1/reload", 405, "text/plain", "is for POST"},
		{"reload", s, "POST", "/v1/reload?file=new.onnx", 200, "application/json", `"file":"new.onnx","result":"swapped"`},
		{"refused reload", s, "POST", "/v1/reload?file=bad.onnx", 409, "text/plain", "the model was not changed: the graph's hash"},
		{"no such source", s, "GET", "/v1/frame.jpg?source=left", 404, "text/plain", `there is no source "left"; there is: front, rear`},
		{"no source yet", early, "GET", "/v1/frame.jpg", 503, "text/plain", "no source is open yet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(c.h, c.method, c.path)
			if w.Code != c.code || !strings.HasPrefix(w.Header().Get("Content-Type"), c.kind) || !strings.Contains(w.Body.String(), c.words) {
				t.Errorf("%d %s: %.300s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			csp := w.Header().Get("Content-Security-Policy")
			if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers: %v", w.Header())
			}
		})
	}
}

// The state reads back as it was.
func TestStatusReadsBack(t *testing.T) {
	var got status.Status
	if err := json.Unmarshal(ask(web.New(web.Config{}, newFake(t)), "GET", "/v1/status").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Sources) != 2 || got.Sources[1].Name != "rear" || got.Sources[0].Stages["age"].P99 != 61.5 || got.Model.Labels[3].Leave != 0.4 {
		t.Errorf("%+v", got)
	}
}

// Pages elsewhere get nothing: not by a name that points here, and not by asking for a change.
func TestStrangersAreRefused(t *testing.T) {
	f := newFake(t)
	s := web.New(web.Config{Hosts: []string{"unit7.lan"}}, f)
	for _, c := range []struct {
		name, method string
		with         []string
		code         int
	}{
		{"rebound name", "GET", []string{"Host", "evil.example:8080"}, 421},
		{"rebound name without port", "GET", []string{"Host", "evil.example"}, 421},
		{"no name", "GET", []string{"Host", ""}, 421},
		{"localhost", "GET", []string{"Host", "localhost:8080"}, 200},
		{"address", "GET", []string{"Host", "10.0.0.7:8080"}, 200},
		{"address of six", "GET", []string{"Host", "[::1]:8080"}, 200},
		{"configured name", "GET", []string{"Host", "unit7.lan:8080"}, 200},
		{"program", "POST", nil, 200},
		{"our page", "POST", []string{"Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin"}, 200},
		{"another page", "POST", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"another page in an old browser", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"another machine", "POST", []string{"from", "10.0.0.9:4711"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.change(func() { f.reload = nil })
			path := "/v1/status"
			if c.method == "POST" {
				path = "/v1/reload?file=a.onnx"
			}
			if w := ask(s, c.method, path, c.with...); w.Code != c.code {
				t.Errorf("%d, want %d: %s", w.Code, c.code, w.Body)
			}
			if changed := f.Status().Reload != nil; changed != (c.method == "POST" && c.code == 200) {
				t.Errorf("the model was changed: %v", changed)
			}
		})
	}
}

// A picture says which frame it is of; where there is none, why is said.
func TestFrame(t *testing.T) {
	f := newFake(t)
	s := web.New(web.Config{PictureWait: 3 * time.Second}, f)
	w := ask(s, "GET", "/v1/frame.jpg?source=rear")
	img, err := jpeg.Decode(w.Body)
	if err != nil || img.Bounds().Dx() != frameWidth {
		t.Fatalf("%d: %v", w.Code, err)
	}
	if at, err := time.Parse(time.RFC3339Nano, w.Header().Get("X-Captured")); err != nil || time.Since(at) > time.Minute || w.Header().Get("X-Seq") == "" {
		t.Errorf("%v, %v", w.Header(), err)
	}
	f.lose("front", "unplugged")
	w = ask(web.New(web.Config{PictureWait: 50 * time.Millisecond}, f), "GET", "/v1/frame.jpg")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "source front has no picture: none came within 50ms") || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// counter is a daemon that counts what it is asked for, and lets requests wait.
type counter struct {
	frames  atomic.Int32
	waiting chan struct{}
	hold    chan struct{}
	stream  http.HandlerFunc
}

func (c *counter) Status() status.Status {
	if c.hold != nil {
		c.waiting <- struct{}{}
		<-c.hold
	}
	return status.Status{Healthy: true, Sources: []status.Source{{Name: "a"}}}
}
func (c *counter) Frame(context.Context, string) ([]byte, uint64, time.Time, error) {
	return []byte("jpeg"), uint64(c.frames.Add(1)), time.Now(), nil
}
func (c *counter) SourceNames() []string                { return []string{"a"} }
func (c *counter) Results() http.Handler                { return c.stream }
func (c *counter) Metrics() http.Handler                { return http.NotFoundHandler() }
func (c *counter) Manifest() *models.Manifest           { return nil }
func (c *counter) Reload(context.Context, string) error { return nil }

// However many ask, a source is encoded only so often.
func TestPicturesAreShared(t *testing.T) {
	c := &counter{}
	s := web.New(web.Config{Pictures: 0.001, Requests: 100}, c)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if w := ask(s, "GET", "/v1/frame.jpg"); w.Code != 200 || w.Header().Get("X-Seq") != "1" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		})
	}
	all.Wait()
	if n := c.frames.Load(); n != 1 {
		t.Errorf("%d pictures were encoded", n)
	}
	quick := web.New(web.Config{Pictures: 1e9}, c)
	ask(quick, "GET", "/v1/frame.jpg")
	if w := ask(quick, "GET", "/v1/frame.jpg"); w.Header().Get("X-Seq") != "3" {
		t.Errorf("an old picture: %v", w.Header())
	}
}

// More requests than allowed are told to come again; probes are answered all the same.
func TestRequestsAreLimited(t *testing.T) {
	c := &counter{waiting: make(chan struct{}, 10), hold: make(chan struct{})}
	s := web.New(web.Config{Requests: 2}, c)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if w := ask(s, "GET", "/v1/status"); w.Code != 200 {
				t.Errorf("%d", w.Code)
			}
		})
		<-c.waiting
	}
	if w := ask(s, "GET", "/v1/status"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	all.Go(func() {
		if w := ask(s, "GET", "/healthz"); w.Code != 200 {
			t.Errorf("healthz: %d", w.Code)
		}
	})
	<-c.waiting // it is not refused
	close(c.hold)
	all.Wait()
}

// A stream outlives the server's timeouts, and ends with the server; a client that does not send
// its request is cut off.
func TestTimeouts(t *testing.T) {
	const short = 100 * time.Millisecond
	c := &counter{}
	ended := make(chan struct{})
	c.stream = func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for range 10 {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(short):
			}
			io.WriteString(w, "data: {}\n\n")
			http.NewResponseController(w).Flush()
		}
		io.WriteString(w, "data: last\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	s := web.New(web.Config{Listen: "127.0.0.1:0", ReadTimeout: short, WriteTimeout: short}, c)
	l, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()

	slow, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	io.WriteString(slow, "GET /v1/status HTTP/1.1\r\n")
	slow.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(slow); err != nil {
		t.Errorf("a slow client was not cut off: %v", err)
	}
	resp, err := http.Get("http://" + l.Addr().String() + "/v1/results")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && lines.Text() != "data: last" {
	}
	if lines.Text() != "data: last" {
		t.Errorf("the stream was cut off: %v", lines.Err())
	}
	cancel()
	<-ended
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The address must be loopback, unless it is said in so many words.
func TestListen(t *testing.T) {
	for _, c := range []struct {
		listen string
		remote bool
		words  string // of the error; empty: none
	}{
		{"127.0.0.1:0", false, ""},
		{"localhost:0", false, ""},
		{":0", false, "others than this machine could see the cameras' pictures"},
		{"0.0.0.0:0", false, "http.remote: true"},
		{"0.0.0.0:0", true, ""},
		{"nowhere", false, "want ADDRESS:PORT"},
		{"127.0.0.1:99999", false, "want ADDRESS:PORT"},
	} {
		var said bytes.Buffer
		s := web.New(web.Config{Listen: c.listen, Remote: c.remote, Log: slog.New(slog.NewTextHandler(&said, nil))}, &counter{})
		l, err := s.Listen()
		if err == nil {
			l.Close()
		}
		if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", c.listen, err)
		}
		if warned := strings.Contains(said.String(), "without a password"); warned != c.remote {
			t.Errorf("%s: the log says %q", c.listen, &said)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := web.New(web.Config{Listen: taken.Addr().String()}, &counter{}).Listen(); err == nil || !strings.Contains(err.Error(), "is another program there") {
		t.Errorf("a taken port: %v", err)
	}
}
