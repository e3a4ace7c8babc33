package trainer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"perceive/trainer/report"
)

// Card is what the findings say of a model, in Markdown: a table by label, one by source,
// one by condition, and in words where it is worse beyond chance. head says of which model
// and on what.
func (f *Findings) Card(head string) (string, error) {
	sources, err := f.Sources()
	if err != nil {
		return "", err
	}
	conditions, err := f.Conditions()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s", head, f.byLabel().Markdown())
	for _, part := range []struct {
		what, one string
		all       []Condition
	}{{"source", "source", sources}, {"condition", "condition", conditions}} {
		t := byPart(part.one, part.all)
		if len(t.Rows) == 0 {
			fmt.Fprintf(&b, "\nBy %s: none has %d pictures of both answers.\n", part.what, enough)
			continue
		}
		fmt.Fprintf(&b, "\nBy %s, where there are %d pictures of both answers at least:\n\n%s", part.what, enough, t.Markdown())
	}
	fmt.Fprintf(&b, "\n%s", limits(slices.Concat(sources, conditions)))
	return b.String(), nil
}

// byLabel is a row a label.
func (f *Findings) byLabel() report.Table {
	t := report.Table{Head: []string{"label", "+", "−", "ROC AUC", "AP", "threshold", "recall", "false alarms", "precision", "F1", "ECE"}}
	for _, m := range f.Measured {
		row := []string{m.Label, strconv.Itoa(m.Positive), strconv.Itoa(m.Negative)}
		if !m.Defined() {
			t.Rows = append(t.Rows, append(row, "one answer only", none, fixed(m.Decision().Threshold), none, none, none, none, none))
			continue
		}
		w := m.Intervals
		t.Rows = append(t.Rows, append(row, interval(m.AUC, [2]float64{m.Low, m.High}), interval(m.AP, w["ap"]), fixed(m.Decision().Threshold),
			short(m.Recall, w["recall"]), short(m.FalseAlarms, w["false_alarms"]), short(m.Precision, w["precision"]), short(m.F1, w["f1"]), short(m.ECE, w["ece"])))
	}
	t.Rows = append(t.Rows, []string{"**mean**", "", "", fmt.Sprintf("**%.3f**", MeanAUC(f.Measured)), "", "", "", "", "", "", ""})
	return t
}

// byPart is a row a label and part, the weak ones in bold.
func byPart(what string, all []Condition) report.Table {
	t := report.Table{Head: []string{"label", what, "+", "−", "ROC AUC", "all together", "recall", "false alarms"}}
	for _, c := range all {
		if !c.Enough() {
			continue
		}
		auc := interval(*c.AUC, [2]float64{c.Low, c.High})
		if c.Weak() {
			auc = "**" + auc + "**"
		}
		t.Rows = append(t.Rows, []string{c.Label, c.Name(), strconv.Itoa(c.Positive), strconv.Itoa(c.Negative), auc, fixed(*c.Reference),
			short(c.Recall, c.Intervals["recall"]), short(c.FalseAlarms, c.Intervals["false_alarms"])})
	}
	return t
}

// limits says where a label is worse than in all together.
func limits(all []Condition) string {
	var b strings.Builder
	for _, c := range all {
		if c.Weak() {
			fmt.Fprintf(&b, "- %s\n", c.Words())
		}
	}
	if b.Len() == 0 {
		return fmt.Sprintf("Nowhere is a label worse than in all together beyond chance (95 %%, %d pictures of each answer at least).\n", enough)
	}
	return "Worse than all together beyond chance (the 95 % interval lies below; each by itself, so of forty that are not worse one is expected here):\n\n" + b.String()
}

// Name is the condition as a row's head: a source by its name alone.
func (c Condition) Name() string {
	if c.Of == OfSource {
		return c.Value
	}
	return c.Of + ": " + c.Value
}

// Words are a weak condition as a sentence.
func (c Condition) Words() string {
	return fmt.Sprintf("%s, %s %s: %.3f (to %.3f) where all together have %.3f; finds %.0f %%, false alarms %.0f %%",
		c.Label, c.Of, c.Value, *c.AUC, c.High, *c.Reference, 100*c.Recall, 100*c.FalseAlarms)
}

// short is an interval in two digits, which is what a few hundred pictures are good for.
func short(v float64, within [2]float64) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", v, within[0], within[1])
}
