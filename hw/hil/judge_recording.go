package hil

import (
	"fmt"
	"slices"
	"strings"
)

// recording: what the unit wrote can be read, and accounts for each result that was heard.
func (r *Run) recording(q Requirement) Verdict {
	v := Verdict{Pass: true, Limit: "all can be read; what is missing is said", Margin: "–"}
	var said []string
	for _, kind := range q.As {
		text, err := r.account(r.recorded[kind])
		if err != nil {
			v.Pass, v.At, text = false, r.End, err.Error()
		}
		said = append(said, kind+": "+text)
	}
	v.Measured = strings.Join(said, "; ")
	return v
}

// account says what is in a recording. It is an error if that cannot be read, or if a result is
// missing of which it does not say so.
func (r *Run) account(rec *recording) (string, error) {
	switch {
	case rec == nil:
		return "", fmt.Errorf("the unit left no such file")
	case rec.wrong != nil:
		return "", rec.wrong
	case rec.cut != "" && !r.had("kill"):
		return "", fmt.Errorf("%s is cut, and the unit was not killed", rec.cut)
	}
	l := ledger{lives: map[string]int{}, next: map[string]uint64{}, at: map[string]int{}, lostAt: -1}
	for i, x := range rec.lines {
		if err := l.take(i, x, r.Lives); err != nil {
			return "", err
		}
	}
	for source, heard := range r.lastHeard() {
		if _, known := l.next[source]; !known {
			return "", fmt.Errorf("no result of %s", source)
		}
		if err := l.gap(source, heard+1, "at the end"); err != nil {
			return "", fmt.Errorf("%w: writing did not go on", err)
		}
	}
	if l.missing > l.said {
		return "", fmt.Errorf("%d results are missing, and it says that %d are", l.missing, l.said)
	}
	return fmt.Sprintf("%d results in %d files, %d missing, %d said to be", l.results, rec.files, l.missing, l.said), nil
}

// ledger counts what is in a recording and what is not.
type ledger struct {
	results, missing, said uint64

	lives  map[string]int    // how often a source began again
	next   map[string]uint64 // the number that is due
	at     map[string]int    // the source's last line
	lostAt int               // the last line that says that something is lost
}

// take takes the recording's line number i, written in one of so many lives of the unit.
func (l *ledger) take(i int, x recorded, lives int) error {
	if x.lost > 0 {
		l.said += x.lost
		l.lostAt = i
		return nil
	}
	if _, known := l.next[x.source]; !known {
		l.at[x.source] = -1
	}
	if x.seq < l.next[x.source] {
		if l.lives[x.source]++; l.lives[x.source] >= lives {
			return fmt.Errorf("%s: frame %d comes after frame %d", x.source, x.seq, l.next[x.source]-1)
		}
		l.next[x.source] = 0
	}
	if err := l.gap(x.source, x.seq, fmt.Sprintf("before frame %d", x.seq)); err != nil {
		return err
	}
	l.results++
	l.next[x.source], l.at[x.source] = x.seq+1, i
	return nil
}

// gap counts the results up to a number that are missing; it must have been said that some are.
func (l *ledger) gap(source string, to uint64, where string) error {
	next := l.next[source]
	if to <= next {
		return nil
	}
	if l.lostAt <= l.at[source] {
		return fmt.Errorf("%s: %d results are missing %s, and nothing says so", source, to-next, where)
	}
	l.missing += to - next
	return nil
}

// lastHeard is the number of the last result of each source, of the unit's last life.
func (r *Run) lastHeard() map[string]uint64 {
	out := map[string]uint64{}
	for _, x := range r.Results {
		if x.Life == r.Lives {
			out[x.Source] = x.Seq
		}
	}
	return out
}

// had is whether there was a fault of a kind.
func (r *Run) had(kind string) bool {
	return slices.ContainsFunc(r.Scenario.Faults, func(f Fault) bool { return f.Kind == kind })
}
