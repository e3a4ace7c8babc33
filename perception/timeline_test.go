package perception_test

import (
	"image"
	"testing"
	"time"

	"perceive/camera"
	"perceive/perception"
)

// Under the picture each label is bright while it is on, dark while it is off and grey where nobody
// knows; what has not come yet is empty. Small pictures are enlarged.
func TestTimeline(t *testing.T) {
	for _, size := range []image.Point{{1280, 720}, {640, 360}, {320, 240}} {
		labels := []perception.HeaderLabel{{Label: "car", Threshold: 0.5}}
		p := perception.NewPainter(labels, size.X, size.Y)
		defer p.Close()
		if got := p.Size(); got.X < 560 || got.X%size.X != 0 || got.Y <= size.Y*got.X/size.X {
			t.Errorf("%v is painted with %v pixels", size, got)
		}
		p.Timeline(40 * time.Second)
		f := camera.NewFrame(size.X, size.Y, nil)
		var last *camera.Frame
		for i := range 30 { // ten seconds on, ten off, ten unknown, and ten that have not come
			r := perception.Result{Seq: uint64(i), Time: time.Duration(i) * time.Second, Status: perception.OK, Answers: []perception.Answer{{P: 1, State: perception.On}}}
			switch {
			case i >= 20:
				r.Status, r.Answers = perception.Black, nil
			case i >= 10:
				r.Answers[0].State = perception.Off
			}
			var err error
			if last, err = p.Paint(&r, f); err != nil {
				t.Fatal(err)
			}
		}
		seen := map[[3]byte]int{}
		y := last.Height - (last.Height-size.Y*last.Width/size.X)/2
		var order [][3]byte
		on, off, grey, empty := [3]byte{0, 159, 230}, [3]byte{16, 69, 92}, [3]byte{120, 120, 120}, [3]byte{24, 24, 24}
		for x := range last.Width {
			c := [3]byte(last.Pix[y*last.Stride+3*x:])
			if c != on && seen[on] == 0 {
				continue // the label's name
			}
			if seen[c]++; seen[c] == 20 {
				order = append(order, c)
			}
		}
		want := [][3]byte{on, off, grey, empty}
		if len(order) == 4 {
			for i := range want {
				if order[i] != want[i] {
					t.Errorf("%v: colour %d is %v, want %v", size, i, order[i], want[i])
				}
			}
		} else {
			t.Errorf("%v: colours %v", size, order)
		}
	}
}
