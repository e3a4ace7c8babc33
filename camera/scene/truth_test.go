package scene

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Without an object the picture differs inside its box and nowhere else, apart
// from its shadow and the shine of its lamps, which the box leaves out.
func TestBoxesAreWhereThingsAre(t *testing.T) {
	const w, h = 640, 384
	checked := map[string]int{}
	for seed := range uint64(40) {
		world := newDrive(Config{Seed: seed}.withDefaults())
		// At night the outside changes too, by the light of the thing's own lamps.
		shines := world.air.lamps > 0
		p := newPainter(w, h)
		p.watch()
		at := 1.5 * float64(seed%5)
		full, without := make([]byte, 3*w*h), make([]byte, 3*w*h)
		p.render(full, world, at, 0)
		for _, f := range found2boxes(p) {
			p.skip = f.index
			p.render(without, world, at, 0)
			changed, outside := changes(full, without, w, f.box)
			if area := area(f.box); float64(changed) < 0.1*area {
				t.Errorf("seed %d: without the %s at %v only %d of %.0f pixels of its box change", seed, f.label, f.box, changed, area)
			}
			// A sign's pole, a shadow or a brake lamp's shine: never the most of a change.
			if !shines && outside > 2*changed && outside > 400 && f.label != StopSign && f.label != TrafficLight {
				t.Errorf("seed %d: without the %s at %v %d pixels outside of its box change, %d inside", seed, f.label, f.box, outside, changed)
			}
			checked[f.label]++
		}
		p.skip = -1
	}
	for _, l := range Labels() {
		if checked[l] < 5 {
			t.Errorf("only %d of %s were checked", checked[l], l)
		}
	}
}

// found2boxes returns what the truth of the last picture names, with actor indices.
func found2boxes(p *painter) []found {
	t, _ := p.truth(p.canvas.w, p.canvas.h)
	var out []found
	for _, b := range t.Boxes {
		for _, f := range p.found {
			if f.label == b.Label && f.seen && float64(f.box[0]) == b.X && float64(f.box[1]) == b.Y {
				out = append(out, f)
				break
			}
		}
	}
	return out
}

// changes counts the pixels that differ by more than a touch, in and outside of a box.
func changes(a, b []byte, w int, box [4]float32) (inside, outside int) {
	for i := 0; i < len(a); i += 3 {
		d := 0
		for k := range 3 {
			d = max(d, int(math.Abs(float64(a[i+k])-float64(b[i+k]))))
		}
		if d < 6 {
			continue
		}
		x, y := float32(i/3%w), float32(i/3/w)
		if x >= box[0]-1 && x <= box[2] && y >= box[1]-1 && y <= box[3] {
			inside++
		} else {
			outside++
		}
	}
	return
}

func TestTruthIsSound(t *testing.T) {
	check := func(t *testing.T, tr Truth, w, h float64) {
		t.Helper()
		has := map[string]bool{Pedestrian: false, Car: false, StopSign: false, TrafficLight: false}
		for _, b := range tr.Boxes {
			has[b.Label] = true
			if b.X < 0 || b.Y < 0 || b.W <= 0 || b.H < .03*h || b.X+b.W > w+.01 || b.Y+b.H > h+.01 {
				t.Errorf("box %+v in a picture of %.0f×%.0f", b, w, h)
			}
		}
		if diff := cmp.Diff(has, tr.Labels); diff != "" {
			t.Errorf("labels against boxes: -boxes +labels\n%s", diff)
		}
		if tr.Light == "" || tr.Weather == "" {
			t.Error("light or weather is missing")
		}
	}
	for seed := range uint64(30) {
		pix, tr := Still(seed, 320, 192)
		if len(pix) != 3*320*192 {
			t.Fatalf("%d bytes", len(pix))
		}
		check(t, tr, 320, 192)
	}
	c := Config{Seed: 2}
	for seq := uint64(0); seq < 100; seq += 9 {
		check(t, c.TruthAt(seq), 1280, 720)
	}
	end := c.TruthAt(100)
	check(t, end, 1280, 720)
	if len(end.Boxes) != 0 {
		t.Error("a frame past the end of the drive has objects")
	}
	// The boxes of a large picture are those of a small one, enlarged.
	small, large := Config{Seed: 2, Width: 640, Height: 360}.TruthAt(20), c.TruthAt(20)
	for i := range small.Boxes {
		b := &small.Boxes[i]
		*b = Box{b.Label, 2 * b.X, 2 * b.Y, 2 * b.W, 2 * b.H}
	}
	if diff := cmp.Diff(small, large); diff != "" {
		t.Errorf("-small +large\n%s", diff)
	}
}

// Data sets of stills are balanced without sampling tricks.
func TestStillBalance(t *testing.T) {
	const n = 200
	count, light, weather, many := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	empty := 0
	for seed := range uint64(n) {
		_, tr := Still(seed, 320, 192)
		per := map[string]int{}
		for _, b := range tr.Boxes {
			per[b.Label]++
		}
		for l, k := range per {
			count[l]++
			if k > 1 {
				many[l]++
			}
		}
		if len(tr.Boxes) == 0 {
			empty++
		}
		light[tr.Light]++
		weather[tr.Weather]++
	}
	t.Log("stills with", count, "several of", many, "none", empty, light, weather)
	for _, l := range Labels() {
		if k := count[l]; k < n*40/100 || k > n*60/100 {
			t.Errorf("%s is in %d of %d stills, want 40 to 60 %%", l, k, n)
		}
		if many[l] < n/20 {
			t.Errorf("only %d stills have several of %s", many[l], l)
		}
	}
	if empty < n/25 || empty > n/4 {
		t.Errorf("%d of %d stills have none of the labels", empty, n)
	}
	for name, m := range map[string]map[string]int{"light": light, "weather": weather} {
		for _, k := range m {
			if len(m) != 3 || k < n/10 {
				t.Errorf("%s of %d stills: %v", name, n, m)
			}
		}
	}
}

// Every label comes up in the drives, and comes and goes.
func TestDrivesShowEverything(t *testing.T) {
	on, off := map[string]int{}, map[string]int{}
	for seed := range uint64(12) {
		c := Config{Seed: seed, Width: 640, Height: 360}
		for seq := uint64(0); seq < 100; seq += 12 {
			for l, v := range c.TruthAt(seq).Labels {
				if v {
					on[l]++
				} else {
					off[l]++
				}
			}
		}
	}
	t.Log("frames with", on, "without", off)
	for _, l := range Labels() {
		if on[l] < 10 || off[l] < 10 {
			t.Errorf("%s: in %d frames, not in %d", l, on[l], off[l])
		}
	}
}

// Every seed ends: what is left out of a still can be several things, in any order.
func TestManyStills(t *testing.T) {
	for seed := range uint64(600) {
		if _, truth := Still(seed, 112, 64); len(truth.Labels) != 4 {
			t.Fatalf("seed %d: %+v", seed, truth)
		}
	}
}
