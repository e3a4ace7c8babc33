//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"gocv.io/x/gocv"

	"perceive/camera"
)

// Camera is a live camera or stream that a URI names, checked and not yet opened.
type Camera struct {
	URI  string // without passwords and keys
	Kind string // "v4l2", "csi", "gst", "rtsp", "http" or "stream"
	open func(ctx context.Context, o Options) (camera.Source, error)
}

// ErrNoBackend: this OpenCV was built without what the URI needs.
var ErrNoBackend = errors.New("this OpenCV cannot do that")

// IsCamera is whether a URI is of a kind that ParseCamera knows.
func IsCamera(uri string) bool { return kindOf(uri) != "" }

func kindOf(uri string) string {
	for _, k := range []struct{ prefix, kind string }{
		{"/dev/video", "v4l2"}, {"csi://", "csi"}, {"gst:", "gst"}, {"rtsp://", "rtsp"}, {"rtsps://", "rtsp"},
		{"http://", "http"}, {"https://", "http"}, {"udp://", "stream"}, {"rtp://", "stream"}, {"srt://", "stream"}, {"tcp://", "stream"},
	} {
		if strings.HasPrefix(uri, k.prefix) {
			return k.kind
		}
	}
	return ""
}

// ParseCamera reads the URI of a live camera. It connects to nothing; it is ErrNoBackend
// where this OpenCV lacks what the URI needs.
//
//	/dev/video0?width=1280&height=720&fps=30&fourcc=MJPG   a V4L2 device
//	csi://0?width=1280&height=720&fps=30&flip=0&mode=4     a Jetson's CSI camera
//	gst:PIPELINE                                           a GStreamer pipeline that ends in appsink
//	http://HOST/PATH                                       MJPEG, or what FFmpeg reads
//	rtsp://HOST/PATH, udp://HOST:PORT                      through FFmpeg; rtp, srt and tcp too
func ParseCamera(uri string) (Camera, error) {
	c := Camera{URI: camera.Redact(uri), Kind: kindOf(uri)}
	var err error
	need := gocv.VideoCaptureFFmpeg
	switch c.Kind {
	case "v4l2":
		need = gocv.VideoCaptureV4L2
		var d v4l2
		d, err = parseV4L2(uri)
		c.open = func(_ context.Context, o Options) (camera.Source, error) { return c.device(d, o) }
	case "csi":
		need = gocv.VideoCaptureGstreamer
		var s csi
		s, err = parseCSI(uri)
		c.open = func(_ context.Context, o Options) (camera.Source, error) { return c.gstreamer(s.pipeline(), o) }
	case "gst":
		need = gocv.VideoCaptureGstreamer
		text := strings.TrimSpace(strings.TrimPrefix(uri, "gst:"))
		if !strings.Contains(text, "appsink") {
			err = errors.New("the pipeline must end in appsink, such as gst:videotestsrc ! videoconvert ! video/x-raw,format=BGR ! appsink")
		}
		c.open = func(_ context.Context, o Options) (camera.Source, error) { return c.gstreamer(text, o) }
	case "http", "rtsp", "stream":
		var u *url.URL
		if u, err = url.Parse(uri); err == nil {
			if u.Host == "" {
				err = errors.New("no host")
			}
		} else {
			err = errors.Unwrap(err) // the address is in the prefix
		}
		c.open = func(_ context.Context, o Options) (camera.Source, error) { return c.ffmpeg(uri, o) }
		if c.Kind == "http" {
			c.open = func(ctx context.Context, o Options) (camera.Source, error) { return c.web(ctx, uri, o) }
		}
	default:
		err = errors.New("this is no camera or stream that is known")
	}
	if err == nil {
		err = backend(need)
	}
	if err != nil {
		return Camera{}, fmt.Errorf("opencv: %s: %w", c.URI, err)
	}
	return c, nil
}

// backend is ErrNoBackend if this OpenCV has not the one that is needed.
func backend(api gocv.VideoCaptureAPI) error {
	if gocv.VideoRegistry.HasBackend(api) {
		return nil
	}
	return fmt.Errorf("%w: OpenCV %s was built without %s", ErrNoBackend, gocv.OpenCVVersion(), gocv.VideoRegistry.GetBackendName(api))
}

// Open makes one connection. The source ends with the connection; camera/supervise makes the
// next one. Only reads of MJPEG over HTTP end with ctx, others happen in C.
func (c Camera) Open(ctx context.Context, o Options) (camera.Source, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("opencv: %s: %w", c.URI, err)
	}
	quiet()
	src, err := c.open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("opencv: %s: %w", c.URI, err)
	}
	return src, nil
}

func (c Camera) info(backend string, notes ...string) camera.Info {
	text := backend + " through OpenCV " + gocv.OpenCVVersion()
	return camera.Info{URI: c.URI, Kind: c.Kind, Backend: strings.Join(append([]string{text}, notes...), ", ")}
}

func (c Camera) device(d v4l2, o Options) (camera.Source, error) {
	cap, notes, err := d.open()
	if err != nil {
		return nil, err
	}
	return newCapture(cap, c.info("V4L2", notes...), camera.KernelClock, o), nil
}

func (c Camera) gstreamer(pipeline string, o Options) (camera.Source, error) {
	cap, err := gocv.VideoCaptureFileWithAPI(pipeline, gocv.VideoCaptureGstreamer)
	if err != nil {
		cap.Close() // GoCV returns an object with the error
		return nil, fmt.Errorf("GStreamer cannot run the pipeline %q: a mistake in it, or an element that is not installed (gst-inspect-1.0 NAME says)", pipeline)
	}
	// OpenCV asks the pipeline where it is, not the frame (opencv issue 19025): no stamp.
	return newCapture(cap, c.info("GStreamer"), camera.NoClock, o), nil
}

// web reads MJPEG itself, so that reads can be cancelled and the server's times are
// seen; what is something else is FFmpeg's.
func (c Camera) web(ctx context.Context, uri string, o Options) (camera.Source, error) {
	src, err := openHTTP(ctx, uri, o)
	if errors.Is(err, errNotMultipart) {
		return c.ffmpeg(uri, o)
	}
	if err != nil {
		return nil, err // not src: it is a nil of its own type
	}
	return src, nil
}
