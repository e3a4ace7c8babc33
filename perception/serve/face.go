package serve

import (
	"context"
	"errors"
	"net/http"
	"time"

	"perceive/camera/opencv"
	"perceive/perception/publish"
)

// pictureQuality is that of the pictures over HTTP, 1 to 100.
const pictureQuality = 75

// Frame is the next picture of a source as JPEG, with the frame's number and time of capture.
// It waits for one until ctx ends.
func (d *Daemon) Frame(ctx context.Context, name string) (jpeg []byte, seq uint64, at time.Time, err error) {
	d.mu.Lock()
	sources := d.sources
	d.mu.Unlock()
	for _, s := range sources {
		if name != "" && s.cfg.Name != name {
			continue
		}
		got, err := s.tap.next(ctx)
		if err != nil {
			return nil, 0, at, err
		}
		f := got.frame
		jpeg, err = opencv.EncodeJPEG(f.Width, f.Height, f.Pix, pictureQuality)
		return jpeg, f.Seq, f.Captured, err
	}
	return nil, 0, at, ErrNoSource
}

// ErrNoSource reports a source that there is not.
var ErrNoSource = errors.New("serve: no such source")

// Results is the stream of results, 503 until there is one.
func (d *Daemon) Results() http.Handler {
	return d.later(func(p *Published) http.Handler { return p.Results() })
}

// Metrics are for Prometheus, 503 until there are any.
func (d *Daemon) Metrics() http.Handler {
	return d.later(func(p *Published) http.Handler { return p.Metrics().Handler() })
}

// later serves what exists once the outputs are open.
func (d *Daemon) later(of func(*Published) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		p, ok := d.outputs.(*Published)
		d.mu.Unlock()
		if !ok || p == nil {
			http.Error(w, "not ready yet", http.StatusServiceUnavailable)
			return
		}
		of(p).ServeHTTP(w, r)
	})
}

// cameras are what the metrics say of the sources.
func (d *Daemon) cameras() (out []publish.Camera) {
	d.mu.Lock()
	sources := d.sources
	d.mu.Unlock()
	for _, s := range sources {
		st := s.status()
		out = append(out, publish.Camera{Name: st.Name, State: st.State, Counts: st.Counts})
	}
	return out
}

// SourceNames are the sources that are open, in the configuration's order.
func (d *Daemon) SourceNames() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sources {
		names = append(names, s.cfg.Name)
	}
	return names
}
