package dataset

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// categories translates another data set's category names to labels.
type categories struct {
	labels []string
	alias  map[string]string
}

// usual are names that differ between data sets and mean the same.
var usual = map[string]string{"person": "pedestrian", "people": "pedestrian", "stopsign": "stop_sign"}

// newCategories reads the option map=FROM:TO,FROM:TO over the usual names.
func (r request) newCategories() (categories, error) {
	c := categories{r.labels, map[string]string{}}
	for from, to := range usual {
		c.alias[from] = to
	}
	for pair := range strings.SplitSeq(r.query.Get("map"), ",") {
		if pair == "" {
			continue
		}
		from, to, ok := strings.Cut(pair, ":")
		if !ok || !slices.Contains(r.labels, to) {
			return c, fmt.Errorf("dataset: %s: %w: option map=%s: want CATEGORY:LABEL with a label of %s", r.what, ErrURI, pair, strings.Join(r.labels, ", "))
		}
		c.alias[normal(from)] = to
	}
	return c, nil
}

func normal(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
}

// label is the index of the label that a category means, -1 if none.
func (c categories) label(category string) int {
	name := normal(category)
	if i := slices.Index(c.labels, name); i >= 0 {
		return i
	}
	if to, ok := c.alias[name]; ok {
		return slices.Index(c.labels, to)
	}
	return -1
}

// annotated is an item under construction from boxes.
type annotated struct {
	Item
	unlocated []bool // a label has an object without a box of its own
	// doubtful: there is an object of which nobody can say what it is.
	doubtful bool
}

// newAnnotated knows that a label is negative where known says that its annotators
// looked for it.
func newAnnotated(it Item, known []bool) *annotated {
	a := &annotated{Item: it, unlocated: make([]bool, len(known))}
	a.Labels = make([]State, len(known))
	for l, k := range known {
		if k {
			a.Labels[l] = Negative
		}
	}
	return a
}

// add makes label l positive, with a box unless it has none of its own.
func (a *annotated) add(l int, b Box, located bool) {
	a.Labels[l] = Positive
	if !located || !b.sized() {
		a.unlocated[l] = true
		return
	}
	b.Label = l
	a.Boxes = append(a.Boxes, b)
}

// item drops the boxes of labels of which not all objects have one: a map taught by
// half of the boxes would learn that the others are nothing. Where an object could be
// anything, no label is negative, and none has all of its boxes.
func (a *annotated) item() Item {
	for l, s := range a.Labels {
		if a.doubtful && s == Negative {
			a.Labels[l] = Unknown
		}
	}
	a.Boxes = slices.DeleteFunc(a.Boxes, func(b Box) bool { return a.doubtful || a.unlocated[b.Label] })
	return a.Item
}

// emptyBoxes is the reason of boxes that no object can have. The object is there, and
// nobody knows where.
const emptyBoxes = "empty boxes"

// imageDir is the option images=DIR, else the folder of the annotations.
func (r request) imageDir() string {
	if dir := r.query.Get("images"); dir != "" {
		return dir
	}
	return filepath.Dir(r.what)
}

var errNoPictures = errors.New("no pictures with labels in it")
