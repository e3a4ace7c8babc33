package dataset

import "testing"

// Only what nobody looked for is left to the loss: not what is known, what a detector looked
// for, or what somebody saw and a crop cut in half.
func TestMarkUnlooked(t *testing.T) {
	all := affine{1, 0, 0, 0, 1, 0}
	window := rect{0, 0, 64, 32}
	cut := Item{Labels: []State{Positive}, Boxes: []Box{{0, -30, 8, 32, 16}}} // 2 of 32 pixels show
	for name, tc := range map[string]struct {
		items []*Item
		want  float32
	}{
		"nobody looked":           {[]*Item{{Labels: []State{Unknown}}}, -1},
		"negative":                {[]*Item{{Labels: []State{Negative}}}, 1},
		"a detector looked":       {[]*Item{{Labels: []State{Unknown}, Believed: []bool{true}}}, trust},
		"cut":                     {[]*Item{&cut}, 0},
		"one cut, one not looked": {[]*Item{&cut, {Labels: []State{Unknown}}}, 0},
		"one no, one not looked":  {[]*Item{{Labels: []State{Negative}}, {Labels: []State{Unknown}}}, -1},
	} {
		var lay layout
		for _, it := range tc.items {
			lay.views = append(lay.views, view{it: it, m: all, scale: 1, window: window})
		}
		teach := Teach{make([]float32, 32), make([]float32, 32), make([]float32, 1), make([]float32, 1)}
		teach.teach(&lay, 64, 32)
		teach.markUnlooked(&lay)
		if got := teach.PresenceMask[0]; got != tc.want {
			t.Errorf("%s: mask %g, want %g", name, got, tc.want)
		}
	}
}
