package hil

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// shortly is how long is looked at after a fault that happens once.
	shortly = 2 * time.Second
	// quiet is how long nothing must come for that to be said.
	quiet = 500 * time.Millisecond
)

// meanwhile says what the unit published from a fault's beginning to its end, by status: of each of its
// processes, and from when on nothing came although frames were sent, or because none were. Of what happens
// once it is the two seconds after it.
func (r *Run) meanwhile(fault int) string {
	at, f := r.Injected[fault], r.Scenario.Faults[fault]
	if f.Kind == "deaf" {
		return "not heard"
	}
	once := at.To.Sub(at.From) < shortly
	if once {
		at.To = at.From.Add(shortly)
	}
	counts := map[int]map[string]int{} // by life
	last := at.From
	for _, x := range r.Results {
		if x.Got.Before(at.From) || !x.Got.Before(at.To) || !f.of(x.Source) {
			continue
		}
		if counts[x.Life] == nil {
			counts[x.Life] = map[string]int{}
		}
		counts[x.Life][x.Status]++
		last = x.Got
	}
	var parts []string
	if first := r.lifeBefore(at.From); f.Kind == "kill" && counts[first] == nil {
		parts = append(parts, "nothing")
	}
	for i, life := range slices.Sorted(maps.Keys(counts)) {
		said := tally(counts[life])
		if i > 0 || len(parts) > 0 {
			said = "started again: " + said
		}
		parts = append(parts, said)
	}
	if at.To.Sub(last) > quiet {
		parts = append(parts, "nothing"+r.why(f, last, at.To))
	}
	text := strings.Join(slices.Compact(parts), ", then ")
	if once {
		text += fmt.Sprintf(" (in %v)", shortly)
	}
	return text
}

// tally lists counts by status.
func tally(counts map[string]int) string {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return strings.Join(parts, ", ")
}

// lifeBefore is the unit's process that the last result before a time was of.
func (r *Run) lifeBefore(at time.Time) (life int) {
	for _, x := range r.Results {
		if x.Got.Before(at) {
			life = x.Life
		}
	}
	return life
}

// why is why nothing came: no frame was sent, or nothing was made of those that were.
func (r *Run) why(f Fault, from, to time.Time) string {
	n := 0
	for _, s := range r.Served {
		if f.of(s.Camera) && !s.Sent.IsZero() && !s.Sent.Before(from) && s.Sent.Before(to) {
			n++
		}
	}
	if n == 0 {
		return ": no frame was sent"
	}
	return fmt.Sprintf(" of %d frames that were sent", n)
}
