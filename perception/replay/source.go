package replay

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
)

// plainNames keeps the folder of a recording out of what is said of its damaged frames: where a
// drive lies must not change the results.
func plainNames(s camera.Source) camera.Source {
	uri, _, _, _ := opencv.CutMCAP(s.Info().URI)
	folder := strings.TrimSuffix(uri, filepath.Base(uri))
	if st, err := os.Stat(uri); err == nil && st.IsDir() {
		folder = filepath.Clean(uri) + "/"
	}
	if folder == "" || folder == "/" {
		return s
	}
	return plain{s, folder}
}

type plain struct {
	camera.Source
	folder string
}

func (p plain) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := p.Source.Next(ctx)
	if bad := (*camera.FrameError)(nil); err != nil && errors.As(err, &bad) {
		text := strings.ReplaceAll(bad.Err.Error(), p.folder, "")
		err = &camera.FrameError{Seq: bad.Seq, Time: bad.Time, Name: strings.ReplaceAll(bad.Name, p.folder, ""), Err: said{text, bad.Err}}
	}
	return f, err
}

// said is an error in other words.
type said struct {
	text string
	error
}

func (s said) Error() string { return s.text }
func (s said) Unwrap() error { return s.error }

// Pace makes a source as slow as its recording was, times speed.
func Pace(s camera.Source, speed float64) camera.Source { return &pace{Source: s, speed: speed} }

type pace struct {
	camera.Source
	speed   float64
	started time.Time
	first   time.Duration
}

func (p *pace) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := p.Source.Next(ctx)
	if err != nil {
		return f, err
	}
	if p.started.IsZero() {
		p.started, p.first = time.Now(), f.Time
	}
	due := p.started.Add(time.Duration(float64(f.Time-p.first) / p.speed))
	t := time.NewTimer(time.Until(due))
	defer t.Stop()
	select {
	case <-t.C:
		return f, nil
	case <-ctx.Done():
		f.Release()
		return nil, ctx.Err()
	}
}
