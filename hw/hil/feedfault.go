package hil

import (
	"context"
	"slices"
	"time"
)

// active are the numbers of the camera's faults at a time.
func (f *feed) active(at time.Duration) (on []int) {
	for i, x := range f.faults {
		if (x.Camera == "" || x.Camera == f.cam.Name) && !slices.Contains(onUnit, x.Kind) && at >= x.At && at < x.At+x.For {
			on = append(on, i)
		}
	}
	return on
}

// switchTo begins and ends the faults that are of the connection and not of frames.
func (f *feed) switchTo(ctx context.Context, on []int, was map[int]bool) error {
	for i, x := range f.faults {
		now := slices.Contains(on, i)
		if now == was[i] {
			continue
		}
		was[i] = now
		switch x.Kind {
		case "disconnect":
			f.wire.(server).cut(now)
		case "hang":
			f.mu.Lock()
			f.hang = now
			f.mu.Unlock()
		case "refuse":
			if err := f.wire.(server).refuse(ctx, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliver sends a frame, or what the faults make of that; it returns the one that is held back
// to change places with the next.
func (f *feed) deliver(ctx context.Context, p picture, held *picture, s *Served, on []int) *picture {
	times, delay := 1, time.Duration(0)
	swap := false
	for _, i := range on {
		x := f.faults[i]
		switch x.Kind {
		case "drop":
			if f.spoil.rand.Float64() < or(x.Amount, 0.5) {
				times = 0
			}
		case "burst_drop":
			times = 0
		case "duplicate":
			times *= 2
		case "late":
			delay += x.Delay
		case "jitter":
			delay += time.Duration(f.spoil.rand.Float64() * float64(x.Delay))
		case "reorder":
			swap = true
		}
	}
	if times == 0 {
		return held
	}
	if swap && held == nil {
		s.Sent = s.Made
		return &p
	}
	send := func() {
		for range times {
			f.send(p)
		}
		if held != nil {
			f.send(*held)
		}
	}
	s.Sent = time.Now().Add(delay)
	if delay > 0 {
		time.AfterFunc(delay, func() {
			if ctx.Err() == nil {
				send()
			}
		})
		return nil
	}
	if f.hangs() || !f.wire.reaches() {
		s.Sent = time.Time{}
	}
	send()
	return nil
}

func (f *feed) send(p picture) {
	if !f.hangs() {
		f.wire.send(p)
	}
}

func (f *feed) hangs() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hang
}
