package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"perceive/trainer/dataset"
)

// wide is the number of labels from which on tables of labels by something else are too
// wide to read.
const wide = 8

// coverage prints what is known of each label, and what that is not enough for.
func coverage(w io.Writer, what string, s *dataset.Set) {
	fmt.Fprintf(w, "%d pictures %s:\n", len(s.Items), what)
	t := newNumbers(w)
	fmt.Fprintln(t, "label\tpositive\tnegative\tunknown\t")
	counts := s.Counts()
	for _, l := range s.Labels {
		n := counts[l]
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t\n", l, n[dataset.Positive], n[dataset.Negative], n[dataset.Unknown])
	}
	t.Flush()
	if sources := s.Sources(); len(sources) > 1 {
		bySource(w, s.Labels, sources)
	}
	if len(s.Labels) > 1 && len(s.Labels) <= wide {
		together(w, s)
	}
	leftOut(w, s)
	for _, warning := range s.Warnings() {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
}

// bySource prints what each source knows.
func bySource(w io.Writer, labels []string, sources []dataset.SourceCounts) {
	t := newNumbers(w)
	if len(labels) > wide {
		fmt.Fprintln(t, "source\tpictures\tpositive answers\tnegative answers\t")
	} else {
		fmt.Fprint(t, "source (positive/negative)\tpictures\t")
		for _, l := range labels {
			fmt.Fprintf(t, "%s\t", l)
		}
		fmt.Fprintln(t)
	}
	for _, s := range sources {
		fmt.Fprintf(t, "%s\t%d\t", cmp.Or(s.Source, "(none)"), s.Pictures)
		var all [3]int
		for _, n := range s.Labels {
			if len(labels) <= wide {
				fmt.Fprintf(t, "%d/%d\t", n[dataset.Positive], n[dataset.Negative])
			}
			all[dataset.Positive], all[dataset.Negative] = all[dataset.Positive]+n[dataset.Positive], all[dataset.Negative]+n[dataset.Negative]
		}
		if len(labels) > wide {
			fmt.Fprintf(t, "%d\t%d\t", all[dataset.Positive], all[dataset.Negative])
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// together prints how often one label is there where another is.
func together(w io.Writer, s *dataset.Set) {
	t := newNumbers(w)
	fmt.Fprint(t, "where there is (of pictures that know both)\t")
	of := map[[2]string][2]int{} // b positive, of a positive
	for _, p := range s.Together() {
		of[[2]string{p.A, p.B}] = [2]int{p.Known[1][1], p.Known[1][0] + p.Known[1][1]}
		of[[2]string{p.B, p.A}] = [2]int{p.Known[1][1], p.Known[0][1] + p.Known[1][1]}
	}
	for _, b := range s.Labels {
		fmt.Fprintf(t, "also %s\t", b)
	}
	fmt.Fprintln(t)
	for _, a := range s.Labels {
		fmt.Fprintf(t, "%s\t", a)
		for _, b := range s.Labels {
			switch n := of[[2]string{a, b}]; {
			case a == b:
				fmt.Fprint(t, "\t")
			case n[1] == 0:
				fmt.Fprint(t, "nobody looked\t")
			default:
				fmt.Fprintf(t, "%.0f %% of %d\t", 100*float64(n[0])/float64(n[1]), n[1])
			}
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// leftOut prints what the readers did not take, and why.
func leftOut(w io.Writer, s *dataset.Set) {
	for _, reason := range slices.Sorted(maps.Keys(s.Skipped)) {
		fmt.Fprintf(w, "left out: %d %s\n", s.Skipped[reason], reason)
	}
	for _, line := range s.Flaws.Lines() {
		fmt.Fprintf(w, "left out: %s\n", line)
	}
	const some = 5
	names := slices.SortedFunc(maps.Keys(s.Unasked), func(a, b string) int {
		return cmp.Or(s.Unasked[b]-s.Unasked[a], cmp.Compare(a, b))
	})
	for i, name := range names[:min(some, len(names))] {
		if i == 0 {
			fmt.Fprintf(w, "passed over, %d categories that are none of the labels:", len(names))
		}
		fmt.Fprintf(w, " %s (%d)", name, s.Unasked[name])
	}
	switch {
	case len(names) > some:
		fmt.Fprintln(w, " …")
	case len(names) > 0:
		fmt.Fprintln(w)
	}
}
