package trainer

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"perceive/trainer/report"
)

// ReportFile is the report's page in a run's folder.
var ReportFile = filepath.Join("report", report.Index)

// WriteReport draws the report of a run's folder: what the best weights do (nil leaves it
// out: the run was interrupted), losses, learning rate, validation figures and where the
// time went.
func WriteReport(dir string, p Progress, f *Findings) error {
	c := p.Config
	facts := []report.Fact{
		{Name: "network", Value: c.Network.String()},
		{Name: "labels", Value: strings.Join(c.Labels, ", ")},
		{Name: "data", Value: fmt.Sprintf("%d pictures, fingerprint %.12s…", p.Images, p.Data)},
		{Name: "steps", Value: fmt.Sprintf("%d of %d, batch %d, %.1f minutes", p.Step, c.Steps, c.Batch, p.Seconds/60)},
		{Name: "best", Value: fmt.Sprintf("mean ROC AUC %.3f at step %d", p.Best, p.BestStep)},
	}
	var sections []report.Section
	if f != nil {
		facts = append(facts, report.Fact{Name: "measured", Value: fmt.Sprintf("the best weights, on the %d pictures to choose by", len(f.Set.Items))})
		var err error
		if sections, err = f.sections(); err != nil {
			return fmt.Errorf("trainer: report: %w", err)
		}
	}
	training, err := trainingCurves(dir, c.Labels)
	if err != nil {
		return fmt.Errorf("trainer: report: %w", err)
	}
	page := report.Page{Title: "Training run", Facts: facts, Sections: append(sections, training,
		report.Section{Title: "Training data", Tables: []report.Table{answers(p)}})}
	if err := page.Write(filepath.Join(dir, filepath.Dir(ReportFile))); err != nil {
		return fmt.Errorf("trainer: %w", err)
	}
	return nil
}

// trainingCurves are drawn from the run's tables.
func trainingCurves(dir string, labels []string) (report.Section, error) {
	train, err1 := readColumns(filepath.Join(dir, TrainLogFile))
	eval, err2 := readColumns(filepath.Join(dir, EvalLogFile))
	if err := errors.Join(err1, err2); err != nil {
		return report.Section{}, err
	}
	steps := train["step"]
	smooth := func(column, name string) []report.Series {
		return []report.Series{{Name: name, X: steps, Y: train[column], Faint: true},
			{Name: name, X: steps, Y: report.Smooth(train[column], 50)}}
	}
	each := func(prefix string) (out []report.Series) {
		for _, l := range labels {
			out = append(out, report.Series{Name: l, X: eval["step"], Y: eval[prefix+l], Points: true})
		}
		return out
	}
	mean := report.Series{Name: "mean", X: eval["step"], Y: eval["mean_auc"], Points: true}
	return report.Section{Title: "Training", Text: "Pale lines are single steps, the others running means over about 50; steps far above those are cut off.", Charts: []report.Chart{
		{Title: "Loss", X: "step", Y: "nats", Series: append(smooth("loss_map", "map"), smooth("loss_presence", "presence")...)},
		{Title: "Validation ROC AUC", X: "step", Y: "area", Series: append(each("auc_"), mean), Low: 0.4, High: 1},
		{Title: "Validation average precision", X: "step", Y: "mean precision", Series: each("ap_"), High: 1},
		{Title: "Gradient norm", X: "step", Y: "norm", Series: smooth("grad_norm", "gradient")},
		{Title: "Learning rate", X: "step", Y: "rate", Series: []report.Series{{Name: "rate", X: steps, Y: train["rate"]}}},
		{Title: "Time of a step", X: "step", Y: "ms", Series: append(smooth("compute_ms", "in the graph"), smooth("wait_ms", "for data")...)},
	}}, nil
}

// answers is how often each label is known in the training data.
func answers(p Progress) report.Table {
	t := report.Table{Title: "Training data", Head: []string{"label", "positive", "negative", "unknown"}}
	for _, l := range p.Config.Labels {
		n := p.Counts[l]
		t.Rows = append(t.Rows, []string{l, strconv.Itoa(n[2]), strconv.Itoa(n[1]), strconv.Itoa(n[0])})
	}
	return t
}

// readColumns reads a table of numbers by the names in its head.
func readColumns(path string) (map[string][]float64, error) {
	rows, err := readTable(path)
	if err != nil {
		return nil, err
	}
	out := map[string][]float64{}
	for i, row := range rows {
		for j, text := range row {
			if i == 0 {
				continue
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: row %d: %w", path, i+1, err)
			}
			out[rows[0][j]] = append(out[rows[0][j]], v)
		}
	}
	return out, nil
}
