package perception

import (
	"context"
	"errors"
	"io"
	"time"

	"perceive/camera"
)

// lanes is how many frames are on their way at once: one being decoded and fitted, one
// in the network, one in the sinks. More would add latency and no rate.
const lanes = 3

// Pipeline reads a source to its end: decoding and fitting, the network, and the sinks
// each have a goroutine, and frames pass from one to the next in order.
type Pipeline struct {
	Source   camera.Source
	Detector *Detector
	// Sinks take every result. The pipeline does not close them.
	Sinks []Sink
	// Progress, if not nil, is called after each result.
	Progress func(r *Result)
}

// parcel is one frame on its way.
type parcel struct {
	lane   *lane
	frame  *camera.Frame // nil if it could not be read
	result Result
}

// Run goes on until the source ends, a sink fails or ctx ends. It returns nil at the
// ordinary end of the source; else the error that ended it. Every frame that the source
// delivered before has its Result in the sinks, but for ctx or a sink's own failure.
func (p *Pipeline) Run(ctx context.Context) error {
	parcels := make([]*parcel, lanes)
	for i := range parcels {
		l, err := p.Detector.newLane()
		if err != nil {
			return err
		}
		defer l.close()
		parcels[i] = &parcel{lane: l}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	free, fitted, done := make(chan *parcel, lanes), make(chan *parcel, lanes), make(chan *parcel, lanes)
	for _, c := range parcels {
		free <- c
	}
	var ended error // read after fitted is closed
	go func() {
		defer close(fitted)
		ended = p.read(ctx, free, fitted)
	}()
	go func() {
		defer close(done)
		for c := range fitted {
			p.Detector.infer(ctx, c.lane, &c.result)
			done <- c
		}
	}()
	err := p.emit(ctx, done, free, cancel)
	if err == nil && !errors.Is(ended, io.EOF) {
		err = ended
	}
	return err
}

// read fills parcels until the source ends.
func (p *Pipeline) read(ctx context.Context, free <-chan *parcel, fitted chan<- *parcel) error {
	var bad *camera.FrameError // out here: in the loop it would be allocated for every frame
	for {
		var c *parcel
		select {
		case c = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		begin := time.Now()
		f, err := p.Source.Next(ctx)
		c.result.Took = Took{Decode: time.Since(begin)}
		c.frame = f
		switch {
		case err == nil:
			p.Detector.fit(c.lane, f, &c.result)
		case errors.As(err, &bad):
			c.frame = nil
			c.result.Seq, c.result.Time = bad.Seq, bad.Time
			c.result.fail(missing(bad))
		default:
			return err
		}
		fitted <- c
	}
}

// Texts of errors that come by the dozen: they are made once.
var dropped, stale = camera.ErrDropped.Error(), camera.ErrStale.Error()

// missing says what became of a frame that the source did not deliver.
func missing(e *camera.FrameError) (Status, string) {
	switch {
	case errors.Is(e.Err, camera.ErrDropped):
		return Dropped, dropped
	case errors.Is(e.Err, camera.ErrStale):
		return Stale, stale
	}
	return Unreadable, e.Error()
}

// emit hands results to the sinks. After a failure it goes on to take parcels, so that
// the stages before it end.
func (p *Pipeline) emit(ctx context.Context, done <-chan *parcel, free chan<- *parcel, cancel func()) error {
	var failed error
	for c := range done {
		if failed == nil && ctx.Err() != nil {
			failed = ctx.Err()
		}
		if failed == nil {
			if failed = sinks(p.Sinks).Emit(ctx, &c.result, c.frame); failed != nil {
				cancel()
			} else if p.Progress != nil {
				p.Progress(&c.result)
			}
		}
		if c.frame != nil {
			c.frame.Release()
			c.frame = nil
		}
		free <- c
	}
	return failed
}
