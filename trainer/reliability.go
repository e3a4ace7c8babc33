package trainer

import (
	"fmt"

	"perceive/trainer/metrics"
	"perceive/trainer/report"
)

// reliability holds probabilities against how often they come true.
func (f *Findings) reliability() (report.Section, error) {
	t := report.Table{Head: []string{"label", "a", "b", "fitted on", "ECE without", "ECE with", "Brier"}}
	out := report.Section{Title: "Probabilities", Text: fmt.Sprintf("How often a label is there, by the probability that it was given, in %d bins with their 95 %% intervals (Wilson). "+
		"On the dashed line a probability means what it says. ECE is the mean distance from it; calibration σ(a·logit+b) is part of the network.", metrics.Bins)}
	for l, s := range Tally(f.Set, f.Probabilities) {
		m := f.Measured[l]
		row := []string{m.Label, none, none, none, none, none, none}
		chart := report.Chart{Title: "Reliability of " + m.Label, X: "probability", Y: "part that is there", Unit: true,
			Series: []report.Series{{X: []float64{0, 1}, Y: []float64{0, 1}, Guide: true}}}
		if m.Defined() {
			row[5], row[6] = interval(m.ECE, m.Intervals["ece"]), interval(m.Brier, m.Intervals["brier"])
		}
		with := "as trained"
		var before []report.Series
		if f.calibrations != nil && f.calibrations[l] != nil {
			c := f.calibrations[l]
			row[1], row[2], row[3] = fixed(c.A), fixed(c.B), fmt.Sprintf("%s, %d positive and %d negative", c.Split, c.Positive, c.Negative)
			if c.Note != "" {
				row[3] = c.Note
			}
			if m.Uncalibrated != nil {
				row[4] = fixed(*m.Uncalibrated)
			}
			if c.Note == "" {
				with = "calibrated"
				raw, err := binned("as trained", uncalibrated(s, *c), false)
				if err != nil {
					return out, err
				}
				before = append(before, raw)
			}
		}
		t.Rows = append(t.Rows, row)
		if len(s.Score) == 0 {
			continue
		}
		after, err := binned(with, s, true)
		if err != nil {
			return out, err
		}
		chart.Series = append(append(chart.Series, after), before...)
		out.Charts = append(out.Charts, chart)
	}
	out.Tables = []report.Table{t}
	return out, nil
}

// binned is a line of a reliability diagram.
func binned(name string, s metrics.Scores, spread bool) (report.Series, error) {
	out := report.Series{Name: name, Points: true}
	bins, err := s.Reliability(metrics.Bins)
	for _, b := range bins {
		if b.Count == 0 {
			continue
		}
		out.X, out.Y = append(out.X, b.Mean), append(out.Y, b.Observed)
		if spread {
			n := float64(b.Count)
			low, high := metrics.Wilson(b.Observed*n, n)
			out.Spread = append(out.Spread, [2]float64{low, high})
		}
	}
	return out, err
}
