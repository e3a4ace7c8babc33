package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"perceive/camera/scene"
)

// Size of rendered pictures that have none of their own.
const sceneWidth, sceneHeight = 448, 256

// maxScenes bounds a rendered set: each picture is drawn once for its truth.
const maxScenes = 1_000_000

// openScene renders COUNT independent pictures whose every label is known. The options
// hide=FRACTION and known=N make labels unknown on purpose; presence=1 leaves no boxes.
func openScene(r request) (*Set, error) {
	r.what = "scene:" + r.what
	if err := r.only("seed", "hide", "known", "presence"); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(r.what[len("scene:"):])
	if err != nil || n < 1 || n > maxScenes {
		return nil, fmt.Errorf("dataset: %s: %w: want a number of pictures from 1 to %d", r.what, ErrURI, maxScenes)
	}
	seed, err := whole(r.what, r.query, "seed", 1<<32-1)
	if err != nil {
		return nil, err
	}
	known, err := whole(r.what, r.query, "known", maxScenes)
	if err != nil {
		return nil, err
	}
	hide := 0.0
	if r.query.Has("hide") {
		if hide, err = strconv.ParseFloat(r.query.Get("hide"), 64); err != nil || !(hide >= 0 && hide < 1) {
			return nil, fmt.Errorf("dataset: %s: %w: option hide=%s: want 0 or more, and less than 1", r.what, ErrURI, r.query.Get("hide"))
		}
	}
	presence, err := flag(r.what, r.query, "presence")
	if err != nil {
		return nil, err
	}
	set := newSet(r.labels)
	set.Items = drawScenes(seed<<32, n, r.labels)
	if err := set.covers(); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", r.what, err)
	}
	if presence {
		// All tasks alike, whatever their number: none has boxes, no picture is moved.
		for i := range set.Items {
			set.Items[i].Boxes, set.Items[i].Fixed = nil, true
		}
	}
	set = set.Hide(hide, seed)
	if r.query.Has("known") {
		set = set.Keep(int(known), seed)
	}
	return set, nil
}

// whole reads an option that is a whole number, 0 where it is not given.
func whole(uri string, query url.Values, key string, most uint64) (uint64, error) {
	if !query.Has(key) {
		return 0, nil
	}
	v, err := strconv.ParseUint(query.Get(key), 10, 64)
	if err != nil || v > most {
		return 0, fmt.Errorf("dataset: %s: %w: option %s=%s: want a whole number up to %d", uri, ErrURI, key, query.Get(key), most)
	}
	return v, nil
}

// drawScenes works out the truth of n scenes on every core.
func drawScenes(first uint64, n int, labels []string) []Item {
	items := make([]Item, n)
	var next atomic.Int64
	g, _ := errgroup.WithContext(context.Background())
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for {
				i := next.Add(1) - 1
				if i >= int64(n) {
					return nil
				}
				items[i] = sceneItem(first+uint64(i), labels)
			}
		})
	}
	g.Wait() // no worker fails
	return items
}

// sceneItem is one rendered picture. The truth is worked out here, the pixels when the
// cache asks for them.
func sceneItem(seed uint64, labels []string) Item {
	name := fmt.Sprintf("scene %d", seed)
	it := Item{Name: name, Group: name, Source: "scene", Labels: make([]State, len(labels)),
		Key: fmt.Sprintf("%s, %dx%d, renderer %s", name, sceneWidth, sceneHeight, rendererProbe())}
	_, truth := scene.Still(seed, sceneWidth, sceneHeight)
	for l, label := range labels {
		ask, known := sceneTask(label)
		if !known {
			continue
		}
		it.Labels[l] = Negative
		if ask(&truth, sceneWidth, sceneHeight) {
			it.Labels[l] = Positive
		}
		it.Fixed = it.Fixed || !slices.Contains(scene.Labels(), label)
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

// rendererProbe is a digest of a few scenes: where the renderer draws them otherwise, what
// was kept of others is no longer what it would draw.
var rendererProbe = sync.OnceValue(func() string {
	sum := sha256.New()
	for seed := range uint64(8) {
		bgr, truth := scene.Still(seed, 160, 90)
		sum.Write(bgr)
		fmt.Fprint(sum, truth.Boxes)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
})
