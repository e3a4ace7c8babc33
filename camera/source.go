package camera

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Source delivers frames in order. Next has three outcomes:
//
//   - a frame, which the caller releases;
//   - a *FrameError: this one frame could not be read (a damaged picture in a
//     folder, say). It took a sequence number; the next call goes on after it;
//   - any other error: the source has ended. io.EOF is the ordinary end of a
//     finite source, ctx.Err() a cancelled wait.
//
// A Source is used by one goroutine at a time. Close is idempotent and ends use.
type Source interface {
	Next(ctx context.Context) (*Frame, error)
	Info() Info
	Close() error
}

// Info describes an open source. Zero means unknown.
type Info struct {
	URI           string  `json:"uri"`
	Kind          string  `json:"kind"` // "video", "images", "scene"
	Width, Height int     `json:"-"`
	FPS           float64 `json:"fps,omitempty"`
	// Frames is the number of frames a finite source expects to deliver. It is
	// what the container claims, good for a progress bar and not for a promise.
	Frames int `json:"frames,omitempty"`
	// Live sources keep time by themselves; others wait for their reader.
	Live bool `json:"live,omitempty"`
	// Backend names the decoder that reads the source.
	Backend string `json:"backend,omitempty"`
	// Note is what a person should know of a recording, such as that a crash cut it short.
	Note string `json:"note,omitempty"`
}

// FrameError reports one frame that could not be read; the source goes on.
type FrameError struct {
	Seq  uint64
	Time time.Duration
	// Name is the file or position of the frame, for a person.
	Name string
	Err  error
}

func (e *FrameError) Error() string {
	return fmt.Sprintf("camera: frame %d (%s): %v", e.Seq, e.Name, e.Err)
}

func (e *FrameError) Unwrap() error { return e.Err }

// ErrTruncated reports a recording that ended before the frames its container
// promises. What was delivered is good; the rest of the file is damaged or
// missing.
var ErrTruncated = errors.New("cut short")
