package hil

import (
	"fmt"
	"io"
	"strings"
)

// WriteTable writes a line a fault as Markdown: what was broken, how soon that was noticed, what
// the unit published meanwhile, and how soon all was well again. Scenarios that are made to fail are left
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
