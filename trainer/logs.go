package trainer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// logs are a run's two tables: a row a step and a row an evaluation. They are
// flushed row by row, so that a run that is killed leaves whole rows.
type logs struct {
	train, eval table
}

// table is a CSV file that is appended to.
type table struct {
	f *os.File
	w *csv.Writer
}

// openLogs opens both tables and takes out rows past a step, which a run that
// resumes will write again.
func openLogs(dir string, labels []string, step int) (*logs, error) {
	evalHead := []string{"step", "mean_auc"}
	for _, l := range labels {
		evalHead = append(evalHead, "auc_"+l, "ap_"+l)
	}
	var l logs
	var err error
	if l.train, err = openTable(filepath.Join(dir, TrainLogFile), step,
		[]string{"step", "rate", "loss", "loss_map", "loss_presence", "grad_norm", "wait_ms", "compute_ms"}); err != nil {
		return nil, err
	}
	if l.eval, err = openTable(filepath.Join(dir, EvalLogFile), step, evalHead); err != nil {
		l.train.f.Close()
		return nil, err
	}
	return &l, nil
}

func openTable(path string, step int, head []string) (table, error) {
	rows, err := readTable(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return table{}, fmt.Errorf("trainer: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return table{}, fmt.Errorf("trainer: %w", err)
	}
	t := table{f, csv.NewWriter(f)}
	t.w.Write(head)
	for i, row := range rows {
		if n, err := strconv.Atoi(row[0]); i > 0 && err == nil && n <= step && len(row) == len(head) {
			t.w.Write(row)
		}
	}
	return t, t.flush()
}

// readTable reads the whole rows of a table; a last row that was cut short is
// left out.
func readTable(path string) ([][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	var rows [][]string
	for {
		row, err := r.Read()
		if err == io.EOF || errors.Is(err, csv.ErrFieldCount) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		rows = append(rows, row)
	}
}

func (t table) flush() error {
	t.w.Flush()
	if err := t.w.Error(); err != nil {
		return fmt.Errorf("trainer: %s: %w", t.f.Name(), err)
	}
	return nil
}

// row appends numbers, %g.
func (t table) row(step int, values ...float64) {
	out := []string{strconv.Itoa(step)}
	for _, v := range values {
		out = append(out, strconv.FormatFloat(v, 'g', 6, 64))
	}
	t.w.Write(out)
	t.w.Flush()
}

// hooks writes the rows and passes on to other hooks.
func (l *logs) hooks(next Hooks) Hooks {
	return Hooks{
		Step: func(e StepEvent) {
			l.train.row(e.Step, e.Rate, float64(e.Losses.Total), float64(e.Losses.Map), float64(e.Losses.Presence),
				float64(e.Losses.GradNorm), e.Wait.Seconds()*1e3, e.Compute.Seconds()*1e3)
			if next.Step != nil {
				next.Step(e)
			}
		},
		Evaluated: func(step int, e Evaluation) {
			row := []float64{e.Mean}
			for _, s := range e.Labels {
				row = append(row, s.AUC, s.AP)
			}
			l.eval.row(step, row...)
			if next.Evaluated != nil {
				next.Evaluated(step, e)
			}
		},
	}
}

// Close reports what could not be written.
func (l *logs) Close() error {
	return errors.Join(l.train.flush(), l.eval.flush(), l.train.f.Close(), l.eval.f.Close())
}
