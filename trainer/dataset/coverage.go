package dataset

import "fmt"

// few is the number of pictures of one answer below which a label is hardly learned,
// or its figures mean little.
const few = 30

// Warnings say, label by label and pair by pair, what the set cannot teach or measure.
func (s *Set) Warnings() []string {
	var out []string
	counts := s.Counts()
	for _, label := range s.Labels {
		n := counts[label]
		for _, answer := range []State{Positive, Negative} {
			switch {
			case n[answer] == 0:
				out = append(out, fmt.Sprintf("%s: no %v picture: it can be neither learned nor measured", label, answer))
			case n[answer] < few:
				out = append(out, fmt.Sprintf("%s: only %d %v pictures: figures mean little", label, n[answer], answer))
			}
		}
	}
	// A label whose answer is the source's answer teaches the source.
	for l, label := range s.Labels {
		if n := s.mixed(l); n == 0 && counts[label][Positive] > 0 && counts[label][Negative] > 0 {
			out = append(out, fmt.Sprintf("%s: no source has both answers: the network may learn the source instead of the label", label))
		}
	}
	return append(out, s.pairWarnings()...)
}

// mixed counts the sources that have both answers to a label.
func (s *Set) mixed(l int) int {
	seen := map[string][3]bool{}
	for _, it := range s.Items {
		a := seen[it.Source]
		a[it.Labels[l]] = true
		seen[it.Source] = a
	}
	n := 0
	for _, a := range seen {
		if a[Positive] && a[Negative] {
			n++
		}
	}
	return n
}
