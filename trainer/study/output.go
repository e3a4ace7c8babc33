package study

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot"

	"perceive/trainer/report"
)

// Files of an experiment's folder, beside RunsFile and the page.
const (
	ResultsFile = "results.csv"
	TableFile   = "table.md"
	PlotFile    = "plot.svg"
)

// Write draws the results into a folder: a line a run, tables, a chart and a page of all.
func (s *Summary) Write(dir string) error {
	chart := s.chart()
	svg, err := chart.SVG()
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	runs, err := s.csv()
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{ResultsFile: runs, TableFile: []byte(s.Markdown())} {
		if err := renameio.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	e := s.Experiment
	page := report.Page{Title: e.Title, Facts: []report.Fact{
		{Name: "claim", Value: e.Claim}, {Name: "source", Value: e.Source}, {Name: "held equal", Value: e.Equal},
	}, Sections: []report.Section{{Title: "Result", Text: s.Verdict(), Tables: s.tables(),
		Pictures: []report.Picture{{File: PlotFile, Alt: chart.Alt(), Data: svg}}}}}
	return page.Write(dir)
}

// Markdown is the result as text: claim, tables, verdict.
func (s *Summary) Markdown() string {
	var b strings.Builder
	e := s.Experiment
	fmt.Fprintf(&b, "## %s\n\n> %s (%s)\n\nHeld equal: %s\n", e.Title, e.Claim, e.Source, e.Equal)
	for _, t := range s.tables() {
		b.WriteByte('\n')
		b.WriteString(t.Markdown())
	}
	fmt.Fprintf(&b, "\n%s\n", s.Verdict())
	return b.String()
}

func (s *Summary) tables() []report.Table {
	scores := report.Table{Head: []string{s.Experiment.X, "arm", "mean ROC AUC, test (95 %)"}}
	one := len(s.Plan.Settings) == 1 // it needs no column
	if one {
		scores.Head = scores.Head[1:]
	}
	labels := s.Plan.Score
	if len(labels) == 1 { // the mean says it
		labels = nil
	}
	scores.Head = append(scores.Head, labels...)
	scores.Head = append(scores.Head, "networks", "parameters", "pictures", "training s")
	if s.Plan.Latency {
		scores.Head = append(scores.Head, "ms a picture")
	}
	for _, r := range s.Rows {
		line := []string{r.Setting, r.Arm, r.Score.String()}
		if r.Note != "" && r.Score.N == 0 {
			line[2] = "– " + r.Note
		}
		if one {
			line = line[1:]
		}
		for _, l := range labels {
			auc := "–"
			if i, ok := r.AUC[l]; ok {
				auc = fmt.Sprintf("%.3f", i.Mean)
			}
			line = append(line, auc)
		}
		seconds := fmt.Sprintf("%.1f", r.Seconds)
		if r.Source > 0 {
			seconds += fmt.Sprintf(" + %.1f before", r.Source)
		}
		line = append(line, fmt.Sprintf("%.0f", r.Networks), fmt.Sprintf("%.0f", r.Parameters), fmt.Sprintf("%.0f", r.Pictures), seconds)
		if s.Plan.Latency {
			line = append(line, fmt.Sprintf("%.2f", r.LatencyMS))
		}
		scores.Rows = append(scores.Rows, line)
	}
	found := report.Table{Head: []string{"comparison", "difference (95 %)", "seen", "the claim"}}
	for _, f := range s.Found {
		agreed := string(f.Expect.agrees(f.Interval))
		if agreed == "" {
			agreed = "says nothing"
		}
		found.Rows = append(found.Rows, []string{f.Name, f.signed(), string(f.Outcome()), agreed})
	}
	return []report.Table{scores, found}
}

// csv has a line a run.
func (s *Summary) csv() ([]byte, error) {
	var labels []string
	for _, r := range s.Results {
		for l := range r.AUC {
			if !slices.Contains(labels, l) {
				labels = append(labels, l)
			}
		}
	}
	slices.Sort(labels)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := []string{"setting", "arm", "seed", "mean_auc", "networks", "parameters", "pictures", "steps", "seconds", "source_seconds", "latency_ms", "note"}
	for _, l := range labels {
		head = append(head, "auc_"+l)
	}
	w.Write(head)
	for _, r := range s.Results {
		line := []string{r.Setting, r.Arm, fmt.Sprint(r.Seed), number(r.mean(s.Plan.Score)), fmt.Sprint(r.Networks), fmt.Sprint(r.Parameters),
			fmt.Sprint(r.Pictures), fmt.Sprint(r.Steps), number(r.Seconds), number(r.SourceSeconds), number(r.LatencyMS), r.Note}
		for _, l := range labels {
			auc, ok := r.AUC[l]
			if !ok {
				line = append(line, "")
				continue
			}
			line = append(line, number(auc))
		}
		w.Write(line)
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func number(f float64) string { return fmt.Sprintf("%.5g", f) }

// dodge is how far arms stand apart on the chart, as part of the axis, so that their bars
// do not hide each other.
const dodge = 0.008

// chart is the score of each arm over the settings, with its interval.
func (s *Summary) chart() report.Chart {
	if s.Plan.Chart != nil {
		return s.Plan.Chart(s)
	}
	c := report.Chart{Title: s.Experiment.Title, X: s.Experiment.X, Y: "mean ROC AUC, test"}
	settings := s.Plan.Settings
	span := settings[len(settings)-1].X - settings[0].X
	for _, set := range settings {
		c.Ticks = append(c.Ticks, plot.Tick{Value: set.X, Label: set.Name})
	}
	for i, arm := range s.Plan.Arms {
		line := points{report.Series{Name: arm, Points: true}}
		for _, set := range settings {
			j := slices.IndexFunc(s.Rows, func(r Row) bool { return r.Arm == arm && r.Setting == set.Name })
			if j >= 0 {
				line.add(set.X+span*dodge*(float64(i)-float64(len(s.Plan.Arms)-1)/2), s.Rows[j].Score)
			}
		}
		c.Series = append(c.Series, line.Series)
	}
	return c
}

// points is a series in the making.
type points struct{ report.Series }

// add is a point with its interval; none, where there is one seed.
func (p *points) add(x float64, i Interval) {
	low, high := i.Low, i.High
	if math.IsNaN(low) {
		low, high = i.Mean, i.Mean
	}
	p.X, p.Y, p.Spread = append(p.X, x), append(p.Y, i.Mean), append(p.Spread, [2]float64{low, high})
}
