package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latePart is the part of a period that one frame in ten may be late by, from the bench's own
// doing, for a trial to be one of its rate.
const latePart = 0.25

// pacing is how late frames were offered that the pipeline waited for: the bench's own error.
// A frame that was due before it was asked for is late by the pipeline's doing, and not in it.
type pacing struct{ late *hdrhistogram.Histogram }

// note takes a frame that was due late ago.
func (p pacing) note(late time.Duration) { p.late.RecordValue(int64(bound(late))) }

// judge enters the error into a trial of so many frames. Where the pipeline waited for fewer
// than half of them it was the slower of the two, whatever the others say.
func (p pacing) judge(t *Trial, frames int) {
	t.Pacing90 = ms(p.late.ValueAtQuantile(90))
	t.Late = 2*int(p.late.TotalCount()) >= frames && t.Pacing90 > latePart*t.period()
}

// period is the time between two frames, milliseconds.
func (t *Trial) period() float64 { return 1000 / t.PerS }
