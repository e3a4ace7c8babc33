package dataset

import (
	"encoding/json"
	"fmt"
	"path/filepath"
)

// bddFrame is what is read of a frame in BDD100K's format, also called Scalabel's
// (doc.scalabel.ai/format.html), of 2018 and of 2020.
type bddFrame struct {
	Name       string     `json:"name"`
	VideoName  string     `json:"videoName"`
	Attributes attrs      `json:"attributes"`
	Labels     []bddLabel `json:"labels"`
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
	b := bddReading{request: r, cats: cats, group: group, known: make([]bool, len(r.labels)), seen: map[string]int{},
		set: newSet(r.labels)}
	for _, c := range bddCategories {
		if l := cats.label(c); l >= 0 {
			b.known[l] = true
		}
	}
	if err := (lists{"": b.frame, "frames": b.frame}).read(r.what); err != nil {
		return nil, err
	}
	if b.n == 0 {
		return nil, fmt.Errorf("dataset: %s: not BDD100K's format: no frames", r.what)
	}
	if len(b.set.Items) == 0 {
		return nil, fmt.Errorf("dataset: %s: %w (%d frames that nobody labelled)", r.what, errNoPictures, b.set.Skipped[unlabelledFrames])
	}
	return b.set, nil
}

const unlabelledFrames = "frames that nobody labelled"

// bddReading is a file half read.
type bddReading struct {
	request
	cats  categories
	group grouping
	known []bool // labels that have a category
	seen  map[string]int
	n     int // frames read
	set   *Set
}

// frame reads one frame of a list, or of the list in an object.
func (b *bddReading) frame(dec *json.Decoder) error {
	var f bddFrame
	if err := dec.Decode(&f); err != nil {
		return fmt.Errorf("not BDD100K's format: frame %d: %w", b.n, err)
	}
	i := b.n
	b.n++
	if f.Name == "" {
		b.flaws.add("pictures without a name", "frame %d has no \"name\", so its picture cannot be found", i)
		return nil
	}
	if f.Labels == nil {
		b.set.Skipped[unlabelledFrames]++
		return nil
	}
	if first, there := b.seen[f.VideoName+"/"+f.Name]; there {
		b.flaws.add("pictures listed twice", "frame %d: %q is frame %d already", i, f.Name, first)
		return nil
	}
	b.seen[f.VideoName+"/"+f.Name] = i
	it := newAnnotated(Item{Path: filepath.Join(b.imageDir(), f.Name), Name: f.Name, Group: f.VideoName, Source: "bdd100k", Attrs: f.Attributes}, b.known)
	if it.Group == "" {
		it.Group = b.group(f.Name)
	}
	for j, l := range f.Labels {
		if err := b.object(it, j, l); err != nil {
			return err
		}
	}
	b.set.Items = append(b.set.Items, it.item())
	return nil
}

func (b *bddReading) object(it *annotated, j int, l bddLabel) error {
	if l.Score != nil {
		return fmt.Errorf("frame %q, label %d has a \"score\": these are a detector's predictions, not labels", it.Name, j)
	}
	k := b.cats.label(l.Category)
	if k < 0 {
		b.set.Unasked[l.Category]++
		return nil
	}
	var box Box
	if l.Box2D != nil {
		box = Box{X: l.Box2D.X1, Y: l.Box2D.Y1, W: l.Box2D.X2 - l.Box2D.X1 + 1, H: l.Box2D.Y2 - l.Box2D.Y1 + 1}
		if !box.sized() {
			b.flaws.add(emptyBoxes, "frame %q, label %d: \"box2d\" has size %g×%g", it.Name, j, box.W, box.H)
		}
	}
	crowd, _ := l.Attributes["crowd"].(bool)
	it.add(k, box, l.Box2D != nil && !crowd)
	return nil
}
