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
	// Pixels, if not nil, is the picture itself, W×H BGR, for sets that have no files; Key,
	// if not "", says which picture, so that it can be kept from one start to the next.
	Pixels func() (w, h int, bgr []byte, err error)
	Key    string
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

// Concat joins sets of the same labels.
func Concat(sets ...*Set) *Set {
	out := &Set{Skipped: map[string]int{}, Unasked: map[string]int{}}
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
	}
	sum := sha256.Sum256([]byte(strings.Join(s.Labels, ",") + "\n" + strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}
