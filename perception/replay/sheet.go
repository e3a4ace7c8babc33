package replay

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"perceive/perception"
	"perceive/trainer/report"
)

// names are the two models in words.
func (a *Against) names() (first, second string) {
	name := func(h perception.Header) string {
		return fmt.Sprintf("%s (%s)", h.Model.Name, short(h.Model.GraphSHA256))
	}
	return name(a.first), name(a.second)
}

// failures says on how many frames the second model failed.
func (a *Against) failures() string {
	return fmt.Sprintf("the second model failed on %d frames, first %s", a.Failed, a.Reason)
}

// table has a row a label, below a head.
func (a *Against) table() [][]string {
	rows := [][]string{{"label", "flips", "mean |Δp|", "largest |Δp|", "at frame"}}
	for _, l := range a.Labels {
		rows = append(rows, []string{l.Label, fmt.Sprint(l.Flips), fmt.Sprintf("%.4f", l.Mean(a.Frames)), fmt.Sprintf("%.4f", l.Largest), fmt.Sprint(l.At)})
	}
	return rows
}

// Print writes where the models disagree, for a person.
func (a *Against) Print(w io.Writer) error {
	first, second := a.names()
	fmt.Fprintf(w, "%s against %s: %d frames, %d with another state\n", first, second, a.Frames, a.Flipped)
	if a.Failed > 0 {
		fmt.Fprintf(w, "%s\n", a.failures())
	}
	if len(a.Alone) > 0 {
		fmt.Fprintf(w, "not compared, because only one has them: %s\n", strings.Join(a.Alone, ", "))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range a.table() {
		fmt.Fprintf(t, "%s\t\n", strings.Join(row, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i, m := range a.Moments {
		fmt.Fprintf(w, "%3d. %7.2f s  frame %d  %s\n", i+1, m.Time.Seconds(), m.Seq, m.Why)
	}
	return nil
}

// section is the comparison in a report.
func (a *Against) section() (report.Section, error) {
	first, second := a.names()
	rows := a.table()
	s := report.Section{Title: "Two models", Tables: []report.Table{{Head: rows[0], Rows: rows[1:]}},
		Text: fmt.Sprintf("%s, left, against %s, right: of %d frames %d have another state. Frames less than a second apart are one moment; changed states come first, then the largest difference.",
			first, second, a.Frames, a.Flipped)}
	if a.Failed > 0 {
		s.Text += " On others there is no comparison: " + a.failures() + "."
	}
	if len(a.Alone) > 0 {
		s.Text += " Not compared, because only one has them: " + strings.Join(a.Alone, ", ") + "."
	}
	list := report.Table{Title: "Where they disagree", Head: []string{"rank", "seconds", "frame", "states", "largest |Δp|", "what"}}
	for i, m := range a.Moments {
		list.Rows = append(list.Rows, []string{fmt.Sprint(i + 1), fmt.Sprintf("%.2f", m.Time.Seconds()), fmt.Sprint(m.Seq), fmt.Sprint(m.Flips), fmt.Sprintf("%.4f", m.Delta), m.Why})
	}
	s.Tables = append(s.Tables, list)
	s.Charts = a.charts()
	data, err := a.Sheet()
	if err == nil && data != nil {
		s.Pictures = []report.Picture{{File: SheetPicture, Alt: "where the models disagree most", Data: data}}
	}
	return s, err
}

// charts draw the labels that both models have.
func (a *Against) charts() []report.Chart {
	pick := func(t *Trace, of func(AgainstLabel) int) *Trace {
		out := &Trace{times: t.times}
		for _, l := range a.Labels {
			out.labels = append(out.labels, t.labels[of(l)])
			out.p = append(out.p, t.p[of(l)])
		}
		return out
	}
	first, second := a.names()
	charts := pick(a.traces[0], func(l AgainstLabel) int { return l.A }).charts(first, pick(a.traces[1], func(l AgainstLabel) int { return l.B }), second)
	for i := range charts {
		charts[i].Title += ", two models" // beside a golden's
	}
	return charts
}

// Sheet is the contact sheet, a JPEG file; nil if the models agree everywhere.
func (a *Against) Sheet() ([]byte, error) {
	if len(a.Moments) == 0 {
		return nil, nil
	}
	s := report.Sheet{Width: a.Moments[0].W, Height: a.Moments[0].H}
	first, second := a.names()
	g := report.Group{Title: fmt.Sprintf("%s: %s left, %s right", filepath.Base(a.first.Source.URI), first, second)}
	for i, m := range a.Moments {
		if m.W != s.Width || m.H != s.Height { // pictures of several sizes in a folder
			continue
		}
		why := strings.Split(m.Why, ", ")
		for side, pix := range m.Pictures {
			caption := [2]string{fmt.Sprintf("%d. %.2f s, frame %d", i+1, m.Time.Seconds(), m.Seq), strings.Join(why, ", ")}
			if side == 1 && len(why) > 1 {
				caption[1] = ""
			}
			g.Tiles = append(g.Tiles, report.Tile{BGR: slices.Clip(pix), Caption: caption})
		}
	}
	s.Groups = []report.Group{g}
	return s.JPEG()
}
