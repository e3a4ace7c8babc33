// Package dataset reads partly labelled pictures and turns them into batches.
//
// A label is Unknown, Negative or Positive, and Unknown is the zero value: nobody
// looked. What a picture is known to hold is followed through every crop, so that
// no augmentation makes a label a lie.
package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// State is what is known of one label in one picture.
type State uint8

// The three states. The zero value is Unknown.
const (
	Unknown State = iota
	Negative
	Positive
)

func (s State) String() string { return [...]string{"unknown", "negative", "positive"}[s] }

// Box is one object, in pixels of its picture from the top left.
type Box struct {
	Label      int
	X, Y, W, H float64
}

// maxPixel bounds a box's numbers: OpenCV's largest pictures have fewer pixels along a side.
const maxPixel = 1 << 20

// sized reports whether a box has a place and a size that a picture can hold.
func (b Box) sized() bool {
	return b.W > 0 && b.H > 0 && b.W <= maxPixel && b.H <= maxPixel && math.Abs(b.X) <= maxPixel && math.Abs(b.Y) <= maxPixel
}

// times is the box in a picture that is scaled.
func (b Box) times(k float64) Box { return Box{b.Label, b.X * k, b.Y * k, b.W * k, b.H * k} }

// Item is one picture and what is known of it.
type Item struct {
	// Path of the picture file; Name is how reports call it.
	Path, Name string
	// Source and Group say where it comes from; pictures of one group (a drive, a
	// sequence) stay on one side of a split.
	Source, Group string
	// Labels has a state for each label of the set.
	Labels []State
	Boxes  []Box
	// Beliefs are what a detector saw. They teach what nobody else knows of the picture, of
	// the labels for which Believed, of which there is one a label or none, says that it looked.
	Beliefs  []Belief
	Believed []bool
	// Pixels, if not nil, is the picture itself, W×H BGR, for sets that have no files; Key,
	// if not "", says which picture, so that it can be kept from one start to the next.
	Pixels func() (w, h int, bgr []byte, err error)
	Key    string
	// Attrs are what else is known of the picture, such as weather or time of day: figures
	// are told apart by them, and nothing is trained on them.
	Attrs map[string]string
	// Fixed: the labels are of the picture as it is, such as "car to the left" or "night".
	// It is not moved, mirrored, covered, lit otherwise or put among others.
	Fixed bool
}

// Located reports whether the picture says where label l is: it is Negative
// (nowhere), or Positive with boxes, which are then all of its objects.
func (it *Item) Located(l int) bool {
	switch it.Labels[l] {
	case Negative:
		return true
	case Positive:
		return slices.ContainsFunc(it.Boxes, func(b Box) bool { return b.Label == l })
	}
	return false
}

// believed reports whether a detector looked for label l, and nobody else knows of it.
func (it *Item) believed(l int) bool {
	return it.Labels[l] == Unknown && l < len(it.Believed) && it.Believed[l]
}

// Set is a list of pictures with the labels that they are asked about.
type Set struct {
	Labels []string
	Items  []Item
	// Skipped counts what the reader left out and rightly so, by reason; Flaws are what
	// it left out because it is wrong.
	Skipped map[string]int
	Flaws   Flaws
	// Unasked counts what the data says of categories that are none of the labels.
	Unasked map[string]int
}

func newSet(labels []string) *Set {
	return &Set{Labels: labels, Skipped: map[string]int{}, Unasked: map[string]int{}}
}

// copied is the set with a list of pictures of its own.
func (s *Set) copied() *Set {
	out := *s
	out.Items = slices.Clone(s.Items)
	return &out
}

// Concat joins sets of the same labels.
func Concat(sets ...*Set) *Set {
	out := newSet(nil)
	for _, s := range sets {
		out.Labels = s.Labels
		out.Items = append(out.Items, s.Items...)
		for reason, n := range s.Skipped {
			out.Skipped[reason] += n
		}
		for category, n := range s.Unasked {
			out.Unasked[category] += n
		}
		out.Flaws.Add(s.Flaws)
	}
	return out
}

// Counts are, for each label, the pictures where it is unknown, negative and positive.
func (s *Set) Counts() map[string][3]int {
	out := map[string][3]int{}
	for l, name := range s.Labels {
		var n [3]int
		for _, it := range s.Items {
			n[it.Labels[l]]++
		}
		out[name] = n
	}
	return out
}

// Fingerprint is the SHA-256 of the names, sources, labels and boxes in their order: it
// changes when batches would, and not with the folder that the data lies in.
func (s *Set) Fingerprint() string {
	lines := make([]string, len(s.Items))
	for i, it := range s.Items {
		lines[i] = fmt.Sprintf("%s %s %v %v", it.Name, it.Source, it.Labels, it.Boxes)
		if it.Fixed {
			lines[i] += " fixed"
		}
		if it.Believed != nil {
			lines[i] += fmt.Sprintf(" believed %v", it.Beliefs)
		}
		if slices.Contains(it.Believed, false) {
			lines[i] += fmt.Sprintf(" of %v", it.Believed)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(s.Labels, ",") + "\n" + strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}

// Split divides the set by group: about fraction of the groups go to the second
// part. The same seed gives the same split.
func (s *Set) Split(fraction float64, seed uint64) (rest, part *Set) {
	var groups []string
	for _, it := range s.Items {
		groups = append(groups, it.Group)
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	rng := rand.New(rand.NewPCG(seed, 0x5317))
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	chosen := map[string]bool{}
	for _, g := range groups[:int(fraction*float64(len(groups))+0.5)] {
		chosen[g] = true
	}
	// What was left out stays with the first part, so that it is told once.
	rest, part = &Set{Labels: s.Labels, Skipped: s.Skipped, Flaws: s.Flaws, Unasked: s.Unasked}, &Set{Labels: s.Labels}
	for _, it := range s.Items {
		to := rest
		if chosen[it.Group] {
			to = part
		}
		to.Items = append(to.Items, it)
	}
	return rest, part
}

// Assume takes unknown labels for the given answer: a policy to compare with, not a
// recommendation. The set itself is not changed.
func (s *Set) Assume(answer State) *Set {
	out := s.copied()
	for i := range out.Items {
		it := &out.Items[i]
		it.Labels = slices.Clone(it.Labels)
		for l, state := range it.Labels {
			if state == Unknown {
				it.Labels[l] = answer
			}
		}
	}
	return out
}

// Hide makes each known label Unknown with probability fraction, and drops its
// boxes: missing labels on purpose, for experiments. The set itself is not changed.
func (s *Set) Hide(fraction float64, seed uint64) *Set {
	rng := rand.New(rand.NewPCG(seed, 0x41de))
	out := s.copied()
	for i := range out.Items {
		it := &out.Items[i]
		it.Labels = slices.Clone(it.Labels)
		for l := range it.Labels {
			if rng.Float64() < fraction {
				it.Labels[l] = Unknown
			}
		}
		it.Boxes = slices.DeleteFunc(slices.Clone(it.Boxes), func(b Box) bool { return it.Labels[b.Label] == Unknown })
	}
	return out
}

// Keep leaves each label known in n of the pictures that know it, drawn by the seed: so
// many labelled examples a task, for experiments. The set itself is not changed.
func (s *Set) Keep(n int, seed uint64) *Set {
	out := s.Hide(0, seed)
	rng := rand.New(rand.NewPCG(seed, 0x6b3e))
	for l := range s.Labels {
		left := n
		for _, i := range rng.Perm(len(out.Items)) {
			if it := &out.Items[i]; it.Labels[l] != Unknown {
				if left--; left < 0 {
					it.Labels[l] = Unknown
					it.Boxes = slices.DeleteFunc(it.Boxes, func(b Box) bool { return b.Label == l })
				}
			}
		}
	}
	return out
}
