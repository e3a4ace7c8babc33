package trainer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"perceive/trainer/report"
)

// ReportFile is the page with a run's curves in its folder.
const ReportFile = "report.html"

// WriteReport draws the tables of a run's folder: losses, learning rate, validation
// figures and where the time went.
func WriteReport(dir string, p Progress) error {
	train, err1 := readColumns(filepath.Join(dir, TrainLogFile))
	eval, err2 := readColumns(filepath.Join(dir, EvalLogFile))
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("trainer: report: %w", err)
	}
	steps := train["step"]
	smooth := func(name string) []report.Series {
		return []report.Series{{Name: name, X: steps, Y: train[name], Faint: true},
			{Name: name, X: steps, Y: report.Smooth(train[name], 50)}}
	}
	c := p.Config
	page := report.Page{Title: "Training run", Facts: []report.Fact{
		{Name: "network", Value: fmt.Sprintf("%d×%d, channels %v, blocks %v, neck %d", c.Network.Width, c.Network.Height, c.Network.Channels, c.Network.Blocks, c.Network.Neck)},
		{Name: "labels", Value: strings.Join(c.Labels, ", ")},
		{Name: "data", Value: fmt.Sprintf("%d pictures, fingerprint %.12s…", p.Images, p.Data)},
		{Name: "steps", Value: fmt.Sprintf("%d of %d, batch %d, %.1f minutes", p.Step, c.Steps, c.Batch, p.Seconds/60)},
		{Name: "best", Value: fmt.Sprintf("mean ROC AUC %.3f at step %d", p.Best, p.BestStep)},
	}}
	page.Curves = append(page.Curves,
		report.Curve{Title: "Loss", X: "step", Y: "nats", Series: append(smooth("loss_map"), smooth("loss_presence")...)},
		report.Curve{Title: "Validation ROC AUC", X: "step", Series: aucs(eval, c.Labels), Low: 0.4, High: 1},
		report.Curve{Title: "Gradient norm", X: "step", Series: smooth("grad_norm")},
		report.Curve{Title: "Learning rate", X: "step", Series: []report.Series{{Name: "rate", X: steps, Y: train["rate"]}}},
		report.Curve{Title: "Time of a step", X: "step", Y: "ms", Series: append(smooth("compute_ms"), smooth("wait_ms")...)},
	)
	page.Tables = []report.Table{answers(p)}
	f, err := os.Create(filepath.Join(dir, ReportFile))
	if err != nil {
		return fmt.Errorf("trainer: report: %w", err)
	}
	if err := errors.Join(page.Write(f), f.Close()); err != nil {
		return fmt.Errorf("trainer: report: %w", err)
	}
	return nil
}

func aucs(eval map[string][]float64, labels []string) []report.Series {
	out := []report.Series{{Name: "mean", X: eval["step"], Y: eval["mean_auc"]}}
	for _, l := range labels {
		out = append(out, report.Series{Name: l, X: eval["step"], Y: eval["auc_"+l]})
	}
	return out
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
