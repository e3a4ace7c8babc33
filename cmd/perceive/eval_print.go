package main

import (
	"fmt"
	"io"
	"strings"

	"perceive/trainer"
)

// printMeasured prints the figures of each label.
func printMeasured(w io.Writer, measured []trainer.Measured) error {
	t := newTable(w)
	fmt.Fprintln(t, "label\t+\t−\tROC AUC\t95 %\tAP\t95 %\tECE\twithout")
	for _, m := range measured {
		if !m.Defined() {
			fmt.Fprintf(t, "%s\t%d\t%d\tnot defined: one answer only\n", m.Label, m.Positive, m.Negative)
			continue
		}
		without := "–"
		if m.Uncalibrated != nil {
			without = fmt.Sprintf("%.3f", *m.Uncalibrated)
		}
		ap := m.Intervals["ap"]
		fmt.Fprintf(t, "%s\t%d\t%d\t%.3f\t%.3f–%.3f\t%.3f\t%.3f–%.3f\t%.3f\t%s\n", m.Label, m.Positive, m.Negative,
			m.AUC, m.Low, m.High, m.AP, ap[0], ap[1], m.ECE, without)
	}
	fmt.Fprintf(t, "mean\t\t\t%.3f\n", trainer.MeanAUC(measured))
	fmt.Fprintln(t, "\nat\tthreshold\trecall\t95 %\tfalse alarms\tprecision\t95 %\tF1\t95 %")
	for _, m := range measured {
		if !m.Defined() {
			continue
		}
		recall, precision, f1 := m.Intervals["recall"], m.Intervals["precision"], m.Intervals["f1"]
		fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.2f–%.2f\t%.3f\t%.3f\t%.2f–%.2f\t%.3f\t%.2f–%.2f\n", m.Label, m.Set.Threshold,
			m.Recall, recall[0], recall[1], m.FalseAlarms, m.Precision, precision[0], precision[1], m.F1, f1[0], f1[1])
	}
	return t.Flush()
}

// printParts prints the figures of each part, a source or a condition, and in which of them
// the model fails.
func printParts(w io.Writer, what string, all []trainer.Condition) error {
	if len(all) == 0 {
		_, err := fmt.Fprintf(w, "\nthe data says nothing of %ss: no attributes, no boxes\n", what)
		return err
	}
	t := newTable(w)
	fmt.Fprintf(t, "\nlabel\t+\t−\tROC AUC\t95 %%\trecall\tfalse alarms\t%s\n", what)
	var weak []string
	for _, c := range all {
		if c.AUC == nil {
			fmt.Fprintf(t, "%s\t%d\t%d\tone answer\t\t\t\t%s\n", c.Label, c.Positive, c.Negative, c.Name())
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%.3f\t%.3f–%.3f\t%.3f\t%.3f\t%s\n", c.Label, c.Positive, c.Negative, *c.AUC, c.Low, c.High, c.Recall, c.FalseAlarms, c.Name())
		if c.Weak() {
			weak = append(weak, c.Words())
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if weak == nil {
		_, err := fmt.Fprintf(w, "\nunder no %s is the model worse beyond chance (95 %%, 10 pictures of each answer at least)\n", what)
		return err
	}
	_, err := fmt.Fprintf(w, "\nworse beyond chance:\n  %s\n", strings.Join(weak, "\n  "))
	return err
}
