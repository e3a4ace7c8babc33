package perception

import (
	"context"
	"image"
	"sync/atomic"
	"time"

	"perceive/camera"
	"perceive/camera/opencv"
	"perceive/hw"
	"perceive/models"
	"perceive/perception/model"
)

// Detector turns one frame into one Result. It belongs to one goroutine; Pipeline
// overlaps several.
type Detector struct {
	model atomic.Pointer[model.Model]
	own   *lane // for Detect, made when first asked
	crossing
}

// lane is everything that one frame needs on its way through.
type lane struct {
	*model.Lane
	fitter opencv.Fitter
	grid   grid // of the frame that is in the input
	finder finder
}

// NewDetector makes a detector on a loaded model, which stays the caller's
// but for Swap.
func NewDetector(m *model.Model) *Detector {
	d := &Detector{}
	d.model.Store(m)
	return d
}

// Model is what runs now.
func (d *Detector) Model() *model.Model { return d.model.Load() }

// Manifest is the contract of the model.
func (d *Detector) Manifest() *models.Manifest { return d.model.Load().Manifest() }

// Report says what the network runs on.
func (d *Detector) Report() hw.ProviderReport { return d.model.Load().Report() }

// Detect fits a frame into the input, runs the network and fills r, whose memory is
// used again. A frame that cannot be processed is a status in r, never an error.
func (d *Detector) Detect(ctx context.Context, f *camera.Frame, r *Result) {
	if d.own == nil {
		l, err := d.newLane()
		if err != nil {
			r.Seq, r.Time = f.Seq, f.Time
			r.fail(Failed, err.Error())
			return
		}
		d.own = l
	}
	if err := d.begin(ctx); err != nil {
		r.Seq, r.Time = f.Seq, f.Time
		r.fail(Failed, err.Error())
		return
	}
	defer d.end()
	d.fit(d.own, f, r)
	d.infer(ctx, d.own, r)
}

// fit is the first half: the frame into the lane's input.
func (d *Detector) fit(l *lane, f *camera.Frame, r *Result) {
	begin := time.Now()
	r.Seq, r.Time, r.Status, r.Reason = f.Seq, f.Time, OK, ""
	in := &l.Model().Manifest().Input
	place, err := l.fitter.Fit(l.Input, in.Width, in.Height, in.Pad, f)
	switch {
	case err != nil:
		r.fail(Failed, err.Error())
	case len(l.Maps) > 0:
		l.grid = newGrid(place, image.Pt(f.Width, f.Height), image.Pt(in.Width, in.Height), image.Pt(l.MapWidth, l.MapHeight))
	}
	r.Took.Fit = time.Since(begin)
}

// infer is the second half: the input to answers.
func (d *Detector) infer(ctx context.Context, l *lane, r *Result) {
	r.Took.Infer = 0
	if r.Status != OK {
		return
	}
	begin := time.Now()
	if err := l.Run(ctx); err != nil {
		r.fail(Failed, err.Error())
	} else {
		r.decide(l, l.Model().Manifest().Labels)
	}
	r.Took.Infer = time.Since(begin)
}

// Close frees the detector's own memory, and ends a change of the model that could still be
// undone; the model that runs stays open.
func (d *Detector) Close() error {
	if d.own != nil {
		d.closeLane(d.own)
		d.own = nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.pending != nil {
		return d.pending.commit()
	}
	return nil
}
