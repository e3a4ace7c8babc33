package perception

import (
	"image"
	"slices"
	"testing"
)

func TestRegions(t *testing.T) {
	// Two parts that touch at a corner only, one cell under half of the peak, one too weak.
	p := []float32{
		.9, .8, 0, 0, .1,
		0, .7, 0, .4, 0,
		0, 0, .6, 0, .2,
	}
	var g regions
	for range 2 { // the second time in used memory
		got := g.find(p, 5)
		want := []image.Rectangle{image.Rect(0, 0, 2, 2), image.Rect(2, 2, 3, 3)}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if got := g.find([]float32{.1, .2, .1, .1}, 2); len(got) != 0 {
		t.Errorf("%v in a map where nothing stands out", got)
	}
}
