package dataset

import (
	"fmt"
	"slices"
	"strconv"

	"perceive/camera/scene"
)

// Size of rendered pictures that have none of their own.
const sceneWidth, sceneHeight = 448, 256

// maxScenes bounds a rendered set: each picture is drawn and kept in memory.
const maxScenes = 1_000_000

// openScene renders COUNT independent pictures whose every label is known. The option
// hide=FRACTION makes labels unknown on purpose.
func openScene(r request) (*Set, error) {
	count, query, labels := r.what, r.query, r.labels
	uri := "scene:" + count
	if err := r.only("seed", "hide"); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > maxScenes {
		return nil, fmt.Errorf("dataset: %s: %w: want a number of pictures from 1 to %d", uri, ErrURI, maxScenes)
	}
	seed, hide := uint64(0), 0.0
	if query.Has("seed") {
		if seed, err = strconv.ParseUint(query.Get("seed"), 10, 32); err != nil {
			return nil, fmt.Errorf("dataset: %s: %w: option seed=%s: want a whole number", uri, ErrURI, query.Get("seed"))
		}
	}
	if query.Has("hide") {
		if hide, err = strconv.ParseFloat(query.Get("hide"), 64); err != nil || !(hide >= 0 && hide < 1) {
			return nil, fmt.Errorf("dataset: %s: %w: option hide=%s: want 0 or more, and less than 1", uri, ErrURI, query.Get("hide"))
		}
	}
	set := &Set{Labels: labels, Skipped: map[string]int{}}
	for i := range n {
		set.Items = append(set.Items, sceneItem(seed<<32+uint64(i), labels))
	}
	if err := set.covers(); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", uri, err)
	}
	return set.Hide(hide, seed), nil
}

// sceneItem is one rendered picture. The truth is worked out here, the pixels when the
// cache asks for them.
func sceneItem(seed uint64, labels []string) Item {
	name := fmt.Sprintf("scene %d", seed)
	it := Item{Name: name, Group: name, Source: "scene", Labels: make([]State, len(labels))}
	_, truth := scene.Still(seed, sceneWidth, sceneHeight)
	for l, label := range labels {
		if there, known := truth.Labels[label]; known && there {
			it.Labels[l] = Positive
		} else if known {
			it.Labels[l] = Negative
		}
	}
	for _, b := range truth.Boxes {
		if l := slices.Index(labels, b.Label); l >= 0 {
			it.Boxes = append(it.Boxes, Box{l, b.X, b.Y, b.W, b.H})
		}
	}
	it.Pixels = func() (int, int, []byte, error) {
		bgr, _ := scene.Still(seed, sceneWidth, sceneHeight)
		return sceneWidth, sceneHeight, bgr, nil
	}
	return it
}
