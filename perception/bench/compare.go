package bench

import (
	"fmt"
	"math"
)

// Comparison holds a run against a baseline.
type Comparison struct {
	// Baseline is the program that the baseline was measured with.
	Baseline string `json:"baseline"`
	// Differs lists what else is not the same. A ratio is then not the program's alone.
	Differs []Difference `json:"differs,omitempty"`
	Rows    []Compared   `json:"rows"`
	// Missing are what the one has and the other has not.
	Missing []string `json:"missing,omitempty"`
}

// Difference is a condition that is not the same.
type Difference struct {
	What string `json:"what"`
	Was  string `json:"was"`
	Is   string `json:"is"`
}

// Compared is one figure, of the baseline and of this run.
type Compared struct {
	Name string `json:"name"`
	Unit string `json:"unit"` // "ms" or "per s"
	Was  Spread `json:"was"`
	Is   Spread `json:"is"`
	// Ratio is above 1 where this run is slower: the time over the baseline's, or the
	// baseline's rate over this one.
	Ratio float64 `json:"ratio"`
	// Beyond says that the spreads have nothing in common: the difference is more than the
	// noise of both.
	Beyond bool `json:"beyond_noise"`
}

// Slower are the figures that are worse by more than a ratio, and beyond the noise.
func (c *Comparison) Slower(ratio float64) (out []Compared) {
	for _, r := range c.Rows {
		if r.Beyond && r.Ratio > ratio {
			out = append(out, r)
		}
	}
	return out
}

// Compare holds r against a baseline: the medians of all stages, and the rate of the whole path:
// its latency at full speed is mostly waiting, and longer where the decoder is faster.
func (r *Report) Compare(base *Report) *Comparison {
	c := &Comparison{Baseline: base.Conditions.Program, Differs: r.Conditions.differ(&base.Conditions)}
	for i := range r.Stages {
		is := &r.Stages[i]
		was := base.row(is.Name)
		if was == nil {
			c.Missing = append(c.Missing, fmt.Sprintf("the baseline has no %s", is.Name))
			continue
		}
		if is.Name == wholePath+"/"+waiting {
			continue
		}
		if is.Name == wholePath && is.PerS != nil && was.PerS != nil {
			c.Rows = append(c.Rows, compared(is.Name, "per s", *was.PerS, *is.PerS))
		} else {
			c.Rows = append(c.Rows, compared(is.Name, "ms", was.P50, is.P50))
		}
	}
	for i := range base.Stages {
		if name := base.Stages[i].Name; r.row(name) == nil {
			c.Missing = append(c.Missing, fmt.Sprintf("this run has no %s", name))
		}
	}
	c.rate(base.Rate, r.Rate)
	return c
}

// rate compares the highest rates, as far as both runs bounded them.
func (c *Comparison) rate(was, is *RateSearch) {
	const name = "highest rate"
	switch {
	case was == nil && is == nil:
	case was == nil:
		c.Missing = append(c.Missing, "the baseline has no "+name)
	case is == nil:
		c.Missing = append(c.Missing, "this run has no "+name)
	case was.PerS+was.Failed == 0 || is.PerS+is.Failed == 0:
		c.Missing = append(c.Missing, "the "+name+"s cannot be compared: one was not found")
	default:
		a, b := was.known(), is.known()
		if bounded := was.bounded() && is.bounded(); !bounded && !a.apart(b) {
			c.Missing = append(c.Missing, "the "+name+"s cannot be compared: one is beyond the range that was searched")
			return
		}
		c.Rows = append(c.Rows, compared(name, "per s", was.finite(a), is.finite(b)))
	}
}

// bounded is whether the rate was found between one that was kept and one that was not.
func (s *RateSearch) bounded() bool { return s.PerS > 0 && s.Failed > 0 }

// known is between what the highest rate must lie. Trials of a busy machine contradict each
// other: it reaches from the lowest rate that ever failed to the highest that was ever kept.
func (s *RateSearch) known() Spread {
	k := Spread{s.PerS, s.PerS, s.Failed}
	if s.Failed == 0 {
		k.Max = math.Inf(1)
	}
	for i := range s.Trials {
		switch t := &s.Trials[i]; {
		case t.Late: // says nothing
		case t.DropShare() < maxDrops:
			k.Max = max(k.Max, t.PerS)
		default:
			k.Min = min(k.Min, t.PerS)
		}
	}
	return k
}

// finite is known without what nobody has tried: nothing, and without end.
func (s *RateSearch) finite(k Spread) Spread {
	switch {
	case s.PerS == 0:
		return Spread{s.Failed, s.Failed, s.Failed}
	case s.Failed == 0:
		return Spread{s.PerS, s.PerS, s.PerS}
	}
	return k
}

func compared(name, unit string, was, is Spread) Compared {
	c := Compared{Name: name, Unit: unit, Was: was, Is: is, Ratio: is.Median / was.Median, Beyond: was.apart(is)}
	if unit != "ms" {
		c.Ratio = 1 / c.Ratio
	}
	return c
}
