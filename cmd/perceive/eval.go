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
	Card       string   `type:"path" placeholder:"FILE.md" help:"Write the model's card, too: tables by label, source and condition, and where it is worse beyond chance, in Markdown. In a page that is there, the part between two marked lines is written anew."`
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

--report leaves a page with curves and, label by label, a contact sheet of the worst false alarms and misses,
each with its probability, the truth, and where the network looked. The pictures are copies of the data's:
mind their licences before you pass the folder on.

  perceive eval --data jsonl:road/test/labels.jsonl --report out/report --card card.md`
}

func (c *evalCmd) Run(a *app) error {
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	m, err := c.load(a, rt, ort.Options{}, false)
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
	if err := c.write(a, m.Manifest(), found); err != nil {
		return err
	}
	out := evaluated{Model: m.Manifest().Name, Mean: trainer.MeanAUC(found.Measured), Labels: found.Measured}
	if c.Sources {
		if out.Sources, err = found.Sources(); err != nil {
			return err
		}
	}
	if c.Conditions {
		if out.Conditions, err = found.Conditions(); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(a.out, out)
	}
	return c.print(a.out, out)
}

// evaluated is what was found out about a model.
type evaluated struct {
	Model      string              `json:"model"`
	Mean       float64             `json:"mean_auc"`
	Labels     []trainer.Measured  `json:"labels"`
	Sources    []trainer.Condition `json:"sources,omitempty"`
	Conditions []trainer.Condition `json:"conditions,omitempty"`
}

func (c *evalCmd) print(w io.Writer, e evaluated) error {
	err := printMeasured(w, e.Labels)
	if err == nil && c.Sources {
		err = printParts(w, "source", e.Sources)
	}
	if err == nil && c.Conditions {
		err = printParts(w, "condition", e.Conditions)
	}
	return err
}

// write leaves the report and the card, if they are asked for.
func (c *evalCmd) write(a *app, m *models.Manifest, found *trainer.Findings) error {
	if c.Report != "" {
		if err := found.Report(c.Report, "Model "+m.Name, c.facts(m)); err != nil {
			return err
		}
		fmt.Fprintf(a.errOut, "report: %s\n", filepath.Join(c.Report, report.Index))
	}
	if c.Card == "" {
		return nil
	}
	head := fmt.Sprintf("`%s` (graph SHA-256 `%.12s…`) on %d pictures of %s; in brackets 95 %% bootstrap intervals over the pictures;\nbold: worse than all together beyond chance.",
		m.Name, m.GraphSHA256, len(found.Set.Items), strings.Join(base(c.Data), " "))
	text, err := found.Card(head)
	if err == nil {
		err = report.Insert(c.Card, text)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.errOut, "card: %s\n", c.Card)
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
