package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"perceive/export/onnx"
	"perceive/models"
	"perceive/models/signature"
)

type modelsShowCmd struct {
	fileArg
	JSON bool `name:"json" help:"Print the manifest as JSON, without the golden pictures."`
}

// Help is the long description.
func (modelsShowCmd) Help() string {
	return `Prints what a model file says of itself. Nothing is proved here: see perceive models verify.`
}

func (c *modelsShowCmd) Run(a *app) error {
	file, err := c.read()
	if err != nil {
		return err
	}
	m, err := onnx.Parse(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	man, err := models.FromMetadata(m.Metadata())
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	sig, err := signature.Of(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.JSON {
		for i := range man.Golden {
			man.Golden[i].PNG = nil
		}
		return printJSON(a.out, struct {
			Manifest  *models.Manifest     `json:"manifest"`
			Signature *signature.Signature `json:"signature,omitempty"`
			Bytes     int                  `json:"bytes"`
		}{man, sig, len(file)})
	}
	return page{a.out, man, m, sig, len(file)}.print()
}

// page is a model file's contract for a person.
type page struct {
	out   io.Writer
	man   *models.Manifest
	model *onnx.Model
	sig   *signature.Signature
	bytes int
}

func (p page) print() error {
	return errors.Join(p.head(), p.labels(), p.figures(), p.parts(), p.training())
}

// said is a fact, or words for one that is missing.
func said(v string) string {
	if v == "" {
		return "not stated"
	}
	return v
}

func (p page) head() error {
	t, m := newTable(p.out), p.man
	line := func(what, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", what, fmt.Sprintf(format, args...)) }
	line("model", "%s", m.Name)
	line("version", "%s", said(m.Version))
	line("licence", "%s", said(m.Licence))
	line("made", "%s with %s", m.Created.UTC().Format(time.RFC3339), said(m.Tool))
	line("file", "%.1f MB, ONNX IR %d, operator set %d, %d nodes", float64(p.bytes)/1e6, p.model.GetIrVersion(), p.model.Opset(), len(p.model.GetGraph().GetNode()))
	line("graph", "SHA-256 %s", said(m.GraphSHA256))
	signed := "none"
	if p.sig != nil {
		signed = fmt.Sprintf("%s, key %s (not checked here)", p.sig.Algorithm, p.sig.Key)
	}
	line("signature", "%s", signed)
	in := m.Input
	line("input", "%q %s [1,%d,%d,3] %s %s, %s, grey %d around", in.Name, in.Type, in.Height, in.Width, in.Layout, in.Color, in.Fit, in.Pad)
	out := fmt.Sprintf("%q float32 [1,%d]", m.Outputs.Probabilities, len(m.Labels))
	if m.Outputs.Maps != "" {
		out += fmt.Sprintf(", %q: where", m.Outputs.Maps)
	}
	line("outputs", "%s", out)
	var golden []string
	for _, g := range m.Golden {
		golden = append(golden, fmt.Sprintf("%q (±%g)", g.Name, g.Tolerance))
	}
	line("golden", "%s", said(strings.Join(golden, ", ")))
	return t.Flush()
}

func (p page) labels() error {
	t := newTable(p.out)
	fmt.Fprintln(t, "\nlabel\tthreshold\tchosen by\tcalibration σ(a·z+b)\tfitted on\tECE")
	for _, l := range p.man.Labels {
		fitted, on, ece := "not stated", "–", "–"
		if k := l.Calibration; k != nil {
			fitted, on = fmt.Sprintf("a %.3f, b %+.3f", k.A, k.B), fmt.Sprintf("%s, %d + %d −", k.Split, k.Positive, k.Negative)
			ece = fmt.Sprintf("%.3f → %.3f", k.ECEBefore, k.ECEAfter)
			if k.Note != "" {
				fitted, ece = "none: "+k.Note, fixedOrNone(k.ECEBefore)
			}
		}
		fmt.Fprintf(t, "%s\t%.3f\t%s\t%s\t%s\t%s\n", l.ID, l.Threshold, said(l.ThresholdRule), fitted, on, ece)
	}
	return t.Flush()
}

// splits are the data sets that figures are stated for.
func (p page) splits() []string {
	splits := map[string]bool{}
	for _, l := range p.man.Labels {
		for s := range l.Metrics {
			splits[s] = true
		}
	}
	return slices.Sorted(maps.Keys(splits))
}

// figures are a table a data split. Intervals are in brackets.
func (p page) figures() error {
	splits := p.splits()
	if len(splits) == 0 {
		_, err := fmt.Fprintln(p.out, "\nno figures are stated")
		return err
	}
	t := newTable(p.out)
	for _, split := range splits {
		fmt.Fprintf(t, "\non %s, 95 %% intervals in brackets\nlabel\t+\t−\tROC AUC\tAP\trecall\tfalse alarms\tprecision\tF1\tECE\n", split)
		for _, l := range p.man.Labels {
			m, ok := l.Metrics[split]
			if !ok {
				fmt.Fprintf(t, "%s\tnot measured\n", l.ID)
				continue
			}
			of := func(v float64, key string) string {
				i, ok := m.Intervals[key]
				if key == "auc" {
					i, ok = [2]float64{m.Low, m.High}, m.High > 0
				}
				if !ok {
					return fixedOrNone(v)
				}
				return fmt.Sprintf("%.3f [%.2f–%.2f]", v, i[0], i[1])
			}
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, m.Positive, m.Negative, of(m.AUC, "auc"), of(m.AP, "ap"),
				of(m.Recall, "recall"), of(m.FalseAlarms, "false_alarms"), of(m.Precision, "precision"), of(m.F1, "f1"), of(m.ECE, "ece"))
		}
	}
	return t.Flush()
}

// parts are the figures by source and condition, those of all together beside them.
func (p page) parts() error {
	t := newTable(p.out)
	for _, split := range p.splits() {
		head := fmt.Sprintf("\non parts of %s, 95 %% intervals in brackets\nlabel\tof\t+\t−\tROC AUC\tall together\trecall\tfalse alarms\n", split)
		for _, l := range p.man.Labels {
			for _, k := range l.Metrics[split].Parts {
				fmt.Fprintf(t, "%s%s\t%s: %s\t%d\t%d\t%.3f [%.2f–%.2f]\t%.3f\t%s\t%s\n", head, l.ID, k.Of, k.Value, k.Positive, k.Negative, k.AUC, k.Low, k.High, k.Together,
					within(k.Recall, k.Intervals["recall"]), within(k.FalseAlarms, k.Intervals["false_alarms"]))
				head = ""
			}
		}
	}
	return t.Flush()
}

func within(v float64, i [2]float64) string { return fmt.Sprintf("%.3f [%.2f–%.2f]", v, i[0], i[1]) }

func (p page) training() error {
	r := p.man.Training
	if r == nil {
		_, err := fmt.Fprintln(p.out, "\nhow it was trained is not stated")
		return err
	}
	t := newTable(p.out)
	line := func(what, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", what, fmt.Sprintf(format, args...)) }
	fmt.Fprintln(t)
	line("network", "%s, %d parameters", r.Network, r.Parameters)
	steps := fmt.Sprintf("%d steps", r.Steps)
	if r.Planned > 0 {
		steps = fmt.Sprintf("weights of step %d of %d, mean ROC AUC %.3f on the data to choose by", r.Steps, r.Planned, r.Best)
	}
	line("training", "%s, seed %d", steps, r.Seed)
	line("data", "%d pictures: %s", r.Images, said(strings.Join(r.Data, " ")))
	switch {
	case len(r.Validation) > 0:
		line("chosen by", "%s", strings.Join(r.Validation, " "))
	case len(r.Data) > 0:
		line("chosen by", "a part of the data, held out")
	}
	for _, f := range r.Teachers {
		line("teacher", "%s, SHA-256 %s", f.Name, f.SHA256)
	}
	line("fingerprint", "%s", said(r.Fingerprint))
	if len(r.Recipe) > 0 {
		line("recipe", "%s", r.Recipe)
	}
	for _, what := range slices.Sorted(maps.Keys(r.Versions)) {
		line(what, "%s", r.Versions[what])
	}
	fmt.Fprintln(t, "\nlabel\tunknown\tnegative\tpositive")
	for _, label := range slices.Sorted(maps.Keys(r.Counts)) {
		n := r.Counts[label]
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\n", label, n[0], n[1], n[2])
	}
	return t.Flush()
}
