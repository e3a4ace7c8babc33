package study

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Contrast is a comparison within each seed: a difference of scores, and what the claim
// says of it.
type Contrast struct {
	Name   string
	Value  func(score Scores) float64
	Expect Expectation
}

// Scores gives the score of an arm in a setting, mean test ROC AUC, of one seed; NaN if
// there is none.
type Scores func(arm, setting string) float64

// difference is arm a less arm b, in one setting; where says which, in words.
func difference(a, b, setting, where string, expect Expectation) Contrast {
	return Contrast{fmt.Sprintf("%s against %s%s", a, b, where),
		func(score Scores) float64 { return score(a, setting) - score(b, setting) }, expect}
}

// change is one arm in a setting less itself in another.
func change(name, arm, setting, from string, expect Expectation) Contrast {
	return Contrast{name, func(score Scores) float64 { return score(arm, setting) - score(arm, from) }, expect}
}

// differenceChange is arm a less arm b in a setting, less the same in another.
func differenceChange(name, a, b, setting, from string, expect Expectation) Contrast {
	return Contrast{name, func(score Scores) float64 {
		return score(a, setting) - score(b, setting) - score(a, from) + score(b, from)
	}, expect}
}

// Found is a contrast with its numbers.
type Found struct {
	Contrast
	Interval
}

// Row is an arm in a setting over all seeds.
type Row struct {
	Setting, Arm string
	Score        Interval
	// AUC of each label; the rest are means.
	AUC                                                        map[string]Interval
	Networks, Parameters, Pictures, Seconds, Source, LatencyMS float64
	Note                                                       string
}

// Summary is what an experiment found.
type Summary struct {
	Experiment Experiment
	Plan       *Plan
	Results    []Result
	Rows       []Row
	Found      []Found
	Seeds      int
}

func summarise(e Experiment, plan *Plan, results []Result) *Summary {
	s := &Summary{Experiment: e, Plan: plan, Results: results}
	for _, set := range plan.Settings {
		for _, arm := range plan.Arms {
			if row, ok := s.row(set.Name, arm); ok {
				s.Rows = append(s.Rows, row)
			}
		}
	}
	var seeds []uint64
	for _, r := range results {
		if !slices.Contains(seeds, r.Seed) {
			seeds = append(seeds, r.Seed)
		}
	}
	s.Seeds = len(seeds)
	for _, c := range plan.Contrasts {
		var values []float64
		for _, seed := range seeds {
			values = append(values, c.Value(func(arm, setting string) float64 { return s.score(arm, setting, seed) }))
		}
		s.Found = append(s.Found, Found{c, interval(values)})
	}
	return s
}

// score is one run's.
func (s *Summary) score(arm, setting string, seed uint64) float64 {
	for _, r := range s.Results {
		if r.Arm == arm && r.Setting == setting && r.Seed == seed {
			return r.mean(s.Plan.Score)
		}
	}
	return math.NaN()
}

// mean is over the labels that were measured, NaN without one.
func (r Result) mean(labels []string) float64 {
	sum, n := 0.0, 0.0
	for _, l := range labels {
		if auc, ok := r.AUC[l]; ok {
			sum += auc
			n++
		}
	}
	return sum / n
}

func (s *Summary) row(setting, arm string) (Row, bool) {
	row := Row{Setting: setting, Arm: arm, AUC: map[string]Interval{}}
	var scores []float64
	aucs := map[string][]float64{}
	n := 0.0
	for _, r := range s.Results {
		if r.Arm != arm || r.Setting != setting {
			continue
		}
		n++
		scores = append(scores, r.mean(s.Plan.Score))
		for l, auc := range r.AUC {
			aucs[l] = append(aucs[l], auc)
		}
		row.Networks += float64(r.Networks)
		row.Parameters += float64(r.Parameters)
		row.Pictures += float64(r.Pictures)
		row.Seconds += r.Seconds
		row.Source += r.SourceSeconds
		row.LatencyMS += r.LatencyMS
		if r.Note != "" {
			row.Note = r.Note
		}
	}
	for _, v := range []*float64{&row.Networks, &row.Parameters, &row.Pictures, &row.Seconds, &row.Source, &row.LatencyMS} {
		*v /= n
	}
	row.Score = interval(scores)
	for l, v := range aucs {
		row.AUC[l] = interval(v)
	}
	return row, n > 0
}

// Verdict says in one paragraph what the numbers say of the claim.
func (s *Summary) Verdict() string {
	var b strings.Builder
	count, of := map[Agreement]int{}, 0
	if s.Seeds < 2 {
		b.WriteString("Differences of the mean test ROC AUC of one seed, which gives no intervals: ")
	} else {
		fmt.Fprintf(&b, "Differences of the mean test ROC AUC over %d seeds, paired, with 95 %% intervals: ", s.Seeds)
	}
	for _, f := range s.Found {
		a := f.Expect.agrees(f.Interval)
		if a == "" {
			continue // in the table alone
		}
		if of > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s %s, %s (%s)", f.Name, f.signed(), f.Outcome(), a)
		count[a]++
		of++
	}
	b.WriteString(". ")
	b.WriteString(s.costs())
	switch {
	case count[AsClaimed] == of:
		fmt.Fprintf(&b, "The claim held: %s as it says.", out(of, of))
	case count[Against] == 0 && count[AsClaimed] == 0:
		fmt.Fprintf(&b, "The claim was neither confirmed nor contradicted: %s undecided.", out(of, of))
	case count[Against] == 0:
		fmt.Fprintf(&b, "The claim held in part: %s as it says, the rest undecided.", out(count[AsClaimed], of))
	case count[AsClaimed] == 0:
		fmt.Fprintf(&b, "The claim did not hold here: %s against it, none as it says.", out(count[Against], of))
	default:
		fmt.Fprintf(&b, "The claim held in part: %s as it says, %d against it, %d undecided.", out(count[AsClaimed], of), count[Against], count[Undecided])
	}
	return b.String()
}

func out(n, of int) string {
	if n == 1 && of == 1 {
		return "the one comparison that it speaks of came out"
	}
	return fmt.Sprintf("%d of the %d comparisons that it speaks of came out", n, of)
}

// costs compares what the arms take, where there is one setting.
func (s *Summary) costs() string {
	if len(s.Plan.Settings) != 1 || len(s.Rows) < 2 {
		return ""
	}
	first := s.Rows[0]
	text := "Times what it takes for " + first.Arm + ": "
	for i, r := range s.Rows[1:] {
		if i > 0 {
			text += "; "
		}
		text += fmt.Sprintf("%s %.1f of the parameters, %.1f of the training", r.Arm, r.Parameters/first.Parameters, r.Seconds/first.Seconds)
		if first.LatencyMS > 0 {
			text += fmt.Sprintf(", %.1f of the time for a picture", r.LatencyMS/first.LatencyMS)
		}
	}
	return text + ". "
}
