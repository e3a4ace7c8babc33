package trainer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// Condition is how well one label is told apart under one condition.
type Condition struct {
	Label string `json:"label"`
	// Of is what varies, such as "timeofday", and Value what it is here, such as "night".
	Of    string `json:"of"`
	Value string `json:"value"`
	// Positive and Negative pictures. Where Of is the object's, the positives are those
	// with such an object, and the negatives are all.
	Positive int `json:"positive"`
	Negative int `json:"negative"`
	// AUC with its 95 % bootstrap interval, nil where one answer is missing; Reference is
	// that of all values of Of together.
	AUC       *float64 `json:"auc"`
	Low       float64  `json:"auc_low,omitempty"`
	High      float64  `json:"auc_high,omitempty"`
	Reference *float64 `json:"reference"`
	// Recall and FalseAlarms are at the label's threshold.
	Recall      float64 `json:"recall"`
	FalseAlarms float64 `json:"false_alarms"`
	// Intervals are the 95 % bootstrap intervals of these two, by their keys.
	Intervals map[string][2]float64 `json:"intervals,omitempty"`
}

// enough pictures of each answer to say something of a condition.
const enough = 10

// Enough reports whether there are pictures enough to say something.
func (c Condition) Enough() bool {
	return c.AUC != nil && c.Reference != nil && c.Positive >= enough && c.Negative >= enough
}

// Weak reports a condition under which the label is told apart worse, beyond chance: even
// the upper end of the interval is below the reference.
func (c Condition) Weak() bool { return c.Enough() && c.High < *c.Reference }

// What the largest object of a label says, besides the picture's own attributes.
const (
	OfSize     = "object size"
	OfDistance = "distance"
)

// bin is one value of what is measured: from least on, up to the next one's.
type bin struct {
	least float64
	name  string
}

// sizes are parts of the picture's area. near is a fifth of its height, as in the questions
// about rendered scenes: without the camera's optics and the object's own height, that is
// as near as a box comes to a distance.
var (
	sizes     = []bin{{0, "under 0.5 % of the picture"}, {0.005, "0.5–2 %"}, {0.02, "2–8 %"}, {0.08, "8 % and more"}}
	distances = []bin{{0, "far: lower than a fifth of the picture"}, {0.2, "near: a fifth and more"}}
)

func binOf(bins []bin, v float64) string {
	i := len(bins) - 1
	for i > 0 && v < bins[i].least {
		i--
	}
	return bins[i].name
}

// undefined values of attributes say nothing.
var undefined = []string{"", "undefined", "unknown"}

// Conditions measures every label under every condition that the data knows: the
// attributes of pictures, and size and distance of the largest object, where boxes are.
func (f *Findings) Conditions() ([]Condition, error) {
	var out []Condition
	for l := range f.Set.Labels {
		groups := f.grouped(l)
		for _, of := range slices.SortedFunc(maps.Keys(groups), byKind) {
			some, err := f.condition(l, of, groups[of])
			if err != nil {
				return nil, fmt.Errorf("trainer: label %q, %s: %w", f.Set.Labels[l], of, err)
			}
			out = append(out, some...)
		}
	}
	return out, nil
}

// byKind puts what the objects say last.
func byKind(a, b string) int {
	object := func(s string) int {
		return max(slices.Index([]string{OfSize, OfDistance}, s)+1, 0)
	}
	return cmp.Or(object(a)-object(b), cmp.Compare(a, b))
}

// scored is one picture: its score, answer, and value of what varies, "" for all.
type scored struct {
	score    float64
	positive bool
	value    string
}

// grouped are the pictures that know label l, by what varies.
func (f *Findings) grouped(l int) map[string][]scored {
	groups := map[string][]scored{}
	boxed := false
	for i := range f.Set.Items {
		it := &f.Set.Items[i]
		if f.Probabilities[i] == nil || it.Labels[l] == dataset.Unknown {
			continue
		}
		s := scored{float64(f.Probabilities[i][l]), it.Labels[l] == dataset.Positive, ""}
		for of, value := range it.Attrs {
			if !slices.Contains(undefined, value) {
				groups[of] = append(groups[of], scored{s.score, s.positive, value})
			}
		}
		area, height, ok := f.largest(i, l)
		if s.positive && !ok {
			continue // it holds something of a size that nobody wrote down
		}
		boxed = boxed || ok
		big, far := s, s
		if s.positive {
			big.value, far.value = binOf(sizes, area), binOf(distances, height)
		}
		groups[OfSize], groups[OfDistance] = append(groups[OfSize], big), append(groups[OfDistance], far)
	}
	if !boxed {
		delete(groups, OfSize)
		delete(groups, OfDistance)
	}
	return groups
}

// largest is the largest area and height of a label's boxes, as parts of the picture's.
func (f *Findings) largest(i, l int) (area, height float64, ok bool) {
	w, h := f.cache.FileSize(i)
	if w == 0 || h == 0 {
		return 0, 0, false
	}
	for _, b := range f.Set.Items[i].Boxes {
		if b.Label == l {
			ok = true
			area, height = max(area, b.W*b.H/float64(w*h)), max(height, b.H/float64(h))
		}
	}
	return area, height, ok
}

// condition measures every value of what varies.
func (f *Findings) condition(l int, of string, all []scored) ([]Condition, error) {
	object := of == OfSize || of == OfDistance
	values := map[string]metrics.Scores{}
	var together metrics.Scores
	for _, s := range all {
		together.Add(s.score, s.positive)
		if object && !s.positive {
			continue
		}
		v := values[s.value]
		v.Add(s.score, s.positive)
		values[s.value] = v
	}
	var reference *float64
	if auc, err := together.AUC(); err == nil {
		reference = &auc
	}
	at := f.Measured[l].Decision().Threshold
	var out []Condition
	for _, value := range order(of, values) {
		v := values[value]
		if object {
			for _, s := range all {
				if !s.positive {
					v.Add(s.score, false)
				}
			}
		}
		c := Condition{Label: f.Set.Labels[l], Of: of, Value: value, Reference: reference}
		c.Positive, c.Negative = v.Counts()
		k := v.ConfusionAt(at)
		c.Recall, c.FalseAlarms = part(k.TruePositive, c.Positive), part(k.FalsePositive, c.Negative)
		fig, err := v.Figures(at)
		if err != nil && !errors.Is(err, metrics.ErrUndefined) {
			return nil, err
		}
		if err == nil {
			low, high, err := v.Intervals(at, resamples, 1)
			if err != nil {
				return nil, err
			}
			c.AUC, c.Low, c.High = &fig.AUC, low.AUC, high.AUC
			c.Intervals = map[string][2]float64{"recall": {low.Recall, high.Recall}, "false_alarms": {low.FalseAlarms, high.FalseAlarms}}
		}
		out = append(out, c)
	}
	return out, nil
}

// order is that of the bins, or of the alphabet.
func order(of string, values map[string]metrics.Scores) []string {
	names := slices.Sorted(maps.Keys(values))
	for what, bins := range map[string][]bin{OfSize: sizes, OfDistance: distances} {
		if what == of {
			slices.SortFunc(names, func(a, b string) int {
				at := func(name string) int { return slices.IndexFunc(bins, func(x bin) bool { return x.name == name }) }
				return at(a) - at(b)
			})
		}
	}
	return names
}

func part(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
