package replay

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"perceive/perception"
	"perceive/trainer/report"
)

// Names of the pictures in a report.
const (
	FirstPicture = "first-divergence.jpg"
	SheetPicture = "disagreements.jpg"
)

// Print writes a comparison for a person.
func (c *Comparison) Print(w io.Writer, notes []string) error {
	fmt.Fprintf(w, "golden %s, %d frames; tolerance: %s\n", c.Golden.Path, len(c.Golden.Frames), c.Tolerance)
	for _, n := range notes {
		fmt.Fprintf(w, "  %s\n", n)
	}
	if d := c.First; d != nil {
		fmt.Fprintf(w, "%d of %d frames diverge; first: frame %d (%.2f s)\n", c.Diverged, c.Frames, d.Now.Seq, d.Now.Time.Seconds())
		for _, r := range d.Reasons {
			fmt.Fprintf(w, "  %s\n", r)
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range c.table() {
		for _, cell := range row {
			fmt.Fprintf(t, "%s\t", cell)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// table has a row a label, below a head.
func (c *Comparison) table() [][]string {
	rows := [][]string{{"label", "flips", "excused", "largest |Δp|", "at frame"}}
	for _, l := range c.Labels {
		at := ""
		if l.Largest > 0 {
			at = fmt.Sprint(l.At)
		}
		rows = append(rows, []string{l.Label, fmt.Sprint(l.Flips), fmt.Sprint(l.Excused), fmt.Sprintf("%.4f", l.Largest), at})
	}
	return rows
}

// section is the comparison in a report.
func (c *Comparison) section(notes []string) (report.Section, error) {
	s := report.Section{Title: "Golden", Text: "As the golden: nothing diverges."}
	if err := c.Err(); err != nil {
		s.Text = err.Error()
	}
	rows := c.table()
	s.Tables = []report.Table{{Head: rows[0], Rows: rows[1:]}}
	if len(notes) > 0 {
		t := report.Table{Title: "What else is different", Head: []string{"header"}}
		for _, n := range notes {
			t.Rows = append(t.Rows, []string{n})
		}
		s.Tables = append(s.Tables, t)
	}
	golden := NewTrace(c.Golden.Header)
	for i := range c.Golden.Frames {
		golden.Emit(context.Background(), &c.Golden.Frames[i], nil)
	}
	s.Charts = c.now.charts("now", golden, "golden")
	if c.First == nil {
		return s, nil
	}
	data, err := c.First.Picture(c.Golden.Header)
	if err != nil {
		return s, fmt.Errorf("replay: picture of the first divergence: %w", err)
	}
	s.Pictures = []report.Picture{{File: FirstPicture, Alt: fmt.Sprintf("frame %d: input, golden, this run", c.First.Now.Seq), Data: data}}
	return s, nil
}

// Report is what a replay leaves for a person to look at.
type Report struct {
	Header  perception.Header
	Outcome Outcome
	Trace   *Trace
	// Comparison and Against are nil if there was none.
	Comparison *Comparison
	Notes      []string
	Against    *Against
}

// Write draws the report into a folder.
func (r Report) Write(dir string) error {
	h := r.Header
	p := report.Page{Title: "Replay of " + filepath.Base(h.Source.URI), Facts: []report.Fact{
		{Name: "recording", Value: h.Source.URI}, {Name: "model", Value: h.Model.Name + " " + h.Model.Version + " (graph " + short(h.Model.GraphSHA256) + "…)"},
		{Name: "frames", Value: r.Outcome.Summary.String()}, {Name: "results", Value: "SHA-256 " + r.Outcome.Hash},
	}}
	if e := h.Environment; e != nil {
		p.Facts = append(p.Facts, report.Fact{Name: "environment", Value: fmt.Sprintf("deterministic: %v; %s, %d threads, decoder %d; Go %s, OpenCV %s, ONNX Runtime %s; %s %s, %s %v",
			e.Deterministic, e.Provider, e.Threads, e.DecoderThreads, e.Go, e.OpenCV, e.ONNXRuntime, e.OS, e.Arch, e.CPU, e.Features)})
	}
	if r.Comparison != nil {
		s, err := r.Comparison.section(r.Notes)
		if err != nil {
			return err
		}
		p.Sections = append(p.Sections, s)
	} else if r.Trace != nil {
		p.Sections = append(p.Sections, report.Section{Title: "Labels over time", Charts: r.Trace.charts("probability", nil, "")})
	}
	if r.Against != nil {
		s, err := r.Against.section()
		if err != nil {
			return err
		}
		p.Sections = append(p.Sections, s)
	}
	return wrap(p.Write(dir))
}
