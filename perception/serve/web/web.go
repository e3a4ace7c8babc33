// Package web is the daemon's face over HTTP: its state for programs, a stream of results, the
// newest pictures, and a page that shows it all. It is for a machine's own users: it knows no
// passwords, and listens on loopback alone unless it is told otherwise.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"perceive/models"
	"perceive/perception/serve/status"
)

// Daemon is what the face is of. All methods may be called from several goroutines.
type Daemon interface {
	Status() status.Status
	// SourceNames are the sources that are open, in the configuration's order.
	SourceNames() []string
	// Frame is the next picture of a source as JPEG, with the frame's number and time of
	// capture. It waits for one until ctx ends.
	Frame(ctx context.Context, source string) (jpeg []byte, seq uint64, at time.Time, err error)
	// Results serves Server-Sent Events: "header", "result" and "event".
	Results() http.Handler
	Metrics() http.Handler
	// Manifest is nil before a model is loaded.
	Manifest() *models.Manifest
	// Reload reads the model again, or another file if it is not empty.
	Reload(ctx context.Context, file string) error
}

// Config says where and how. Zero fields take their defaults.
type Config struct {
	// Listen is ADDRESS:PORT; default 127.0.0.1:8080.
	Listen string
	// Remote allows an address that is not loopback: whoever reaches it sees the pictures.
	Remote bool
	// Hosts are names under which the face may be asked for, beside localhost and addresses.
	Hosts []string
	// Pictures is how many pictures of a source are encoded a second at most; default 10.
	Pictures float64
	// Requests are served at a time, streams and probes aside; default 32.
	Requests int
	// Connections are held at a time; default 128.
	Connections int
	// ReadTimeout is for a request's head and body; default 5 s. WriteTimeout is for an
	// answer, streams aside; default 15 s.
	ReadTimeout, WriteTimeout time.Duration
	// PictureWait is how long a request for a picture waits for the next frame; default 2 s.
	PictureWait time.Duration
	// ReloadTime is how long a change of the model may take; default 2 min.
	ReloadTime time.Duration
	// Log is told of requests that were refused; default slog's.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	set(&c.Listen, "127.0.0.1:8080")
	set(&c.Pictures, 10)
	set(&c.Requests, 32)
	set(&c.Connections, 128)
	set(&c.ReadTimeout, 5*time.Second)
	set(&c.WriteTimeout, 15*time.Second)
	set(&c.PictureWait, 2*time.Second)
	set(&c.ReloadTime, 2*time.Minute)
	set(&c.Log, slog.Default())
	return c
}

func set[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Server serves a daemon's face.
type Server struct {
	cfg      Config
	daemon   Daemon
	pictures pictures
	handler  http.Handler
	stop     context.CancelFunc // ends what requests wait for
	base     context.Context
}

var _ http.Handler = (*Server)(nil)

// New makes the face of a daemon. Serve shows it; as a handler it can be tested without.
func New(c Config, d Daemon) *Server {
	s := &Server{cfg: c.withDefaults(), daemon: d}
	s.base, s.stop = context.WithCancel(context.Background())
	s.pictures = newPictures(d, s.cfg.Pictures, s.cfg.PictureWait)
	s.handler = s.routes()
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// routes are the endpoints and what stands before them.
func (s *Server) routes() http.Handler {
	limited := newLimit(s.cfg.Requests)
	mux := http.NewServeMux()
	get := func(path string, h http.Handler) { mux.Handle(path, only(http.MethodGet, h)) }
	get("/v1/status", limited(http.HandlerFunc(s.status)))
	get("/v1/model", limited(http.HandlerFunc(s.model)))
	get("/v1/frame.jpg", limited(http.HandlerFunc(s.frame)))
	get("/metrics", limited(asked(s.daemon.Metrics)))
	// Streams have a limit of their own, and probes must come through when all else does not.
	get("/v1/results", endless(asked(s.daemon.Results)))
	get("/healthz", http.HandlerFunc(s.healthy))
	get("/readyz", http.HandlerFunc(s.ready))
	mux.Handle("/v1/reload", only(http.MethodPost, limited(http.HandlerFunc(s.reload))))
	for path, h := range page() {
		get(path, limited(h))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "there is nothing at "+r.URL.Path+"; the page is at /, the state at /v1/status")
	})
	return headers(s.hosts(http.NewCrossOriginProtection().Handler(mux)))
}

// asked asks for the handler anew for each request: it may come and go with the outputs.
func asked(h func() http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h().ServeHTTP(w, r) })
}
