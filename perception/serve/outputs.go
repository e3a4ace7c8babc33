package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"perceive/camera"
	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/publish"
)

// OutputsConfig says where results go, beside the HTTP face.
type OutputsConfig struct {
	Stdout bool         `yaml:"stdout"`
	File   FileConfig   `yaml:"file"`
	Socket SocketConfig `yaml:"socket"`
	MCAP   MCAPConfig   `yaml:"mcap"`
}

// FileConfig is a series of JSON Lines files. Empty Dir means none.
type FileConfig struct {
	Dir   string `yaml:"dir"`
	Bytes int64  `yaml:"bytes"` // of one file
	Keep  int    `yaml:"keep"`  // files
}

// SocketConfig is a Unix socket. Empty Path means none.
type SocketConfig struct {
	Path    string `yaml:"path"`
	Clients int    `yaml:"clients"`
}

// MCAPConfig is a series of MCAP recordings. Empty Dir means none.
type MCAPConfig struct {
	Dir         string  `yaml:"dir"`
	Bytes       int64   `yaml:"bytes"`
	Keep        int     `yaml:"keep"`
	Compression string  `yaml:"compression"`
	Pictures    float64 `yaml:"pictures"` // a second of each source
	Quality     int     `yaml:"quality"`
}

func (o *OutputsConfig) faults(bad func(string, string, ...any)) {
	for _, f := range []struct {
		key   string
		dir   string
		bytes int64
		keep  int
	}{{"outputs.file", o.File.Dir, o.File.Bytes, o.File.Keep}, {"outputs.mcap", o.MCAP.Dir, o.MCAP.Bytes, o.MCAP.Keep}} {
		if f.bytes < 64<<10 {
			bad(f.key+".bytes", "%d: want 65536 or more", f.bytes)
		}
		if f.keep < 2 {
			bad(f.key+".keep", "%d: want 2 or more: one is written to", f.keep)
		}
	}
	if o.Socket.Clients < 1 || o.Socket.Clients > 1000 {
		bad("outputs.socket.clients", "%d is not within 1..1000", o.Socket.Clients)
	}
	if o.MCAP.Compression != mcap.None && o.MCAP.Compression != mcap.Zstd {
		bad("outputs.mcap.compression", "%q: want zstd, or nothing", o.MCAP.Compression)
	}
	if !(o.MCAP.Pictures >= 0 && o.MCAP.Pictures <= 120) {
		bad("outputs.mcap.pictures", "%g is not within 0..120", o.MCAP.Pictures)
	}
	if o.MCAP.Quality < 1 || o.MCAP.Quality > 100 {
		bad("outputs.mcap.quality", "%d is not within 1..100", o.MCAP.Quality)
	}
}

// maxEventClients is how many may follow the results over HTTP.
const maxEventClients = 32

// Published is the outputs of package publish.
type Published struct {
	all     []publish.Output
	events  *publish.Events
	metrics *publish.Metrics
}

// Publish opens the outputs that a configuration names.
func Publish(c OutputsConfig, deadline time.Duration, h perception.Header, stdout io.Writer) (_ *Published, err error) {
	p := &Published{metrics: publish.NewMetrics(h, deadline)}
	defer func() {
		if err != nil {
			p.Close(context.Background())
			err = fmt.Errorf("outputs: %w", err)
		}
	}()
	if p.events, err = publish.NewEvents(h, publish.Options{Name: "http"}, maxEventClients); err != nil {
		return nil, err
	}
	p.all = append(p.all, p.events)
	add := func(o publish.Output, e error) {
		if e == nil {
			p.all = append(p.all, o)
		}
		err = errors.Join(err, e)
	}
	if c.Stdout {
		add(publish.NewStream(stdout, h, publish.Options{Name: "stdout"}))
	}
	if c.File.Dir != "" {
		add(publish.NewFiles(publish.FileOptions{Dir: c.File.Dir, MaxBytes: c.File.Bytes, MaxFiles: c.File.Keep}, h, publish.Options{Name: "file"}))
	}
	if c.Socket.Path != "" {
		add(publish.NewSocket(c.Socket.Path, h, publish.Options{Name: "socket"}, c.Socket.Clients))
	}
	if c.MCAP.Dir != "" {
		add(publish.NewMCAP(publish.MCAPOptions{
			FileOptions: publish.FileOptions{Dir: c.MCAP.Dir, MaxBytes: c.MCAP.Bytes, MaxFiles: c.MCAP.Keep},
			Compression: c.MCAP.Compression, Quality: c.MCAP.Quality}, h, publish.Options{Name: "mcap", PictureRate: c.MCAP.Pictures}))
	}
	if err != nil {
		return nil, err
	}
	return p, p.metrics.CollectOutputs(p.stats)
}

// Sinks implements Outputs.
func (p *Published) Sinks() []perception.Sink {
	out := []perception.Sink{p.metrics}
	for _, o := range p.all {
		out = append(out, o)
	}
	return out
}

// Camera implements Outputs.
func (p *Published) Camera(source string, e camera.Event) {
	for _, o := range p.all {
		// An event that cannot be written is in the log, too.
		o.Event("camera", publish.CameraEvent{Source: source, State: string(e.State), Reason: e.Reason, Attempt: e.Attempt, BackoffMS: e.Backoff.Milliseconds()})
	}
}

// Model implements Outputs.
func (p *Published) Model(h perception.Header) {
	p.metrics.Model(h)
	for _, o := range p.all {
		o.Model(h) // fails for no header that opened the outputs
	}
}

func (p *Published) stats() (out []publish.Stats) {
	for _, o := range p.all {
		out = append(out, o.Stats())
	}
	return out
}

// Status implements Outputs.
func (p *Published) Status() (out []Output) {
	for _, s := range p.stats() {
		out = append(out, Output{Name: s.Name, Written: s.Written, Dropped: s.Dropped, Waiting: s.Waiting, Error: s.Error})
	}
	return out
}

// Results is the stream of results over HTTP, Metrics those for Prometheus.
func (p *Published) Results() http.Handler { return p.events }

// Metrics are for Prometheus.
func (p *Published) Metrics() *publish.Metrics { return p.metrics }

// Close implements Outputs.
func (p *Published) Close(ctx context.Context) error {
	// Side by side: one that hangs takes no time from the others.
	errs := make([]error, len(p.all))
	var wg sync.WaitGroup
	for i, o := range p.all {
		wg.Go(func() { errs[i] = o.Shutdown(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
