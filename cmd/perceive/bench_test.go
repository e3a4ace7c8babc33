package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/camera/scene"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/replay"
)

// drive writes a rendered drive as H.264, 1280×720, and returns its path.
func drive(b *testing.B) string {
	b.Helper()
	src, err := scene.Open(scene.Config{Seed: 1, Width: 1280, Height: 720, FPS: 25, Seconds: 8})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	path := filepath.Join(b.TempDir(), "drive.mp4")
	out, err := opencv.CreateVideo(path, 1280, 720, 25)
	if err != nil {
		b.Fatal(err)
	}
	for {
		f, err := src.Next(b.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		if err := out.WriteFrame(f); err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkDrive is the frame path on a 720p H.264 file with the built-in model: each
// part alone, then the pipeline with a JSON Lines sink. ns/op is the time of one frame.
func BenchmarkDrive(b *testing.B) {
	path := drive(b)
	opencv.SetThreads(1)
	m, err := model.Load(b.Context(), orttest.Runtime(b), models.Road, nil, ort.Options{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	det := perception.NewDetector(m)
	defer det.Close()

	b.Run("decode only", func(b *testing.B) {
		b.ReportAllocs()
		src := &repeat{path: path}
		defer src.Close()
		for b.Loop() {
			f, err := src.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			f.Release()
		}
	})
	b.Run("network only", func(b *testing.B) {
		b.ReportAllocs()
		l, err := m.NewLane()
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		for b.Loop() {
			if err := l.Run(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pipeline", func(b *testing.B) {
		b.ReportAllocs()
		j, err := perception.NewJSONL(io.Discard, perception.NewHeader(det, camera.Info{}, "bench"))
		if err != nil {
			b.Fatal(err)
		}
		src := &repeat{path: path, left: b.N}
		defer src.Close()
		count := &stages{}
		p := perception.Pipeline{Source: src, Detector: det, Sinks: []perception.Sink{j, count}}
		b.ResetTimer()
		if err := p.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(count.fit)/float64(b.N)/1e6, "fit-ms/frame")
		b.ReportMetric(float64(count.infer)/float64(b.N)/1e6, "network-ms/frame")
	})
}

// BenchmarkReplay is a deterministic replay of the same file, with decisions, hash and trace: to be
// held against the slower of "decode only" and "network only" of BenchmarkDrive.
func BenchmarkReplay(b *testing.B) {
	path := drive(b)
	opencv.SetThreads(1)
	m, err := model.Load(b.Context(), orttest.Runtime(b), models.Road, nil, ort.Options{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	det := perception.NewDetector(m)
	defer det.Close()
	head, err := replay.NewHeader(det, camera.Info{}, replay.Setup{Leave: 0.8, Expiry: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	out, err := replay.Discard(head)
	if err != nil {
		b.Fatal(err)
	}
	src := &repeat{path: path, left: b.N}
	defer src.Close()
	b.ResetTimer()
	if _, err := replay.Run(b.Context(), replay.Job{Source: src, Detector: det, Header: head, Out: out, Sinks: []perception.Sink{replay.NewTrace(head)}}); err != nil {
		b.Fatal(err)
	}
}

// repeat reads a file again and again, left frames in all (0: for ever).
type repeat struct {
	camera.Source
	path string
	left int
	n    int
}

// Info names no file: the source may not be open.
func (r *repeat) Info() camera.Info { return camera.Info{} }

func (r *repeat) Next(ctx context.Context) (*camera.Frame, error) {
	if r.left > 0 && r.n == r.left {
		return nil, io.EOF
	}
	for {
		if r.Source == nil {
			src, err := opencv.Options{Threads: 1}.OpenVideo(r.path)
			if err != nil {
				return nil, err
			}
			r.Source = src
		}
		f, err := r.Source.Next(ctx)
		if errors.Is(err, io.EOF) {
			r.Close()
			continue
		}
		r.n++
		return f, err
	}
}

func (r *repeat) Close() error {
	if r.Source == nil {
		return nil
	}
	err := r.Source.Close()
	r.Source = nil
	return err
}

// stages sums where the time went.
type stages struct{ fit, infer time.Duration }

func (s *stages) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	s.fit += r.Took.Fit
	s.infer += r.Took.Infer
	return nil
}
func (s *stages) Close() error { return nil }
