package perception

import (
	"context"
	"errors"
	"io"
	"time"

	"perceive/camera"
)

// lanes is how many frames are on their way at once: one being decoded, one being fitted, one
// in the network, one in the sinks. More would add latency and no rate.
const lanes = 4

// Pipeline reads a source to its end: decoding, guards and fitting, the network, and the sinks
// each have a goroutine, and frames pass from one to the next in order.
type Pipeline struct {
	Source   camera.Source
	Detector *Detector
	// Guards look at every frame before the network does; the first that objects is heard.
	Guards []Guard
	// Decider, if not nil, makes the labels' states steady over time.
	Decider *Decider
	// Code, if not nil, reads the number that a bench wrote into a picture.
	Code func(f *camera.Frame) (uint32, bool)
	// Known, if not nil, appends the answers to a frame that was evaluated before, with the
	// states that were decided then, and says whether there are any: the network is not asked
	// again. It is called for frames that passed the guards.
	Known func(r *Result) bool
	// Watch, if not nil, is told what each stage does.
	Watch *Watch
	// Name is the results' Source.
	Name string
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
	known  bool // answered before
	begun  bool // the lane is in use
}

// finish is how long frames that are on their way when the context ends have for their results.
const finish = 500 * time.Millisecond

// Run goes on until the source ends, a sink fails or ctx ends. It returns nil at the
// ordinary end of the source; else the error that ended it. Every frame that the source
// delivered has its Result in the sinks, also when ctx has ended, but for a sink's failure
// and for what half a second was not enough for.
func (p *Pipeline) Run(ctx context.Context) error {
	parcels := make([]*parcel, lanes)
	for i := range parcels {
		l, err := p.Detector.newLane()
		if err != nil {
			return err
		}
		parcels[i] = &parcel{lane: l}
		defer p.Detector.closeLane(l)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(finish, abandon) })()
	queue := func() chan *parcel { return make(chan *parcel, lanes) }
	free, read, fitted, done := queue(), queue(), queue(), queue()
	for _, c := range parcels {
		free <- c
	}
	var ended error // looked at after read is closed
	go func() {
		defer close(read)
		ended = p.read(ctx, work, free, read)
	}()
	go func() {
		defer close(fitted)
		for c := range read {
			if c.frame != nil {
				p.Watch.enter(Prepare)
				p.take(c, c.frame)
				p.Watch.leave(Prepare)
			}
			fitted <- c
		}
	}()
	go func() {
		defer close(done)
		for c := range fitted {
			p.answer(work, c)
			done <- c
		}
	}()
	err := p.emit(work, done, free, func() {
		stop()
		abandon()
	})
	if err == nil && !errors.Is(ended, io.EOF) {
		err = ended
	}
	return err
}

// answer asks the network, unless the answer is known, and then the decider.
func (p *Pipeline) answer(ctx context.Context, c *parcel) {
	if !c.known {
		p.Watch.enter(Infer)
		p.Detector.infer(ctx, c.lane, &c.result)
		p.Watch.leave(Infer)
	}
	begin := time.Now()
	switch {
	case p.Decider == nil:
	case c.known:
		p.Decider.Restore(&c.result)
	default:
		p.Decider.Decide(&c.result)
	}
	c.result.Took.Decide = time.Since(begin)
}

// read fills parcels until the source or ctx ends; what it has taken from the source is work's.
func (p *Pipeline) read(ctx, work context.Context, free <-chan *parcel, read chan<- *parcel) error {
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
		c.result = Result{Source: p.Name, Took: Took{Decode: time.Since(begin)}, Answers: c.result.Answers[:0], boxes: c.result.boxes}
		c.frame, c.known = f, false
		switch {
		case err == nil:
			// Not before the frame is there: a camera that is lost would keep a model from being changed.
			if err := p.Detector.begin(work); err != nil {
				f.Release()
				return err
			}
			c.begun = true
		case errors.As(err, &bad):
			c.frame = nil
			c.result.Seq, c.result.Time = bad.Seq, bad.Time
			p.miss(c, bad)
		default:
			return err
		}
		read <- c
	}
}

// take looks at a frame and fits it into the network's input.
func (p *Pipeline) take(c *parcel, f *camera.Frame) {
	r := &c.result
	r.Seq, r.Time, r.Status = f.Seq, f.Time, OK
	r.Captured, r.Stamp, r.Clock = f.Captured, f.Stamp, f.Clock
	begin := time.Now()
	if !f.Captured.IsZero() {
		r.Took.Mailbox = begin.Sub(f.Captured)
	}
	if p.Code != nil {
		r.Code, r.Coded = p.Code(f)
		begin = time.Now()
	}
	ok := p.guard(f, r)
	r.Took.Guard = time.Since(begin)
	if ok && p.Known != nil {
		c.known = p.Known(r)
	}
	if ok && !c.known {
		p.Detector.fit(c.lane, f, r)
	}
}

// miss fills the result of a frame that did not come. Of a dropped one there is nothing to
// say beyond that, and under load there are many: no text is made for it.
func (p *Pipeline) miss(c *parcel, bad *camera.FrameError) {
	status := lost(bad.Err)
	reason := bad.Err.Error()
	if status == Unreadable {
		reason = bad.Error()
	}
	c.result.fail(status, reason)
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
			p.Watch.enter(Publish)
			if failed = sinks(p.Sinks).Emit(ctx, &c.result, c.frame); failed != nil {
				cancel()
			} else if p.Progress != nil {
				p.Progress(&c.result)
			}
			p.Watch.leave(Publish)
		}
		if c.frame != nil {
			c.frame.Release()
			c.frame = nil
		}
		if c.begun {
			p.Detector.end()
			c.begun = false
		}
		free <- c
	}
	return failed
}
