//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"iter"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"perceive/internal/mcap"
)

// ErrCamera: a recording has several cameras, or not the one that was asked for. The error lists
// them.
var ErrCamera = errors.New("which camera?")

// pictureSchema is the type of the messages that are pictures.
const pictureSchema = "foxglove.CompressedImage"

// CutMCAP takes the URI of an MCAP recording apart, drive.mcap?camera=front: the file, and the
// camera, which may be empty. ok is false where it is something else.
func CutMCAP(uri string) (path, cameraName string, ok bool, err error) {
	path, query, keyed := strings.Cut(uri, "?")
	if !strings.EqualFold(filepath.Ext(path), ".mcap") || isLive(path) {
		return uri, "", false, nil
	}
	if !keyed {
		return path, "", true, nil
	}
	key, value, _ := strings.Cut(query, "=")
	name, err := url.QueryUnescape(value)
	switch {
	case err != nil:
		return path, "", true, fmt.Errorf("camera: %w", err)
	case key != "camera" || name == "" || strings.Contains(value, "&"):
		return path, "", true, fmt.Errorf("unknown keys %q: want camera=NAME", query)
	}
	return path, name, true, nil
}

// cameraOf is the camera of a channel of pictures: NAME of /perceive/NAME/image, empty of
// /perceive/image, and the topic itself of another tool's.
func cameraOf(topic string) string {
	inner, ours := strings.CutPrefix(topic, "/perceive")
	if inner, ok := strings.CutSuffix(inner, "/image"); ours && ok {
		return strings.TrimPrefix(inner, "/")
	}
	return topic
}

// contents is what one camera has in a recording.
type contents struct {
	frames        int
	first, last   time.Time
	width, height int
}

// scan reads a recording once. end is what it ends with: nil, mcap.ErrTruncated, or where it is damaged.
func scan(r io.Reader) (cameras map[string]*contents, end error) {
	cameras = map[string]*contents{}
	messages, stop := mcap.Read(bufio.NewReader(r))
	for c, m := range messages {
		if c.Schema.Name != pictureSchema {
			continue
		}
		if c.Encoding != "json" {
			return cameras, fmt.Errorf("the pictures of %s are encoded as %q: JSON is read", c.Topic, c.Encoding)
		}
		have := cameras[cameraOf(c.Topic)]
		if have == nil {
			have = &contents{first: m.Published}
			cameras[cameraOf(c.Topic)] = have
		}
		have.frames++
		have.last = m.Published
		if have.width == 0 {
			have.width, have.height = pictureSize(m.Data)
		}
	}
	return cameras, stop()
}

// pictureSize is the size that a message's picture claims, 0 where that cannot be told.
func pictureSize(message []byte) (w, h int) {
	data, err := pictureOf(message)
	if err != nil {
		return 0, 0
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, 0
	}
	return cfg.Width, cfg.Height
}

// pictureOf is the picture file in a message.
func pictureOf(message []byte) ([]byte, error) {
	var m struct {
		Data *[]byte `json:"data"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return nil, fmt.Errorf("the message is damaged: %w", err)
	}
	if m.Data == nil {
		return nil, errors.New("the message has no picture: it has no data")
	}
	return *m.Data, nil
}

// choose is the camera that is meant.
func choose(cameras map[string]*contents, name string) (string, error) {
	names := slices.Sorted(maps.Keys(cameras))
	switch {
	case len(names) == 0:
		return "", errors.New("it holds no pictures: the daemon records them with outputs.mcap.pictures above 0")
	case name == "" && len(names) == 1:
		return names[0], nil
	case cameras[name] != nil && name != "":
		return name, nil
	case name == "":
		return "", fmt.Errorf("%w It holds %q: name one, as FILE?camera=%s", ErrCamera, names, url.QueryEscape(names[len(names)-1]))
	}
	return "", fmt.Errorf("%w It holds %q, and not %q", ErrCamera, names, name)
}

// pictures are the messages of one camera, in their order.
func pictures(r io.Reader, name string) (next func() (*mcap.Message, bool), stop func(), end func() error) {
	messages, ended := mcap.Read(bufio.NewReader(r))
	next, stop = iter.Pull(func(yield func(*mcap.Message) bool) {
		for c, m := range messages {
			if c.Schema.Name == pictureSchema && cameraOf(c.Topic) == name && !yield(m) {
				return
			}
		}
	})
	return next, stop, ended
}
