package replay

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"perceive/perception"
)

// PrintTable writes rows for a person.
func PrintTable(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var labels []string
	for _, r := range rows {
		if labels = r.Labels; len(labels) > 0 {
			break
		}
	}
	fmt.Fprint(t, "recording\tframes\tnot ok\t")
	for _, l := range labels {
		fmt.Fprintf(t, "%s s\t", l)
	}
	against := slices.ContainsFunc(rows, func(r Row) bool { return r.Against != nil })
	if against {
		fmt.Fprint(t, "other state\tlargest |Δp|\t")
	}
	fmt.Fprintln(t, "frames/s\tsha256\tverdict")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%s\t", Name(r.Recording), r.Frames, notOK(r))
		for i := range labels {
			if i < len(r.On) {
				fmt.Fprintf(t, "%.1f", r.On[i])
			}
			fmt.Fprint(t, "\t")
		}
		if against {
			fmt.Fprint(t, r.Against.cells())
		}
		rate, verdict := fmt.Sprintf("%.0f", r.FPS), r.Verdict
		if r.Before {
			rate = "before"
		}
		if r.Error != "" {
			verdict = r.Error
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", rate, short(r.Hash), verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		if r.Note != "" {
			fmt.Fprintf(w, "note: %s: %s\n", r.Recording, r.Note)
		}
		if r.Against != nil && r.Against.Failed > 0 {
			fmt.Fprintf(w, "note: %s: the second model failed on %d frames, first %s\n", r.Recording, r.Against.Failed, r.Against.Reason)
		}
	}
	return nil
}

// notOK are the frames without an answer, by status.
func notOK(r Row) string {
	var out []string
	for _, s := range perception.Statuses {
		if n := r.Statuses[s]; n > 0 && s != perception.OK {
			out = append(out, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(out, ", ")
}

// AgainstRow is what two models are apart on one recording.
type AgainstRow struct {
	Model  string `json:"model"`
	Frames int    `json:"frames"`
	// Flipped is how many frames have another state.
	Flipped int `json:"flipped"`
	// Failed is how many frames the second model did not answer, Reason why the first of them.
	Failed int    `json:"failed,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Largest is the largest difference of a probability, of Label at frame At.
	Largest float64 `json:"largest"`
	Label   string  `json:"label"`
	At      uint64  `json:"at"`
}

// row is a comparison in short, nil of none.
func (a *Against) row() *AgainstRow {
	if a == nil {
		return nil
	}
	_, second := a.names()
	r := &AgainstRow{Model: second, Frames: a.Frames, Flipped: a.Flipped, Failed: a.Failed, Reason: a.Reason}
	for _, l := range a.Labels {
		if l.Largest >= r.Largest {
			r.Largest, r.Label, r.At = l.Largest, l.Label, l.At
		}
	}
	return r
}

// cells are the columns of a comparison.
func (r *AgainstRow) cells() string {
	if r == nil {
		return "\t\t"
	}
	states := fmt.Sprintf("%d of %d", r.Flipped, r.Frames)
	if r.Failed > 0 {
		states += fmt.Sprintf(", %d failed", r.Failed)
	}
	if r.Largest == 0 {
		return states + "\tnone\t"
	}
	return fmt.Sprintf("%s\t%.4f %s, frame %d\t", states, r.Largest, r.Label, r.At)
}
