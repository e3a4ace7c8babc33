package hil

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// WriteTable writes a line a fault as Markdown: what was broken, how soon that was noticed, what
// was emitted meanwhile, and how soon all was well again. Scenarios that are made to fail are left
// out.
func WriteTable(w io.Writer, all []*Outcome) error {
	var b strings.Builder
	b.WriteString("| fault | noticed | emitted meanwhile | well again |\n|---|---|---|---|\n")
	for _, o := range all {
		if o.run == nil || o.Error != "" || o.run.Scenario.Fails != "" {
			continue
		}
		for i, f := range o.run.Scenario.Faults {
			what, _, _ := strings.Cut(Kinds[f.Kind], " (") // without how much is to be said
			if o.NotMeasured != "" {
				fmt.Fprintf(&b, "| %s: %s | not measured: the bench was late | – | – |\n", o.Scenario, what)
				continue
			}
			fmt.Fprintf(&b, "| %s: %s | %s | %s | %s |\n", o.Scenario, what, o.measured("detect", i), o.run.meanwhile(i), o.measured("recover", i))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// measured is what a fault's requirement measured, "–" if it has none.
func (o *Outcome) measured(kind string, fault int) string {
	for _, v := range o.Verdicts {
		if v.Requirement.Kind == kind && v.Requirement.Fault == fault {
			return v.Measured
		}
	}
	return "–"
}

// meanwhile counts the results by status from a fault's beginning to its end, or for two seconds
// where it happens once.
func (r *Run) meanwhile(fault int) string {
	at := r.Injected[fault]
	if at.To.Sub(at.From) < 2*time.Second {
		at.To = at.From.Add(2 * time.Second)
	}
	counts := map[string]int{}
	cam := r.Scenario.Faults[fault].Camera
	for _, x := range r.Results {
		if !x.Got.Before(at.From) && x.Got.Before(at.To) && (cam == "" || x.Source == cam) {
			counts[x.Status]++
		}
	}
	if len(counts) == 0 {
		return "no result: there was no frame"
	}
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return strings.Join(parts, ", ")
}
