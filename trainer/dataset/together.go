package dataset

import (
	"fmt"
	"slices"
)

// Together is what is known of two labels in the same pictures.
type Together struct {
	A, B string
	// Known counts the pictures that know both: by A's answer, then B's, 0 for negative
	// and 1 for positive.
	Known [2][2]int
}

// Both is the number of pictures that know both labels.
func (t Together) Both() int {
	return t.Known[0][0] + t.Known[0][1] + t.Known[1][0] + t.Known[1][1]
}

// Together counts every pair of labels, the first label's pairs first.
func (s *Set) Together() []Together {
	n := len(s.Labels)
	counts := make([][2][2]int, n*n)
	known := make([]int, 0, n)
	for _, it := range s.Items {
		known = known[:0]
		for l, state := range it.Labels {
			if state != Unknown {
				known = append(known, l)
			}
		}
		for i, a := range known {
			for _, b := range known[i+1:] {
				counts[a*n+b][it.Labels[a]-Negative][it.Labels[b]-Negative]++
			}
		}
	}
	var out []Together
	for a := range n {
		for b := a + 1; b < n; b++ {
			out = append(out, Together{s.Labels[a], s.Labels[b], counts[a*n+b]})
		}
	}
	return out
}

// pairWarnings say which pairs of labels the set cannot tell apart or relate.
func (s *Set) pairWarnings() []string {
	var apart, same []string
	for _, t := range s.Together() {
		name := t.A + " and " + t.B
		switch {
		case t.Both() == 0:
			apart = append(apart, name)
		case t.Both() >= few && t.Known[1][1] > 0 && t.Known[0][1]+t.Known[1][0] == 0:
			same = append(same, name)
		}
	}
	var out []string
	say := func(pairs []string, what string) {
		if len(pairs) > 0 {
			out = append(out, fmt.Sprintf("%d pairs of labels %s, such as %s", len(pairs), what, pairs[0]))
		}
	}
	say(apart, "are never known in the same picture: how they go together is not learned")
	say(same, "have the same answer wherever both are known: nothing tells them apart")
	return out
}

// SourceCounts are a source's pictures, and those where each label is unknown, negative
// and positive.
type SourceCounts struct {
	Source   string
	Pictures int
	Labels   [][3]int
}

// Sources counts what each source knows, the largest first.
func (s *Set) Sources() []SourceCounts {
	at := map[string]int{}
	var out []SourceCounts
	for _, it := range s.Items {
		i, there := at[it.Source]
		if !there {
			i = len(out)
			at[it.Source] = i
			out = append(out, SourceCounts{it.Source, 0, make([][3]int, len(s.Labels))})
		}
		out[i].Pictures++
		for l, state := range it.Labels {
			out[i].Labels[l][state]++
		}
	}
	slices.SortStableFunc(out, func(a, b SourceCounts) int { return b.Pictures - a.Pictures })
	return out
}
