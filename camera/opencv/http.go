//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// dialTimeout bounds connecting to a camera, and waiting for its first answer: a camera
// that is off does not answer at all, and the next try must come soon after it is on again.
const dialTimeout = 2 * time.Second

// httpMJPEG reads pictures that a server sends one after the other (multipart/x-mixed-replace).
type httpMJPEG struct {
	info   camera.Info
	body   io.ReadCloser
	done   <-chan struct{} // of the context that can end a read at no cost
	hangup context.CancelFunc
	parts  *parts
	pool   *pool
	opened time.Time
	seq    uint64
	last   time.Duration
	end    error
}

// client has connections of its own for every source: they are never used again.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: dialTimeout,
		DisableKeepAlives:     true,
		DisableCompression:    true,
	}}
}

// errNotMultipart: the server sends something else than pictures one by one.
var errNotMultipart = errors.New("not a multipart stream")

var errServerEnded = errors.New("the server ended the stream")

// openHTTP connects to an MJPEG camera. It is errNotMultipart where the answer is of another kind.
//
// A picture that cannot be decoded is a *camera.FrameError; a stream that breaks off is an
// error that ends the source. The end of ctx ends a read that is under way; so does the end of
// another context that Next is given, and the source with it. X-Timestamp, where the server
// sends it, becomes Frame.Stamp (see parseStamp for its unit).
func openHTTP(ctx context.Context, uri string, o Options) (*httpMJPEG, error) {
	given := ctx.Done()
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	res, err := client().Do(req)
	if err != nil {
		cancel()
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is in the prefix
		}
		return nil, err
	}
	boundary, err := boundaryOf(res)
	if err != nil {
		res.Body.Close()
		cancel()
		return nil, err
	}
	h := &httpMJPEG{
		body: res.Body, done: given, hangup: cancel,
		parts: newParts(res.Body, boundary), pool: newPool(o.buffers()), opened: time.Now(), last: -1,
		info: camera.Info{URI: camera.Redact(uri), Kind: "http", Live: true, Backend: "MJPEG over HTTP, JPEG through OpenCV " + gocv.OpenCVVersion()},
	}
	return h, nil
}

// boundaryOf is what stands between the parts of an answer.
func boundaryOf(res *http.Response) (string, error) {
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the server says %s", res.Status)
	}
	content := res.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(content)
	switch {
	case !strings.HasPrefix(content, "multipart/"):
		return "", fmt.Errorf("%w: %q", errNotMultipart, content)
	case err != nil:
		return "", fmt.Errorf("Content-Type %q: %w", content, err)
	case params["boundary"] == "":
		return "", fmt.Errorf("Content-Type %s has no boundary", kind)
	}
	return params["boundary"], nil
}

func (h *httpMJPEG) Info() camera.Info { return h.info }

// Next implements camera.Source.
func (h *httpMJPEG) Next(ctx context.Context) (*camera.Frame, error) {
	if h.end != nil {
		return nil, h.end
	}
	s, err := h.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	// A part that is cut in two is lost, so the wait for one cannot be taken up again.
	if ctx.Done() != nil && ctx.Done() != h.done {
		defer context.AfterFunc(ctx, h.hangup)()
	}
	p, err := h.parts.next()
	if err != nil {
		h.pool.put(s)
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case errors.Is(err, io.EOF):
			err = errServerEnded // a camera has no ordinary end
		}
		h.end = fmt.Errorf("opencv: %s: after %d frames: %w", h.info.URI, h.seq, err)
		return nil, h.end
	}
	now := time.Now()
	seq, at := h.seq, max(now.Sub(h.opened), h.last+1)
	h.seq, h.last = seq+1, at
	if err := s.decode(p.body); err != nil {
		h.pool.put(s)
		return nil, &camera.FrameError{Seq: seq, Time: at, Name: h.info.URI, Err: err}
	}
	f := s.frame
	f.Seq, f.Time, f.Captured = seq, at, now
	f.Stamp, f.Clock = 0, camera.NoClock
	if p.timed {
		f.Stamp, f.Clock = p.stamp, camera.HeaderClock
	}
	h.info.Width, h.info.Height = f.Width, f.Height
	return f, nil
}

// Close implements camera.Source. Frames that are still lent stay readable until their
// Release.
func (h *httpMJPEG) Close() error {
	if h.body == nil {
		return nil
	}
	h.hangup()
	h.body.Close()
	h.body = nil
	h.pool.close()
	h.end = fmt.Errorf("opencv: %s: %w", h.info.URI, errClosed)
	return nil
}
