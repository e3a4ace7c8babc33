package bench

import "time"

const (
	// warmGuess is how long a warm-up is taken to last, for the time left.
	warmGuess = windows * windowTime
	// trialsGuess is how many trials a search is taken to make.
	trialsGuess = 12
	// tickEvery is the least time between two calls of Progress.
	tickEvery = 200 * time.Millisecond
)

// clock tells Progress how far a run has come. What a phase takes more or less than was
// expected is not counted.
type clock struct {
	progress Progress
	of, done time.Duration
	expected time.Duration // of the phase that runs
	last     time.Time
}

// newClock expects the stages to be measured, or with none a search.
func newClock(stages int, p Plan, progress Progress) *clock {
	c := &clock{progress: progress, of: trialsGuess * seconds(p.Trial)}
	if stages > 0 {
		c.of = time.Duration(stages) * (warmGuess + seconds(p.Seconds))
	}
	return c
}

// phase begins one, and returns what is to be called in it now and then.
func (c *clock) phase(expected time.Duration, what string) func(time.Time) {
	c.done = min(c.done+c.expected, c.of)
	c.expected = expected
	begin := time.Now()
	return func(now time.Time) {
		if c.progress == nil || now.Sub(c.last) < tickEvery {
			return
		}
		c.last = now
		c.progress(min(c.done+min(now.Sub(begin), expected), c.of), c.of, what)
	}
}
