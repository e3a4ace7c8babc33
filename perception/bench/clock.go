package bench

import "time"

const (
	// warmGuess is how long a warm-up is taken to last, for the time left.
	warmGuess = 2 * windows * windowTime
	// A search is taken to make trialsGuess trials, and never to be over with the present one.
	trialsGuess = 12
	// tickEvery is the least time between two calls of Progress.
	tickEvery = 200 * time.Millisecond
)

// clock tells Progress how far a run has come: how long it has taken, and what is expected of
// the phases to come.
type clock struct {
	progress Progress
	begin    time.Time
	ahead    time.Duration // of phases that have not begun
	least    time.Duration // that ahead may fall to
	last     time.Time
	most     float64 // the largest share that was told
}

// newClock expects a time of phases.
func newClock(ahead, least time.Duration, progress Progress) *clock {
	return &clock{progress: progress, begin: time.Now(), ahead: ahead, least: least}
}

// phase begins one, and returns what is to be called in it now and then.
func (c *clock) phase(expected time.Duration, what string) func(time.Time) {
	c.ahead = max(c.ahead-expected, c.least)
	begin := time.Now()
	return func(now time.Time) {
		if c.progress == nil || now.Sub(c.last) < tickEvery {
			return
		}
		c.last = now
		done, left := now.Sub(c.begin), c.ahead+max(0, expected-now.Sub(begin))
		c.most = max(c.most, float64(done)/float64(done+left))
		c.progress(c.most, what)
	}
}
