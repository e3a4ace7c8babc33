package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"perceive/camera"
)

const (
	// A clip holds minClip to maxClip frames, and clipBytes of them where that is fewer.
	minClip, maxClip = 10, 250
	clipBytes        = 256 << 20
)

// Clip is decoded frames in memory, for what is measured without the decoder.
type Clip struct {
	Info   camera.Info
	frames []picture
}

type picture struct {
	width, height, stride int
	pix                   []byte
}

// Len is the number of frames.
func (c *Clip) Len() int { return len(c.frames) }

// show makes f the clip's frame of a number; the clip begins again after its last one.
func (c *Clip) show(f *camera.Frame, seq int) {
	p := &c.frames[seq%len(c.frames)]
	f.Seq = uint64(seq)
	f.Width, f.Height, f.Stride, f.Pix = p.width, p.height, p.stride, p.pix
}

// Load decodes the beginning of a source. One that is live, or has too few frames to
// measure with, is refused.
func Load(ctx context.Context, src camera.Source) (*Clip, error) {
	c := &Clip{Info: src.Info()}
	if c.Info.Live {
		return nil, fmt.Errorf("bench: %s is live, and sets the rate itself: record it, and measure with the recording", c.Info.URI)
	}
	var bad *camera.FrameError
	var last error
	for size := 0; len(c.frames) < maxClip && (size < clipBytes || len(c.frames) < minClip); {
		f, err := src.Next(ctx)
		switch {
		case errors.As(err, &bad):
			last = err
			continue
		case errors.Is(err, io.EOF):
			return c, c.enough(last)
		case err != nil:
			return nil, fmt.Errorf("bench: %s: %w", c.Info.URI, err)
		}
		pix := slices.Clone(f.Pix[:f.Height*f.Stride])
		c.frames = append(c.frames, picture{f.Width, f.Height, f.Stride, pix})
		size += len(pix)
		f.Release()
	}
	return c, nil
}

// enough refuses a source that ended too early.
func (c *Clip) enough(last error) error {
	if len(c.frames) >= minClip {
		return nil
	}
	err := fmt.Errorf("bench: %s has %d readable frames, want %d at least: name a longer source", c.Info.URI, len(c.frames), minClip)
	return errors.Join(err, last)
}

// Size is the frames' size, "1280×720", or of several the first one's.
func (c *Clip) Size() string { return fmt.Sprintf("%d×%d", c.frames[0].width, c.frames[0].height) }
