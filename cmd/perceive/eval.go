package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"perceive/hw/ort"
	"perceive/models"
	"perceive/trainer"
	"perceive/trainer/dataset"
	"perceive/trainer/report"
)

type evalCmd struct {
	modelFlags
	Data       []string `required:"" sep:"none" placeholder:"URI" help:"Labelled pictures: ${schemes}. May be repeated."`
	JSON       bool     `name:"json" help:"Print JSON."`
	Report     string   `type:"path" placeholder:"DIR" help:"Write a report, too: curves, reliability diagrams and the worst mistakes, on one HTML page."`
	Sources    bool     `help:"Print the figures within each source of pictures, too."`
	Conditions bool     `help:"Print the figures by condition, too: what the data says of its pictures (time of day, weather), and size and distance of the object where there are boxes."`
	pictureFlags
}

// Help is the long description.
func (evalCmd) Help() string {
	return `Measures a model file, label by label, on the pictures where the label is known: ROC AUC with its 95 %
bootstrap interval, average precision, and what the model's own threshold does: the part of the
positives it finds (recall), the part of the negatives it is on for (false alarms), the part of what is
on that is there (precision, on this data's mix) and F1. ECE is how far probabilities are from how often
they come true, without and with the model's calibration. --json has all intervals.

--conditions compares each condition with all of its kind together (night with day and night) and says
where the model is worse beyond chance. Of objects, the largest in the picture counts, against all pictures
without one; far and near are by its height in the picture, far being less than a fifth.

A detector of another tool is measured by its largest score; perceive compare sets several side by side.

  perceive eval --data jsonl:road/test/labels.jsonl --report out/report`
}

func (c *evalCmd) Run(a *app) error {
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	m, err := c.load(a, rt, ort.Options{})
	if err != nil {
		return err
	}
	defer m.Close()
	set, err := dataset.OpenWith(c.opening(), c.Data, m.Manifest().LabelIDs())
	if err != nil {
		return err
	}
	p, err := trainer.ModelPredictor(m)
	if err != nil {
		return err
	}
	cache, err := c.inputs(a, set, m.Manifest().Input)
	if err != nil {
		return err
	}
	defer cache.Close()
	found, err := trainer.Examine(a.ctx, p, cache, choices(m.Manifest()))
	if err != nil {
		return err
	}
	measured := found.Measured
	var conditions []trainer.Condition
	if c.Conditions {
		if conditions, err = found.Conditions(); err != nil {
			return err
		}
	}
	if c.Report != "" {
		if err := found.Report(c.Report, "Model "+m.Manifest().Name, c.facts(m.Manifest())); err != nil {
			return err
		}
		fmt.Fprintf(a.errOut, "report: %s\n", filepath.Join(c.Report, report.Index))
	}
	if c.JSON {
		return printJSON(a.out, struct {
			Model      string              `json:"model"`
			Mean       float64             `json:"mean_auc"`
			Labels     []trainer.Measured  `json:"labels"`
			Conditions []trainer.Condition `json:"conditions,omitempty"`
		}{m.Manifest().Name, trainer.MeanAUC(measured), measured, conditions})
	}
	if err := c.print(a, measured); err != nil {
		return err
	}
	if c.Conditions {
		return printConditions(a.out, conditions)
	}
	return nil
}

// choices are a model file's own: its thresholds and calibrations.
func choices(m *models.Manifest) trainer.MeasureConfig {
	cfg := trainer.MeasureConfig{Seed: 1}
	for _, l := range m.Labels {
		cfg.Thresholds, cfg.Rules = append(cfg.Thresholds, l.Threshold), append(cfg.Rules, l.ThresholdRule)
		cfg.Calibrations = append(cfg.Calibrations, l.Calibration)
	}
	return cfg
}

// facts are the head of a report.
func (c *evalCmd) facts(m *models.Manifest) []report.Fact {
	return []report.Fact{
		{Name: "graph", Value: fmt.Sprintf("SHA-256 %.12s…", m.GraphSHA256)},
		{Name: "input", Value: fmt.Sprintf("%d×%d", m.Input.Width, m.Input.Height)},
		{Name: "data", Value: strings.Join(base(c.Data), " ")},
	}
}

func (c *evalCmd) print(a *app, measured []trainer.Measured) error {
	t := newTable(a.out)
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
	if c.Sources {
		fmt.Fprintln(t, "\nlabel\t+\t−\tROC AUC\tsource")
		for _, m := range measured {
			for _, s := range m.Sources {
				auc := "one answer"
				if s.AUC != nil {
					auc = fmt.Sprintf("%.3f", *s.AUC)
				}
				fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\n", m.Label, s.Positive, s.Negative, auc, s.Source)
			}
		}
	}
	return t.Flush()
}

// printConditions prints the figures by condition, and where the model fails.
func printConditions(w io.Writer, all []trainer.Condition) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "\nthe data says nothing of conditions: no attributes, no boxes")
		return err
	}
	t := newTable(w)
	fmt.Fprintln(t, "\nlabel\t+\t−\tROC AUC\t95 %\trecall\tfalse alarms\tcondition")
	var weak []string
	for _, c := range all {
		if c.AUC == nil {
			fmt.Fprintf(t, "%s\t%d\t%d\tone answer\t\t\t\t%s: %s\n", c.Label, c.Positive, c.Negative, c.Of, c.Value)
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%.3f\t%.3f–%.3f\t%.3f\t%.3f\t%s: %s\n", c.Label, c.Positive, c.Negative, *c.AUC, c.Low, c.High, c.Recall, c.FalseAlarms, c.Of, c.Value)
		if c.Weak() {
			weak = append(weak, fmt.Sprintf("%s, %s %s: %.3f (to %.3f) where all together have %.3f; finds %.0f %%, false alarms %.0f %%",
				c.Label, c.Of, c.Value, *c.AUC, c.High, *c.Reference, 100*c.Recall, 100*c.FalseAlarms))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if weak == nil {
		_, err := fmt.Fprintln(w, "\nunder no condition is the model worse beyond chance (95 %, 10 pictures of each answer at least)")
		return err
	}
	_, err := fmt.Fprintf(w, "\nworse beyond chance:\n  %s\n", strings.Join(weak, "\n  "))
	return err
}
