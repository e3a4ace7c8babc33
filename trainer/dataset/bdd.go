package dataset

import (
	"encoding/json"
	"fmt"
	"path/filepath"
)

// bddFrame is what is read of a frame in BDD100K's format, also called Scalabel's
// (doc.scalabel.ai/format.html), of 2018 and of 2020.
type bddFrame struct {
	Name      string     `json:"name"`
	VideoName string     `json:"videoName"`
	Labels    []bddLabel `json:"labels"`
}

type bddLabel struct {
	Category   string         `json:"category"`
	Score      *float64       `json:"score"`
	Attributes map[string]any `json:"attributes"`
	// Box2D holds corners, the far ones inside the object.
	Box2D *struct {
		X1, Y1, X2, Y2 float64
	} `json:"box2d"`
}

// bddCategories are what BDD100K's annotators looked for in every frame. "traffic
// sign" does not say which sign: stop signs stay unknown.
var bddCategories = []string{"pedestrian", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle", "traffic light", "traffic sign"}

// openBDD reads BDD100K labels. A category of BDD100K that a frame lacks is negative;
// a frame without a list of labels was not looked at and is left out. An object
// without a box (a mask, a box in space) makes its label positive, nowhere.
func openBDD(r request) (*Set, error) {
	if err := r.only("images", "map", "group"); err != nil {
		return nil, err
	}
	cats, err := r.newCategories()
	if err != nil {
		return nil, err
	}
	group, err := r.newGrouping()
	if err != nil {
		return nil, err
	}
	frames, err := bddFrames(r.what)
	if err != nil {
		return nil, err
	}
	known := make([]bool, len(r.labels))
	for _, c := range bddCategories {
		if l := cats.label(c); l >= 0 {
			known[l] = true
		}
	}
	set := &Set{Labels: r.labels, Skipped: map[string]int{}, Unasked: map[string]int{}}
	seen := map[string]int{}
	for i, f := range frames {
		if f.Name == "" {
			r.flaws.add("pictures without a name", "frame %d has no \"name\", so its picture cannot be found", i)
			continue
		}
		if f.Labels == nil {
			set.Skipped["frames that nobody labelled"]++
			continue
		}
		if first, there := seen[f.VideoName+"/"+f.Name]; there {
			r.flaws.add("pictures listed twice", "frame %d: %q is frame %d already", i, f.Name, first)
			continue
		}
		seen[f.VideoName+"/"+f.Name] = i
		it := newAnnotated(Item{Path: filepath.Join(r.imageDir(), f.Name), Name: f.Name, Group: f.VideoName, Source: "bdd100k"}, known)
		if it.Group == "" {
			it.Group = group(f.Name)
		}
		for j, l := range f.Labels {
			if l.Score != nil {
				return nil, fmt.Errorf("dataset: %s: frame %q, label %d has a \"score\": these are a detector's predictions, not labels", r.what, f.Name, j)
			}
			k := cats.label(l.Category)
			if k < 0 {
				set.Unasked[l.Category]++
				continue
			}
			var b Box
			if l.Box2D != nil {
				b = Box{X: l.Box2D.X1, Y: l.Box2D.Y1, W: l.Box2D.X2 - l.Box2D.X1 + 1, H: l.Box2D.Y2 - l.Box2D.Y1 + 1}
				if !b.sized() {
					r.flaws.add(emptyBoxes, "frame %q, label %d: \"box2d\" has size %g×%g", f.Name, j, b.W, b.H)
				}
			}
			crowd, _ := l.Attributes["crowd"].(bool)
			it.add(k, b, l.Box2D != nil && !crowd)
		}
		set.Items = append(set.Items, it.item())
	}
	if len(set.Items) == 0 {
		return nil, fmt.Errorf("dataset: %s: %w (%d frames that nobody labelled)", r.what, errNoPictures, set.Skipped["frames that nobody labelled"])
	}
	return set, nil
}

// bddFrames reads a list of frames, or an object that holds one.
func bddFrames(path string) ([]bddFrame, error) {
	var raw json.RawMessage
	if err := readJSON(path, &raw); err != nil {
		return nil, err
	}
	var frames []bddFrame
	err := json.Unmarshal(raw, &frames)
	if err != nil {
		var whole struct {
			Frames []bddFrame `json:"frames"`
		}
		if werr := json.Unmarshal(raw, &whole); werr == nil {
			frames, err = whole.Frames, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: not BDD100K's format: %w", path, err)
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("dataset: %s: not BDD100K's format: no frames", path)
	}
	return frames, nil
}
