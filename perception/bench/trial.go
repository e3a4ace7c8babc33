package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"perceive/camera"
	"perceive/perception"
)

// Trial is what became of the frames that were offered at a rate. Offered is always the sum
// of the answered and the dropped ones and those that a guard refused.
type Trial struct {
	PerS     float64 `json:"offered_per_s"`
	Offered  int     `json:"offered"`
	Answered int     `json:"answered"`
	Refused  int     `json:"refused,omitempty"`
	Dropped  int     `json:"dropped"`
	// Cut says that the trial ended early, because too many frames had been dropped already
	// for the rest of it to make good.
	Cut bool `json:"cut,omitempty"`
	// Pacing90 is how late the bench itself offered nine of ten frames at most, milliseconds, and
	// Late that this is so much that the trial says nothing of its rate.
	Pacing90 float64 `json:"pacing_p90_ms,omitempty"`
	Late     bool    `json:"late,omitempty"`
	// Age50 and Age99 are quantiles of the time from when a frame was due until its result
	// was published, milliseconds, of the answered ones.
	Age50 float64 `json:"age_p50_ms"`
	Age99 float64 `json:"age_p99_ms"`

	trials int // that this is the sum of
	ages   *hdrhistogram.Histogram
}

// DropShare is the share of the frames that were dropped, 0 to 1.
func (t *Trial) DropShare() float64 {
	if t.Offered == 0 {
		return 1
	}
	return float64(t.Dropped) / float64(t.Offered)
}

// add takes another trial into t.
func (t *Trial) add(o *Trial) {
	t.trials++
	t.Offered += o.Offered
	t.Answered += o.Answered
	t.Refused += o.Refused
	t.Dropped += o.Dropped
	t.Cut = t.Cut || o.Cut
	t.Pacing90, t.Late = max(t.Pacing90, o.Pacing90), t.Late || o.Late
	if t.ages == nil {
		t.ages = histogram()
	}
	if o.ages != nil {
		t.ages.Merge(o.ages)
	}
	t.quantiles()
}

func (t *Trial) quantiles() {
	t.Age50, t.Age99 = ms(t.ages.ValueAtQuantile(50)), ms(t.ages.ValueAtQuantile(99))
}

// ms is nanoseconds in milliseconds.
func ms(ns int64) float64 { return float64(ns) / 1e6 }

// leadOffered is how many frames at the start of a trial are offered and not counted: a quarter
// of a second, in which the pipeline gets going, and five at least.
func leadOffered(rate float64) int { return max(5, int(rate/4)) }

// Offer offers frames of a clip at a rate to run, which sends them through a pipeline into a
// sink, and counts what becomes of n of them.
func Offer(ctx context.Context, clip *Clip, rate float64, n int, tick func(time.Time), run func(context.Context, camera.Source, perception.Sink) error) (Trial, error) {
	lead := leadOffered(rate)
	src := newPaced(clip, rate, lead+n, lead+int(maxDrops*float64(n)))
	count := &counter{lead: uint64(lead), trial: Trial{PerS: rate, ages: histogram(), trials: 1}, tick: tick}
	err := run(ctx, src, count)
	t := count.trial
	t.Cut = src.cut
	src.pace.judge(&t, src.next)
	t.quantiles()
	if err == nil && t.Offered != t.Answered+t.Refused+t.Dropped {
		err = fmt.Errorf("bench: %d frames offered, but %d answered, %d refused and %d dropped: the pipeline lost some", t.Offered, t.Answered, t.Refused, t.Dropped)
	}
	if err == nil && t.Refused > 0 && t.Answered == 0 {
		err = fmt.Errorf("bench: the guards let none of %d frames pass; the last one: %s: measure without guards, or with another source", t.Refused, count.why)
	}
	if want := src.next - lead; err == nil && t.Offered != max(0, want) {
		err = fmt.Errorf("bench: %d frames offered, but results of %d: the pipeline lost some", want, t.Offered)
	}
	return t, err
}

// counter is the sink at the end of a trial.
type counter struct {
	lead  uint64
	trial Trial
	tick  func(time.Time)
	why   string // of the last refused frame
}

// Emit implements perception.Sink.
func (c *counter) Emit(_ context.Context, r *perception.Result, _ *camera.Frame) error {
	now := time.Now()
	if c.tick != nil {
		c.tick(now)
	}
	if r.Status == perception.Failed {
		return failedFrame(r)
	}
	if r.Seq < c.lead {
		return nil
	}
	t := &c.trial
	t.Offered++
	switch r.Status {
	case perception.OK:
		t.Answered++
		t.ages.RecordValue(int64(bound(now.Sub(r.Captured))))
	case perception.Dropped:
		t.Dropped++
	default:
		t.Refused++
		c.why = r.Reason
	}
	return nil
}

// Close implements perception.Sink.
func (c *counter) Close() error { return nil }

// failedFrame is the error about a frame that the network did not answer: times of such a run
// say nothing.
func failedFrame(r *perception.Result) error {
	return fmt.Errorf("bench: frame %d: the network gave no answer: %s", r.Seq, r.Reason)
}
