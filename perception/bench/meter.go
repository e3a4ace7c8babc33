package bench

import (
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// lead is how many frames at the start of a pass are not counted: as many as the pipeline
	// has on their way at once, and what they find is empty.
	lead = 3
	// longest is the largest time that is told apart from longer ones.
	longest = time.Minute
)

func histogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(longest), 3) }

// bound is d within what a histogram holds: nothing takes no time at all.
func bound(d time.Duration) time.Duration { return min(max(d, 1), longest) }

// Meter takes the times of one turn of a stage. Begin and Note belong to one goroutine, Done
// may be called from another. Note allocates nothing.
type Meter struct {
	rows    []*hdrhistogram.Histogram // nanoseconds: the whole, then its parts
	sums    []time.Duration
	wall    time.Duration // between counted frames
	last    time.Time
	lead    int
	skipped int
	counted atomic.Int64
	frames  int64     // the turn ends with this many
	until   time.Time // and not before
	tick    func(now time.Time)
}

// newMeter makes a meter for a whole and its parts, of a turn that lasts for a time and a
// number of frames, whichever is longer.
func newMeter(parts int, lasts time.Duration, frames int) *Meter {
	m := &Meter{sums: make([]time.Duration, 1+parts), frames: int64(frames), until: time.Now().Add(lasts)}
	for range 1 + parts {
		m.rows = append(m.rows, histogram())
	}
	return m
}

// Begin is called when frames begin to come, for the first time or again: the next few are
// not counted, nor is the time since the last one.
func (m *Meter) Begin() { m.lead = lead }

// Note counts a frame: how long all of it took, and its parts.
func (m *Meter) Note(whole time.Duration, parts ...time.Duration) {
	now := time.Now()
	if m.tick != nil {
		m.tick(now)
	}
	if m.lead > 0 {
		m.lead--
		m.last = now
		return
	}
	m.wall += now.Sub(m.last)
	m.last = now
	m.record(0, whole)
	for i, d := range parts {
		m.record(1+i, d)
	}
	m.counted.Add(1)
}

func (m *Meter) record(row int, d time.Duration) {
	d = bound(d)
	m.sums[row] += d
	m.rows[row].RecordValue(int64(d))
}

// Skip counts a frame that has no answer, and so no time.
func (m *Meter) Skip() { m.skipped++ }

// Done is whether the turn is over.
func (m *Meter) Done() bool {
	return m.counted.Load() >= m.frames && !time.Now().Before(m.until)
}

// median is that of the whole, so far.
func (m *Meter) median() time.Duration { return time.Duration(m.rows[0].ValueAtQuantile(50)) }

// rate is frames a second of a row: by the clock where stages overlap, else by the time that
// the row itself took.
func (m *Meter) rate(row int, overlapped bool) float64 {
	over := m.sums[row]
	if overlapped {
		over = m.wall
	}
	if over <= 0 {
		return 0
	}
	return float64(m.counted.Load()) / over.Seconds()
}
