package hil

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/camera/scene"
	"perceive/perception"
	"perceive/perception/record"
)

// A clip is served round and round; more of a world than this is not kept.
const (
	clipSeconds = 20
	clipBytes   = 512 << 20
)

// clip is what a camera looks at: pictures in memory, so that the bench's own work does not
// disturb the times that it measures.
type clip struct {
	width, height int
	frames        [][]byte
	seqs          []uint64 // of the pictures in their world
	// truth has what is in each picture, nil where nobody knows.
	truth []map[string]bool
}

// loadClip reads a camera's world at the size and the rate that are served, and with truth
// what is in each picture of a drawn one.
func loadClip(ctx context.Context, c Camera, truth bool, open func(uri string) (camera.Source, error)) (*clip, error) {
	uri := c.World
	var drive *scene.Config
	if scene.Is(uri) {
		cfg, err := scene.Parse(uri)
		if err != nil {
			return nil, err
		}
		cfg.FPS = c.FPS
		if c.Width > 0 {
			cfg.Width = c.Width
			cfg.Height = c.Height
			if cfg.Height == 0 {
				cfg.Height = c.Width * 9 / 16
			}
		}
		if cfg.Seconds == 0 {
			cfg.Seconds = 10
		}
		drive, uri = &cfg, cfg.URI()
	}
	src, err := open(uri)
	if err != nil {
		return nil, fmt.Errorf("hil: camera %s: %w", c.Name, err)
	}
	defer src.Close()
	out := &clip{width: c.Width, height: c.Height}
	fit := opencv.Fitter{How: camera.Letterbox}
	defer fit.Close()
	step := 1.0
	if fps := src.Info().FPS; fps > 0 && drive == nil {
		step = max(1, fps/c.FPS)
	}
	for next, i := 0.0, 0; len(out.frames) < int(clipSeconds*c.FPS) && (len(out.frames)+1)*3*out.width*out.height < clipBytes; i++ {
		f, err := src.Next(ctx)
		if errors.Is(err, io.EOF) || errors.Is(err, camera.ErrTruncated) {
			break
		}
		if bad := new(camera.FrameError); errors.As(err, &bad) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("hil: camera %s: %w", c.Name, err)
		}
		if float64(i) >= next {
			next += step
			err = out.add(f, &fit)
			out.seqs = append(out.seqs, f.Seq)
			if drive != nil && truth {
				out.truth = append(out.truth, drive.TruthAt(f.Seq).Labels)
			}
		}
		f.Release()
		if err != nil {
			return nil, fmt.Errorf("hil: camera %s: %w", c.Name, err)
		}
	}
	if len(out.frames) == 0 {
		return nil, fmt.Errorf("hil: camera %s: %s has no frames", c.Name, c.World)
	}
	return out, nil
}

func (c *clip) add(f *camera.Frame, fit *opencv.Fitter) error {
	if c.width == 0 {
		c.width = f.Width
	}
	if c.height == 0 {
		c.height = int(math.Round(float64(c.width) * float64(f.Height) / float64(f.Width)))
	}
	pix := make([]byte, 3*c.width*c.height)
	if _, err := fit.Fit(pix, c.width, c.height, 0, f); err != nil {
		return err
	}
	c.frames = append(c.frames, pix)
	return nil
}

// learn takes what a recording of the world says for what is in the pictures. Of frames that it has no
// answer to nothing is known.
func (c *clip) learn(golden string) error {
	head, entries, err := record.ReadFile(golden)
	if err != nil {
		return fmt.Errorf("hil: golden: %w", err)
	}
	said := map[uint64]map[string]bool{}
	for _, e := range entries {
		if e.Result == nil || e.Result.Status != perception.OK {
			continue
		}
		states := map[string]bool{}
		for i, a := range e.Result.Answers {
			states[head.Labels[i].Label] = a.State == perception.On
		}
		said[e.Result.Seq] = states
	}
	c.truth = nil
	for _, seq := range c.seqs {
		c.truth = append(c.truth, said[seq])
	}
	return nil
}

// at is the picture for a frame's number and what is in it.
func (c *clip) at(n uint32) (pix []byte, truth map[string]bool) {
	i := int(n) % len(c.frames)
	if i < len(c.truth) {
		truth = c.truth[i]
	}
	return c.frames[i], truth
}
