// Package open opens whatever a URI names: a recording, pictures, a drawn scene or a live
// camera, which it puts under supervision.
package open

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/camera/scene"
	"perceive/camera/supervise"
)

// ErrURI: the URI is wrong, whatever is there to be opened.
var ErrURI = errors.New("wrong source")

// Options are what a program knows and a URI does not say.
type Options struct {
	// Threads limits the decoder of recordings, see opencv.Options.
	Threads int
	// OnEvent, if not nil, is told what live sources do, see supervise.Config.
	OnEvent func(camera.Event)
}

// Help names the kinds of source, for a command line.
const Help = "a video file, FILE.mcap?camera=NAME (recorded by the daemon), a folder or glob of pictures, scene://?seed=1&seconds=10&live=true (rendered), " +
	"http://HOST/PATH (MJPEG), rtsp://HOST/PATH, udp://HOST:PORT (MPEG-TS), /dev/video0?width=1280&height=720&fps=30&fourcc=MJPG, " +
	"csi://0?width=1280&height=720&fps=30&flip=0 or gst:PIPELINE"

// Source opens what uri names. A live one is a camera.Live: it connects in the background, so
// that no error here says it works. Its URI may have these keys beside its own:
//
//	policy=newest|every   which frames are kept; newest if not given
//	max_age=200ms         how old a frame may be when it is asked for; any age if not given
//	stall=500ms           how long no frame may come
//	open=5s               how long connecting may take, and the first frame after it
//
// Behind gst: they stand before the pipeline: gst:?stall=2s v4l2src ! ... ! appsink.
func Source(uri string, o Options) (camera.Source, error) {
	switch {
	case scene.Is(uri):
		return openScene(uri, o)
	case opencv.IsCamera(uri):
		return openCamera(uri, o)
	}
	src, err := opencv.Open(uri, opencv.Options{Threads: o.Threads})
	if errors.Is(err, opencv.ErrCamera) {
		return nil, fmt.Errorf("%w: %w", ErrURI, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: name %s", err, Help)
	}
	return src, err
}

func openScene(uri string, o Options) (camera.Source, error) {
	rest, cfg, given, err := keys(uri)
	if err != nil {
		return nil, err
	}
	sc, err := scene.Parse(rest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURI, err)
	}
	if !sc.Live {
		if given {
			return nil, fmt.Errorf("%w: %s: policy, max_age, stall and open are for live scenes: add live=true", ErrURI, uri)
		}
		return scene.Open(sc)
	}
	// Under Every the drive has an end, as a recording; a camera has none.
	sc.Loop = cfg.Policy != supervise.Every
	cfg.Info = camera.Info{URI: sc.URI(), Kind: "scene", Width: sc.Width, Height: sc.Height, FPS: sc.FPS}
	cfg.Open = func(context.Context) (camera.Source, error) { return scene.Open(sc) }
	if period := time.Duration(float64(time.Second) / sc.FPS); !given || cfg.StallAfter == 0 {
		cfg.StallAfter = max(2*period, 500*time.Millisecond)
	}
	cfg.OnEvent = o.OnEvent
	return supervise.Open(cfg), nil
}

func openCamera(uri string, o Options) (camera.Source, error) {
	rest, cfg, _, err := keys(uri)
	if err != nil {
		return nil, err
	}
	c, err := opencv.ParseCamera(rest)
	switch {
	case errors.Is(err, opencv.ErrNoBackend):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrURI, err)
	}
	cfg.Info = camera.Info{URI: c.URI, Kind: c.Kind}
	cfg.Open = func(ctx context.Context) (camera.Source, error) {
		return c.Open(ctx, opencv.Options{Buffers: supervise.DefaultLend + 2, OpenTimeout: cfg.OpenTimeout})
	}
	cfg.OnEvent = o.OnEvent
	return supervise.Open(cfg), nil
}

// keys takes the supervisor's keys out of a URI and leaves the others as they are: those of
// http:// and rtsp:// are the camera's. given is whether there were any.
func keys(uri string) (rest string, c supervise.Config, given bool, err error) {
	fail := func(err error) (string, supervise.Config, bool, error) {
		return "", c, false, fmt.Errorf("%w: %s: %w", ErrURI, camera.Redact(uri), err)
	}
	pipeline := ""
	head, query, found := strings.Cut(uri, "?")
	if text, ok := strings.CutPrefix(uri, "gst:"); ok {
		if !strings.HasPrefix(text, "?") {
			return uri, c, false, nil
		}
		head = "gst:"
		query, pipeline, _ = strings.Cut(text[1:], " ")
	}
	if !found {
		return uri, c, false, nil
	}
	var left []string
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if value, err = url.QueryUnescape(value); err != nil {
			return fail(fmt.Errorf("%s: %w", key, err))
		}
		switch key {
		case "policy":
			c.Policy, err = supervise.ParsePolicy(value)
		case "max_age":
			c.MaxAge, err = duration(key, value)
		case "stall":
			c.StallAfter, err = duration(key, value)
		case "open":
			c.OpenTimeout, err = duration(key, value)
		default:
			left = append(left, pair)
			continue
		}
		if err != nil {
			return fail(err)
		}
		if seen[key] {
			return fail(fmt.Errorf("%s is given twice: give it once", key))
		}
		seen[key], given = true, true
	}
	if pipeline != "" && len(left) > 0 {
		return fail(fmt.Errorf("unknown key %q: want max_age, open, policy, stall", left[0]))
	}
	switch {
	case pipeline != "":
		return head + pipeline, c, given, nil
	case len(left) == 0:
		return head, c, given, nil
	}
	return head + "?" + strings.Join(left, "&"), c, given, nil
}

// longest is more than anybody waits for a frame.
const longest = time.Hour

func duration(key, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Millisecond || d > longest {
		return 0, fmt.Errorf("%s=%q: want a time such as 200ms, 1ms to %v", key, value, longest)
	}
	return d, nil
}
