// Package teacher looks at pictures with a detector that somebody else trained, so that a
// small network learns from what the detector saw where no person looked: knowledge
// distillation (Hinton et al. 2015, arXiv 1503.02531), by boxes and their probabilities.
package teacher

import (
	"context"
	"fmt"
	"image"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/hw/ort"
)

// Seen is one object: a COCO class, the box in pixels of the picture, and the probability.
type Seen struct {
	Class      int
	X, Y, W, H float64
	P          float64
}

// Detector is a detector file that is loaded. Several Lookers share it.
type Detector struct {
	session *ort.Session
	side    int // of its square input
}

// Load reads a YOLOX file as its authors export it: input float32 [1,3,S,S], blue-green-red
// from 0 to 255, and output [1,N,85] without decoding (Ge et al. 2021, arXiv 2107.08430;
// Megvii-BaseDetection/YOLOX, yolox/models/yolo_head.py).
func Load(rt *ort.Runtime, file []byte, opts ort.Options) (*Detector, error) {
	s, err := rt.NewSession(file, opts)
	if err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	in, out := s.Inputs(), s.Outputs()
	d := &Detector{session: s}
	if len(in) == 1 && in[0].Type == ort.Float32 && len(in[0].Shape) == 4 && in[0].Shape[2] == in[0].Shape[3] {
		d.side = int(in[0].Shape[3])
	}
	if d.side < 32 || len(out) != 1 || len(out[0].Shape) != 3 || out[0].Shape[1] != int64(anchors(d.side)) || out[0].Shape[2] != 5+classes {
		s.Close()
		return nil, fmt.Errorf("teacher: inputs %v, outputs %v: want a YOLOX detector of COCO's %d classes with a square input", in, out, classes)
	}
	return d, nil
}

// Close frees the detector once no Looker is used any more. It may be called twice.
func (d *Detector) Close() error { return d.session.Close() }

// Looker looks at one picture at a time.
type Looker struct {
	d       *Detector
	fit     opencv.Fitter
	run     *ort.Binding
	in, out *ort.Tensor
	bgr     []byte
}

// NewLooker makes memory for one goroutine.
func (d *Detector) NewLooker() (*Looker, error) {
	l := &Looker{d: d, bgr: make([]byte, 3*d.side*d.side)}
	var err error
	if l.in, err = ort.NewTensorFor(d.session.Inputs()[0]); err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	if l.out, err = ort.NewTensorFor(d.session.Outputs()[0]); err != nil {
		l.in.Close()
		return nil, fmt.Errorf("teacher: %w", err)
	}
	if l.run, err = d.session.Bind([]*ort.Tensor{l.in}, []*ort.Tensor{l.out}); err != nil {
		l.Close()
		return nil, fmt.Errorf("teacher: %w", err)
	}
	return l, nil
}

// Close frees the memory. It may be called twice.
func (l *Looker) Close() error {
	if l.run != nil {
		l.run.Close()
	}
	l.in.Close()
	l.out.Close()
	return l.fit.Close()
}

// Look finds objects in a picture of w×h BGR pixels: in the whole picture and, where it is
// wide enough, in its two sides, in which what is far is larger.
func (l *Looker) Look(ctx context.Context, w, h int, bgr []byte) ([]Seen, error) {
	var all []Seen
	for _, r := range views(w, h) {
		seen, err := l.view(ctx, w, bgr, r)
		if err != nil {
			return nil, err
		}
		all = append(all, inside(seen, r, w)...)
	}
	return suppress(all), nil
}

// views are the parts of a picture that are looked at.
func views(w, h int) []image.Rectangle {
	whole := image.Rect(0, 0, w, h)
	if part := w * 3 / 5; w > h && part >= 32 {
		return []image.Rectangle{whole, image.Rect(0, 0, part, h), image.Rect(w-part, 0, w, h)}
	}
	return []image.Rectangle{whole}
}

func (l *Looker) view(ctx context.Context, w int, bgr []byte, r image.Rectangle) ([]Seen, error) {
	side := l.d.side
	place, err := l.fit.Fit(l.bgr, side, side, padGrey, &camera.Frame{Width: r.Dx(), Height: r.Dy(), Stride: 3 * w, Pix: bgr[3*(r.Min.Y*w+r.Min.X):]})
	if err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	planes, n := l.in.Float32(), side*side
	for i := range n {
		for c := range 3 {
			planes[c*n+i] = float32(l.bgr[3*i+c])
		}
	}
	if err := l.run.Run(ctx); err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	seen := decode(l.out.Float32(), side)
	sx, sy := float64(r.Dx())/float64(place.Width), float64(r.Dy())/float64(place.Height)
	for i := range seen {
		s := &seen[i]
		s.X, s.Y = (s.X-float64(place.X))*sx+float64(r.Min.X), (s.Y-float64(place.Y))*sy+float64(r.Min.Y)
		s.W, s.H = s.W*sx, s.H*sy
	}
	return seen, nil
}

// Classes are COCO's numbers of the labels of the road.
var Classes = map[string]int{"pedestrian": 0, "car": 2, "traffic_light": 9, "stop_sign": 11}
