package perception

import (
	"context"
	"fmt"
	"image"
	"slices"
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

// Swap makes the frames to come go through another model and returns the one before, which
// frames may still be on their way through: the caller retires it, or swaps back. It may be
// called from any goroutine. The labels must be the same, in the same order: who reads the
// results was told them once.
func (d *Detector) Swap(m *model.Model) (old *model.Model, err error) {
	old = d.model.Load()
	if was, is := old.Manifest().LabelIDs(), m.Manifest().LabelIDs(); !slices.Equal(was, is) {
		return nil, fmt.Errorf("perception: the model answers %q, the one that runs %q: start again to change labels", is, was)
	}
	d.model.Store(m)
	return old, nil
}

// Model is what runs now.
func (d *Detector) Model() *model.Model { return d.model.Load() }

// current returns l if it is of the model that runs now, else one that is in its place. If
// none can be made the old one goes on.
func (d *Detector) current(l *lane) *lane {
	if l.Model() == d.model.Load() {
		return l
	}
	next, err := d.newLane()
	if err != nil {
		return l
	}
	l.close()
	return next
}

// Manifest is the contract of the model.
func (d *Detector) Manifest() *models.Manifest { return d.model.Load().Manifest() }

// Report says what the network runs on.
func (d *Detector) Report() hw.ProviderReport { return d.model.Load().Report() }

func (d *Detector) newLane() (*lane, error) {
	m := d.model.Load()
	l, err := m.NewLane()
	if err != nil {
		return nil, fmt.Errorf("perception: %w", err)
	}
	return &lane{Lane: l, fitter: opencv.Fitter{How: camera.Fit(m.Manifest().Input.Fit)}}, nil
}

func (l *lane) close() {
	l.fitter.Close()
	l.Lane.Close()
}

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
	d.own = d.current(d.own)
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

// Close frees the detector's own memory; the model stays open.
func (d *Detector) Close() error {
	if d.own != nil {
		d.own.close()
		d.own = nil
	}
	return nil
}
