package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"perceive/hw/ort"
	"perceive/trainer"
	"perceive/trainer/dataset"
)

type evalCmd struct {
	modelFlags
	Data    []string `required:"" sep:"none" placeholder:"URI" help:"Labelled pictures: ${schemes}. May be repeated."`
	JSON    bool     `name:"json" help:"Print JSON."`
	Sources bool     `help:"Print the figures within each source of pictures, too."`
	dataFlags
}

// Help is the long description.
func (evalCmd) Help() string {
	return `Measures a model file, label by label, on the pictures where the label is known: ROC AUC with its 95 %
bootstrap interval, average precision, and what the model's own threshold does: the part of the
positives it finds (recall), the part of the negatives it is on for (false alarms), and the part of
what is on that is there (precision, on this data's mix).

  perceive eval --data jsonl:road/test/labels.jsonl`
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
	cache, err := c.inputs(a, set, p.Width, p.Height)
	if err != nil {
		return err
	}
	scores, err := p.Predict(a.ctx, cache)
	if err != nil {
		return err
	}
	var thresholds []float32
	for _, l := range m.Manifest().Labels {
		thresholds = append(thresholds, l.Threshold)
	}
	measured, err := trainer.Measure(set, scores, thresholds, 1)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(a.out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Model  string             `json:"model"`
			Mean   float64            `json:"mean_auc"`
			Labels []trainer.Measured `json:"labels"`
		}{m.Manifest().Name, trainer.MeanAUC(measured), measured})
	}
	return c.print(a, measured)
}

func (c *evalCmd) print(a *app, measured []trainer.Measured) error {
	t := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "label\t+\t−\tROC AUC\t95 %\tAP\tthreshold\trecall\tfalse alarms\tprecision")
	for _, m := range measured {
		if m.Positive == 0 || m.Negative == 0 {
			fmt.Fprintf(t, "%s\t%d\t%d\tnot defined: one answer only\n", m.Label, m.Positive, m.Negative)
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%.3f\t%.3f–%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", m.Label, m.Positive, m.Negative,
			m.AUC, m.Low, m.High, m.AP, m.Set.Threshold, m.Set.Recall, m.Set.FalseAlarms, m.Set.Precision)
	}
	fmt.Fprintf(t, "mean\t\t\t%.3f\n", trainer.MeanAUC(measured))
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
