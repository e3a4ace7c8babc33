package perception

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"perceive/camera"
	"perceive/perception/model"
)

// crossing is what a change of the model needs to know: the lanes that there are, and how many
// of them have a frame on its way.
type crossing struct {
	mu      sync.Mutex
	lanes   []*lane
	busy    int
	idle    chan struct{} // closed when busy is 0; nil unless a change waits for that
	gate    chan struct{} // closed when frames may go on; nil unless a change keeps them back
	pending *Swap
	closed  bool
}

// Swap is a change of the model that can still be undone: the lanes of both models are there.
type Swap struct {
	d        *Detector
	old, now *model.Model
	spare    []*model.Lane // of old, one for each lane of the detector at least
}

// Swap makes the frames to come go through another model, in every pipeline, or in none: what
// that takes is made before, and if it cannot be made the error says why and the old model goes
// on. It keeps new frames back until those on their way are out, as long as ctx lasts, so that
// no two models answer side by side; between, if not nil, is called when there is none on its way,
// to change and to say what goes with the model; it must not wait for frames. Swap may be called from any goroutine. A pipeline
// whose camera gives nothing has no frame on its way, and gets the other model like the others.
//
// Without an error m belongs to the Swap, which must be ended with Commit or Undo. The labels must
// be the same, in the same order: who reads the results was told them once.
func (d *Detector) Swap(ctx context.Context, m *model.Model, between func()) (*Swap, error) {
	old := d.model.Load()
	if was, is := old.Manifest().LabelIDs(), m.Manifest().LabelIDs(); !slices.Equal(was, is) {
		return nil, fmt.Errorf("perception: the model answers %q, the one that runs %q: start again to change labels", is, was)
	}
	d.mu.Lock()
	need := len(d.lanes)
	d.mu.Unlock()
	var s *Swap
	next, err := fill(nil, m, need) // while frames go on
	if err == nil {
		err = d.exclusively(ctx, func() error {
			if d.closed || d.pending != nil {
				return errors.New("perception: the detector is closed, or another change of the model is under way")
			}
			var err error
			if next, err = fill(next, m, len(d.lanes)); err != nil { // a pipeline has begun meanwhile
				return err
			}
			next = d.exchange(m, next)
			s = &Swap{d: d, old: old, now: m, spare: next[:len(d.lanes):len(d.lanes)]}
			d.pending = s
			next = next[len(d.lanes):] // a pipeline has ended meanwhile
			if between != nil {
				between()
			}
			return nil
		})
	}
	closeLanes(next)
	return s, err
}

// Commit makes the change final, and frees and retires the model before. It does nothing where
// the detector was closed, which did it.
func (s *Swap) Commit() error {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.commit()
}

func (s *Swap) commit() error {
	if s.d.pending != s {
		return nil
	}
	s.d.pending = nil
	closeLanes(s.spare)
	return s.old.Retire()
}

// Undo puts the model before back, in every pipeline, and frees and retires the other one. It waits
// for the frames on their way; between is as for Detector.Swap. It needs nothing that could not be
// had, and does nothing where the detector was closed.
func (s *Swap) Undo(between func()) error {
	return s.d.exclusively(context.Background(), func() error {
		if s.d.pending != s {
			return nil
		}
		s.d.pending = nil
		closeLanes(s.d.exchange(s.old, s.spare))
		if between != nil {
			between()
		}
		return s.now.Retire()
	})
}

// exclusively calls change with d.mu held when no frame is on its way, and keeps new ones back
// meanwhile.
func (d *Detector) exclusively(ctx context.Context, change func() error) error {
	gate, idle := make(chan struct{}), make(chan struct{})
	d.mu.Lock()
	if d.gate != nil {
		d.mu.Unlock()
		return errors.New("perception: another change of the model is under way")
	}
	d.gate, d.idle = gate, idle
	if d.busy == 0 {
		close(idle)
		d.idle = nil
	}
	d.mu.Unlock()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = fmt.Errorf("perception: frames that are on their way through the model do not end: %w", context.Cause(ctx))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		err = change()
	}
	d.gate, d.idle = nil, nil
	close(gate)
	return err
}

// begin is called for a frame before it takes a lane; end must follow if it returns nil.
func (d *Detector) begin(ctx context.Context) error {
	for {
		d.mu.Lock()
		gate := d.gate
		if gate == nil {
			d.busy++
		}
		d.mu.Unlock()
		if gate == nil {
			return nil
		}
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// end is called for a frame that needs its lane no more.
func (d *Detector) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy--
	if d.busy == 0 && d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

// newLane makes a lane of the model that runs, and while a change can be undone one of the model
// before, too.
func (d *Detector) newLane() (*lane, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.pending; s != nil {
		var err error
		if s.spare, err = fill(s.spare, s.old, len(d.lanes)+1); err != nil {
			return nil, err
		}
	}
	one, err := fill(nil, d.model.Load(), 1)
	if err != nil {
		return nil, err
	}
	l := &lane{Lane: one[0]}
	l.fitter.How = camera.Fit(l.Model().Manifest().Input.Fit)
	d.lanes = append(d.lanes, l)
	return l, nil
}

func (d *Detector) closeLane(l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lanes = slices.DeleteFunc(d.lanes, func(o *lane) bool { return o == l })
	l.fitter.Close()
	l.Lane.Close()
}

// exchange gives all lanes to m, whose own are in next, and returns those that are left over: the
// ones that were in use first.
func (d *Detector) exchange(m *model.Model, next []*model.Lane) []*model.Lane {
	for i, l := range d.lanes {
		next[i], l.Lane = l.Lane, next[i]
		l.fitter.How = camera.Fit(m.Manifest().Input.Fit)
	}
	d.model.Store(m)
	return next
}

// fill adds lanes of m until there are n. Those that were made come back with an error, too.
func fill(lanes []*model.Lane, m *model.Model, n int) ([]*model.Lane, error) {
	for len(lanes) < n {
		l, err := m.NewLane()
		if err != nil {
			return lanes, fmt.Errorf("perception: %w", err)
		}
		lanes = append(lanes, l)
	}
	return lanes, nil
}

func closeLanes(lanes []*model.Lane) {
	for _, l := range lanes {
		l.Close()
	}
}
