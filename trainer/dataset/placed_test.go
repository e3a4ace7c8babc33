package dataset

import (
	"image"
	"testing"
)

// A picture of 64×48 in an input of 64×32 is 43×32, 10 pixels from the left: scale 2/3.
func TestPlaced(t *testing.T) {
	set := &Set{Labels: []string{"car"}, Items: []Item{{Name: "a", Labels: []State{Positive}, Pixels: func() (int, int, []byte, error) {
		return 64, 48, make([]byte, 3*64*48), nil
	}}}}
	c, err := NewInputs(t.Context(), set, 64, 32, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Placed(0, Box{0, 6, 12, 30, 24}), image.Rect(14, 8, 34, 24); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
