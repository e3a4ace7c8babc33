package main

import (
	"fmt"
	"io"
	"strings"

	"perceive/models"
)

// print says what was written into the file for each label.
func (c *exportCmd) print(w io.Writer, labels []models.Label) error {
	t := newTable(w)
	var notes []string
	fmt.Fprintln(t, "label\tcalibration σ(a·z+b)\tECE\tthreshold\trule")
	for _, l := range labels {
		k := l.Calibration
		fitted, ece := fmt.Sprintf("a %.3f, b %+.3f", k.A, k.B), fmt.Sprintf("%.3f → %.3f", k.ECEBefore, k.ECEAfter)
		if k.Note != "" {
			fitted, ece = "none", fixedOrNone(k.ECEBefore)
			notes = append(notes, l.ID+": "+k.Note)
		}
		rule, _, _ := strings.Cut(l.ThresholdRule, " on ")
		fmt.Fprintf(t, "%s\t%s\t%s\t%.3f\t%s\n", l.ID, fitted, ece, l.Threshold, rule)
	}
	err := t.Flush()
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
	return err
}

// fixedOrNone is a figure, or a dash where nothing was measured.
func fixedOrNone(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f", v)
}
