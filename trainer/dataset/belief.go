package dataset

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
)

// Belief is an object that a detector saw in a picture, with the probability it gave.
type Belief struct {
	Box
	P float64
}

// trust is the weight of what a detector says against what a person said.
const trust = 0.5

// sure is the probability from which a belief tells where an object is that a person
// said is there, and from which one that can hardly be seen is neither there nor not.
const sure = 0.3

// believedRecord is one line of a file of beliefs: the picture's path as in the labels, and
// what was seen, in its pixels. A picture of no line was not looked at.
type believedRecord struct {
	Path string     `json:"path"`
	Seen []SeenLine `json:"seen"`
}

// SeenLine is one object of a line.
type SeenLine struct {
	Label string     `json:"label"`
	XYWH  [4]float64 `json:"xywh"`
	P     float64    `json:"p"`
}

// BeliefWriter writes a file of beliefs.
type BeliefWriter struct{ W io.Writer }

// Write adds a picture's line.
func (b BeliefWriter) Write(path string, seen []SeenLine) error {
	if seen == nil {
		seen = []SeenLine{}
	}
	text, err := json.Marshal(believedRecord{path, seen})
	if err == nil {
		_, err = b.W.Write(append(text, '\n'))
	}
	return err
}

// Believe adds a detector's file of beliefs to the pictures of the same names. It is an
// error when none is there. A label that the whole file has no object of was not looked
// for: that the detector does not know it says nothing about the pictures.
func (s *Set) Believe(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	believed, err := parseBeliefs(f, s.Labels)
	if err != nil {
		return fmt.Errorf("dataset: %s: %w", path, err)
	}
	looked := make([]bool, len(s.Labels))
	for _, seen := range believed {
		for _, b := range seen {
			looked[b.Label] = true
		}
	}
	n := 0
	for i := range s.Items {
		it := &s.Items[i]
		seen, ok := believed[it.Name]
		if ok {
			it.Beliefs, it.Believed = seen, looked
			n++
		}
	}
	if n == 0 {
		return fmt.Errorf("dataset: %s: it names none of the pictures: was it made from other labels?", path)
	}
	return nil
}

func parseBeliefs(r io.Reader, labels []string) (map[string][]Belief, error) {
	out := map[string][]Belief{}
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 64<<10), maxLine)
	for line := 1; scan.Scan(); line++ {
		var rec believedRecord
		if err := json.Unmarshal(scan.Bytes(), &rec); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		seen := []Belief{}
		for i, x := range rec.Seen {
			b := Belief{Box{slices.Index(labels, x.Label), x.XYWH[0], x.XYWH[1], x.XYWH[2], x.XYWH[3]}, x.P}
			if !b.sized() || !(b.P >= 0 && b.P <= 1) {
				return nil, fmt.Errorf("line %d: key \"seen\": object %d has size %g×%g and p %g: want a size, and 0 to 1", line, i, b.W, b.H, b.P)
			}
			if b.Label >= 0 {
				seen = append(seen, b)
			}
		}
		out[rec.Path] = seen
	}
	return out, scan.Err()
}

// believe marks what a detector saw of label l in a view, and returns the highest
// probability of what is still to be seen, and that of what is cut, covered, blurred or
// shrunk so far that nobody could say. from is the least that counts.
func (g grid) believe(lay *layout, v *view, l int, from float64) (most, doubtful float64) {
	for pass := range 2 { // cores last
		for _, b := range v.it.Beliefs {
			if b.Label != l || b.P < from {
				continue
			}
			shown, seen := lay.shows(v, b.Box)
			switch {
			case pass == 0 && !shown.empty():
				g.set(shown, v.window, g.weight, 0)
			case pass == 1 && seen:
				g.raise(shown.middle(core), v.window, float32(b.P))
				most = max(most, b.P)
			case pass == 1 && !shown.empty():
				doubtful = max(doubtful, b.P)
			}
		}
	}
	return most, doubtful
}

// raise sets the cells that r touches to at least p.
func (g grid) raise(r, window rect, p float32) {
	if len(g.value) == 0 {
		return
	}
	x0, x1 := cells(r.x0, r.x1, window.x0, window.x1)
	y0, y1 := cells(r.y0, r.y1, window.y0, window.y1)
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			i := y*g.w + x
			g.value[i], g.weight[i] = max(g.value[i], p), trust
		}
	}
}
