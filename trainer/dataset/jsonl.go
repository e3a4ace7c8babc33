package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// record is one line of the project's own format. A label that is null or
// missing is Unknown. Keys that are not listed here are other people's and are
// passed over.
type record struct {
	Path   string          `json:"path"`
	Labels map[string]*int `json:"labels"`
	Boxes  []struct {
		Label string     `json:"label"`
		XYWH  [4]float64 `json:"xywh"`
	} `json:"boxes"`
	Source string          `json:"source"`
	Group  string          `json:"group"`
	Pseudo map[string]*int `json:"pseudo"`
	Attrs  attrs           `json:"attrs"`
}

// attrs are texts by name. Other people's attributes may be of any shape: what is no text
// is passed over.
type attrs map[string]string

// UnmarshalJSON never fails on JSON.
func (a *attrs) UnmarshalJSON(text []byte) error {
	var all map[string]any
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	for name, v := range all {
		if s, ok := v.(string); ok {
			if *a == nil {
				*a = attrs{}
			}
			(*a)[name] = s
		}
	}
	return nil
}

// maxLine bounds a line, so that a file that is not JSON Lines is refused before
// it fills the memory.
const maxLine = 4 << 20

// readJSONL reads JSON Lines, a line a picture:
//
//	{"path":"a.jpg","labels":{"car":1,"stop_sign":null},"boxes":[{"label":"car","xywh":[x,y,w,h]}]}
//
// with paths relative to the file. Boxes of labels that are not asked for are
// passed over. pseudo takes a positive under the key "pseudo" for a label where nobody
// looked: a machine's opinion, used only by choice.
func readJSONL(path string, labels []string, pseudo bool, flaws *Flaws) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	set, err := parseJSONL(f, filepath.Dir(path), labels, pseudo, flaws)
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", path, err)
	}
	if flaws.Len() > 0 {
		return set, nil // which may be why a label is unknown
	}
	if err := set.covers(); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", path, err)
	}
	return set, nil
}

func parseJSONL(r io.Reader, dir string, labels []string, pseudo bool, flaws *Flaws) (*Set, error) {
	set := newSet(labels)
	seen := map[string]int{}
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 64<<10), maxLine)
	line := 0
	for scan.Scan() {
		line++
		if len(bytes.TrimSpace(scan.Bytes())) == 0 {
			continue
		}
		var rec record
		if err := json.Unmarshal(scan.Bytes(), &rec); err != nil {
			flaws.add("lines of another format", "line %d: not a JSON object of this format: %v", line, err)
			continue
		}
		if rec.Path == "" {
			flaws.add("pictures without a name", `line %d: key "path": missing`, line)
			continue
		}
		if first := seen[rec.Path]; first > 0 {
			flaws.add("pictures listed twice", "line %d: path %q is on line %d already", line, rec.Path, first)
			continue
		}
		seen[rec.Path] = line
		set.Items = append(set.Items, rec.item(dir, labels, pseudo, line, flaws))
		rec.unasked(set)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", line+1, err)
	}
	if len(set.Items) == 0 {
		return nil, errNoPictures
	}
	return set, nil
}

// item is the line's picture. Where the line is wrong about a label, the label is unknown,
// and where it is wrong about a box, the label is positive without boxes.
func (r record) item(dir string, labels []string, pseudo bool, line int, flaws *Flaws) Item {
	it := Item{Path: filepath.Join(dir, r.Path), Name: r.Path, Source: r.Source, Group: r.Group, Labels: make([]State, len(labels)), Attrs: r.Attrs}
	if it.Group == "" {
		it.Group = r.Path
	}
	for i, name := range labels {
		switch v := r.Labels[name]; {
		case v == nil:
			if p := r.Pseudo[name]; pseudo && p != nil && *p == 1 {
				it.Labels[i] = Positive
			}
		case *v == 0:
			it.Labels[i] = Negative
		case *v == 1:
			it.Labels[i] = Positive
		default:
			flaws.add("labels without a meaning", "line %d: key \"labels\": %q is %d, want 0, 1 or null", line, name, *v)
		}
	}
	lost := make([]bool, len(labels))
	for n, b := range r.Boxes {
		l := slices.Index(labels, b.Label)
		if l < 0 {
			continue
		}
		box := Box{l, b.XYWH[0], b.XYWH[1], b.XYWH[2], b.XYWH[3]}
		switch {
		case !box.sized():
			flaws.add(emptyBoxes, "line %d: key \"boxes\": box %d of %q has size %g×%g", line, n, b.Label, box.W, box.H)
			lost[l] = true
		case it.Labels[l] != Positive:
			if v := r.Labels[b.Label]; v == nil || *v == 0 { // else it has been said
				flaws.add("boxes against their labels", "line %d: key \"boxes\": a box of %q, which the labels say is %v", line, b.Label, it.Labels[l])
			}
			it.Labels[l], lost[l] = Unknown, true
		default:
			it.Boxes = append(it.Boxes, box)
		}
	}
	it.Boxes = slices.DeleteFunc(it.Boxes, func(b Box) bool { return lost[b.Label] })
	return it
}

// unasked counts what the line says of labels that nobody asks for.
func (r record) unasked(set *Set) {
	for name, v := range r.Labels {
		if v != nil && !slices.Contains(set.Labels, name) {
			set.Unasked[name]++
		}
	}
}

// covers refuses a set in which a label was never looked at: most likely its name
// is misspelt.
func (s *Set) covers() error {
	for l, name := range s.Labels {
		if !slices.ContainsFunc(s.Items, func(it Item) bool { return it.Labels[l] != Unknown }) {
			return fmt.Errorf("label %q is unknown in all of its %d pictures: check the name, or leave the label out", name, len(s.Items))
		}
	}
	return nil
}
