package optim

import "math"

// OneCycle is a learning rate that rises linearly from 0 to Peak during the first
// Warmup steps and falls along half a cosine to Peak·Final at step Total.
type OneCycle struct {
	Peak, Final   float64
	Warmup, Total int
}

// At is the learning rate of step t = 1 … Total.
func (s OneCycle) At(t int) float64 {
	if t <= s.Warmup {
		return s.Peak * float64(t) / float64(s.Warmup)
	}
	done := float64(t-s.Warmup) / math.Max(1, float64(s.Total-s.Warmup))
	return s.Peak * (s.Final + (1-s.Final)*0.5*(1+math.Cos(math.Pi*math.Min(1, done))))
}
