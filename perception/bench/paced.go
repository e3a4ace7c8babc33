package bench

import (
	"context"
	"io"
	"time"

	"perceive/camera"
)

// paced is a camera of exact rate with one slot for the newest frame: a frame that is not
// taken before the next one is due is dropped. As its frames lie in memory, which one is the
// newest is worked out when one is asked for; nothing runs beside the pipeline, and a busy
// machine cannot slow the camera down.
type paced struct {
	clip  *Clip
	every time.Duration
	n     int // frames in all
	most  int // drops, after which the trial is lost

	now   func() time.Time
	start time.Time // when frame 0 was due: the first call
	next  int
	drops int
	cut   bool
	pace  pacing
	timer *time.Timer
	lost  camera.FrameError
	lent  chan *camera.Frame
}

// lendable is how many frames may be out at once.
const lendable = 8

func newPaced(clip *Clip, rate float64, n, most int) *paced {
	p := &paced{clip: clip, every: time.Duration(float64(time.Second) / rate), n: n, most: most, now: time.Now, pace: pacing{histogram()}, lent: make(chan *camera.Frame, lendable)}
	p.lost.Err, p.lost.Name = camera.ErrDropped, "offered"
	for range lendable {
		p.lent <- camera.WrapFrame(func(f *camera.Frame) { p.lent <- f })
	}
	return p
}

// Info implements camera.Source.
func (p *paced) Info() camera.Info { return p.clip.Info }

// Close implements camera.Source.
func (p *paced) Close() error { return nil }

// Next implements camera.Source. A frame was captured when it was due.
func (p *paced) Next(ctx context.Context) (*camera.Frame, error) {
	if p.start.IsZero() {
		p.start = p.now()
		p.timer = time.NewTimer(0)
	}
	if p.cut = p.drops > p.most; p.next >= p.n || p.cut {
		return nil, io.EOF
	}
	at := time.Duration(p.next) * p.every
	if err := p.wait(ctx, at); err != nil {
		return nil, err
	}
	seq := p.next
	p.next++
	if newest := min(int(p.since()/p.every), p.n-1); newest > seq {
		p.drops++
		p.lost.Seq, p.lost.Time = uint64(seq), at
		return nil, &p.lost
	}
	select {
	case f := <-p.lent:
		p.clip.show(f, seq)
		f.Time, f.Captured = at, p.start.Add(at)
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *paced) since() time.Duration { return p.now().Sub(p.start) }

// wait returns when a frame is due.
func (p *paced) wait(ctx context.Context, at time.Duration) error {
	left := at - p.since()
	if left <= 0 {
		return ctx.Err()
	}
	p.timer.Reset(left)
	select {
	case <-p.timer.C:
		p.pace.note(p.since() - at)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
