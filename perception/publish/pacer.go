package publish

import (
	"sync"
	"sync/atomic"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// pacer copies pictures at a rate, by each source's own time, into memory that is used again.
type pacer struct {
	gap    time.Duration
	spare  chan *Picture
	missed atomic.Uint64

	mu  sync.Mutex
	due map[string]*due
}

// due is when a source's next picture is wanted.
type due struct {
	begun bool
	at    time.Duration
}

func newPacer(rate float64, n int) *pacer {
	p := &pacer{gap: time.Duration(float64(time.Second) / rate), spare: make(chan *Picture, n), due: map[string]*due{}}
	for range n {
		p.spare <- &Picture{}
	}
	return p
}

// copy returns a copy of the frame if it is its source's turn and there is memory, else nil.
func (p *pacer) copy(r *perception.Result, f *camera.Frame) *Picture {
	if !p.turn(r.Source, r.Time) {
		return nil
	}
	var pic *Picture
	select {
	case pic = <-p.spare:
	default:
		p.missed.Add(1)
		return nil
	}
	row := 3 * f.Width
	if need := row * f.Height; cap(pic.Pix) < need {
		pic.Pix = make([]byte, need)
	}
	pic.Width, pic.Height, pic.Pix = f.Width, f.Height, pic.Pix[:row*f.Height]
	for y := range f.Height {
		copy(pic.Pix[y*row:][:row], f.Pix[y*f.Stride:])
	}
	return pic
}

// turn keeps to the rate over time, however the frames fall.
func (p *pacer) turn(source string, at time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.due[source]
	if d == nil {
		d = &due{}
		p.due[source] = d
	}
	back := at < d.at-p.gap // the source began anew
	if d.begun && at < d.at && !back {
		return false
	}
	d.at += p.gap
	if !d.begun || back || d.at <= at {
		d.at = at + p.gap
	}
	d.begun = true
	return true
}
