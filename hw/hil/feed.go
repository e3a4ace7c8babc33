package hil

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"perceive/camera"
	"perceive/camera/framecode"
	"perceive/camera/opencv"
)

// Served is one frame that a camera made.
type Served struct {
	Camera string    `json:"camera"`
	Code   uint32    `json:"code"`
	Due    time.Time `json:"due"`  // by the pacing
	Made   time.Time `json:"made"` // when the glass saw it: what latency is counted from
	Sent   time.Time `json:"sent"` // zero: it was never put on the wire
	// Faults are those that the frame was made under, by number.
	Faults []int           `json:"faults,omitempty"`
	Truth  map[string]bool `json:"truth,omitempty"`
}

// feed is a camera: it makes frames by the clock, spoils them as the faults say, and puts them on
// its wire.
type feed struct {
	cam    Camera
	faults []Fault // all of the scenario's, by number
	clip   *clip
	spoil  spoiler
	wire   wire
	shots  []shot

	mu     sync.Mutex
	served []Served
	hang   bool // nothing goes on the wire
}

// shot is a picture that was made, kept for the report: one a second.
type shot struct {
	at   time.Time
	code uint32
	jpeg []byte
}

// maxShots bounds them: the older ones of a long run are thinned out.
const maxShots = 600

// newFeed is a scenario's camera at an address, host:port; empty is a free port of this machine.
func newFeed(s *Scenario, n int, c *clip, address string) (*feed, error) {
	f := &feed{cam: s.Cameras[n], faults: s.Faults, clip: c}
	f.spoil.rand = rand.New(rand.NewPCG(s.Seed, uint64(n)))
	f.cam.address = address
	var err error
	if f.wire, err = openWire(f.cam, c.width, c.height); err != nil {
		return nil, fmt.Errorf("hil: camera %s: %w", f.cam.Name, err)
	}
	return f, nil
}

// URL is where the unit finds the camera.
func (f *feed) URL() string {
	url := f.wire.url()
	if f.cam.Query != "" {
		url += "?" + f.cam.Query
	}
	return url
}

// run makes frames from begin on until ctx ends.
func (f *feed) run(ctx context.Context, begin time.Time) error {
	period := time.Duration(float64(time.Second) / f.cam.FPS)
	frame := camera.NewFrame(f.clip.width, f.clip.height, nil)
	var still []byte  // the last JPEG, for a frozen camera
	var held *picture // the one that changes places with the next
	due := begin
	was := map[int]bool{}
	for code := uint32(0); ; code++ {
		if err := sleep(ctx, time.Until(due)); err != nil {
			return nil
		}
		on := f.active(due.Sub(begin))
		err := f.switchTo(ctx, on, was)
		s := Served{Camera: f.cam.Name, Code: code, Due: due, Made: time.Now(), Faults: on}
		if err == nil {
			still, err = f.make(frame, &s, on, still)
		}
		if err == nil {
			f.keep(s, still)
			held = f.deliver(ctx, picture{still, s.Made}, held, &s, on)
			err = f.wire.broken()
		}
		if err != nil {
			return fmt.Errorf("hil: camera %s: frame %d: %w", f.cam.Name, code, err)
		}
		f.mu.Lock()
		f.served = append(f.served, s)
		f.mu.Unlock()
		step := period
		for _, i := range on {
			if f.faults[i].Kind == "rate" {
				step = time.Duration(float64(period) / or(f.faults[i].Amount, 0.5))
			}
		}
		due = due.Add(step)
	}
}

// make is a frame as a JPEG: a picture with its code, spoilt.
func (f *feed) make(frame *camera.Frame, s *Served, on []int, still []byte) ([]byte, error) {
	pix, truth := f.clip.at(s.Code)
	s.Truth = truth
	for _, i := range on {
		if f.faults[i].Kind == "freeze" && still != nil {
			return still, nil
		}
	}
	copy(frame.Pix, pix)
	for _, i := range on {
		if err := f.spoil.under(frame, f.faults[i].Kind, f.faults[i].Amount); err != nil {
			return nil, err
		}
	}
	shown := frame
	for _, i := range on {
		if f.faults[i].Kind == "resize" {
			var err error
			if shown, err = f.spoil.resized(frame, or(f.faults[i].Amount, 0.5)); err != nil {
				return nil, err
			}
		}
	}
	framecode.Write(shown, s.Code)
	for _, i := range on {
		f.spoil.over(shown, f.faults[i].Kind)
	}
	jpeg, err := opencv.EncodeJPEG(shown.Width, shown.Height, shown.Pix, f.cam.Quality)
	if err != nil {
		return nil, err
	}
	for _, i := range on {
		jpeg = f.spoil.bytes(jpeg, f.faults[i].Kind)
	}
	return jpeg, nil
}

// keep keeps a picture a second.
func (f *feed) keep(s Served, jpeg []byte) {
	if n := len(f.shots); n > 0 && s.Made.Sub(f.shots[n-1].at) < time.Second {
		return
	}
	if len(f.shots) == maxShots {
		for i := range maxShots / 2 {
			f.shots[i] = f.shots[2*i]
		}
		f.shots = f.shots[:maxShots/2]
	}
	f.shots = append(f.shots, shot{s.Made, s.Code, jpeg})
}

// log is what was served up to now.
func (f *feed) log() []Served {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.served)
}

// lastSent is the code of the last frame that went on the wire, -1 before.
func (f *feed) lastSent() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range slices.Backward(f.served) {
		if !s.Sent.IsZero() {
			return int64(s.Code)
		}
	}
	return -1
}

// Close ends the camera.
func (f *feed) Close() error { return f.wire.Close() }

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
