package study

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a mean and its 95 % confidence interval by Student's t (1908). With one
// value there is no interval: Low and High are NaN. Without any, Mean is NaN, too.
type Interval struct {
	Mean, Low, High float64
	N               int
}

// confidence of all intervals.
const confidence = 0.95

// interval is of the mean of x; what is not a number is left out.
func interval(x []float64) Interval {
	var v []float64
	for _, f := range x {
		if !math.IsNaN(f) {
			v = append(v, f)
		}
	}
	i := Interval{math.NaN(), math.NaN(), math.NaN(), len(v)}
	switch len(v) {
	case 0:
	case 1:
		i.Mean = v[0]
	default:
		mean, sd := stat.MeanStdDev(v, nil)
		t := distuv.StudentsT{Sigma: 1, Nu: float64(len(v) - 1)}.Quantile((1 + confidence) / 2)
		half := t * stat.StdErr(sd, float64(len(v)))
		i.Mean, i.Low, i.High = mean, mean-half, mean+half
	}
	return i
}

// Outcome is what an interval of a difference says.
type Outcome string

// The outcomes. Unmeasured: too few seeds for an interval.
const (
	Better     Outcome = "better"
	Worse      Outcome = "worse"
	NoneSeen   Outcome = "no difference seen"
	Unmeasured Outcome = "no interval"
)

// Outcome of a difference, more being better.
func (i Interval) Outcome() Outcome {
	switch {
	case math.IsNaN(i.Low):
		return Unmeasured
	case i.Low > 0:
		return Better
	case i.High < 0:
		return Worse
	}
	return NoneSeen
}

// signed writes a difference with its interval.
func (i Interval) signed() string { return i.format("%+.3f") }

// String writes a score with its interval.
func (i Interval) String() string { return i.format("%.3f") }

// format writes each number with a verb.
func (i Interval) format(verb string) string {
	switch {
	case math.IsNaN(i.Mean):
		return "–"
	case math.IsNaN(i.Low):
		return fmt.Sprintf(verb, i.Mean)
	}
	return fmt.Sprintf(verb+" ("+verb+" to "+verb+")", i.Mean, i.Low, i.High)
}

// Expectation is what a claim says of a difference.
type Expectation int

// Silent: the claim says nothing of it. Above: it is above zero. NotBelow: it is not below
// zero by more than Margin.
const (
	Silent Expectation = iota
	Above
	NotBelow
)

// onlyIf is the expectation where the claim speaks of it, else Silent.
func (e Expectation) onlyIf(speaks bool) Expectation {
	if !speaks {
		return Silent
	}
	return e
}

// Margin of NotBelow, in ROC AUC: a difference that nobody would choose a network by. "No
// difference seen" is no proof that there is none; an interval above -Margin is.
const Margin = 0.01

// Agreement of a measured difference with an expectation.
type Agreement string

// The agreements; "" where nothing was expected.
const (
	AsClaimed Agreement = "as claimed"
	Against   Agreement = "against the claim"
	Undecided Agreement = "undecided"
)

func (e Expectation) agrees(i Interval) Agreement {
	switch o := i.Outcome(); {
	case e == Silent:
		return ""
	case o == Unmeasured:
		return Undecided
	case o == Worse && (e == Above || i.Mean < -Margin):
		return Against
	case e == Above && o == Better, e == NotBelow && i.Low > -Margin:
		return AsClaimed
	}
	return Undecided
}
