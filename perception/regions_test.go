package perception

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"perceive/camera"
)

// laid is a grid of so many cells over a frame in an input.
func laid(t testing.TB, frame, input, cells image.Point) *grid {
	t.Helper()
	p, err := camera.Place(frame.X, frame.Y, input.X, input.Y)
	if err != nil {
		t.Fatal(err)
	}
	g := newGrid(p, frame, input, cells)
	return &g
}

// Every cell that sees the frame is found again in frame pixels; those of the padding
// are left out. The input is 320×192 in cells of 8, as the road model's is; rectangles
// worked out by hand.
func TestCellsToPixels(t *testing.T) {
	input, cells := image.Pt(320, 192), image.Pt(40, 24)
	for _, tc := range []struct {
		name    string
		frame   image.Point
		picture image.Rectangle
		pixels  map[image.Point]image.Rectangle
	}{
		// Scale 1/4, 6 rows of padding above: the upper row of cells sees 2 rows of the picture.
		{"wide", image.Pt(1280, 720), image.Rect(0, 0, 40, 24), map[image.Point]image.Rectangle{
			{0, 0}: image.Rect(0, 0, 32, 8), {0, 1}: image.Rect(0, 8, 32, 40), {39, 12}: image.Rect(1248, 360, 1280, 392), {39, 23}: image.Rect(1248, 712, 1280, 720)}},
		// Scale 1/4, 56 rows of padding above and below: 7 cells.
		{"very wide", image.Pt(1280, 320), image.Rect(0, 7, 40, 17), map[image.Point]image.Rectangle{
			{0, 7}: image.Rect(0, 0, 32, 32), {39, 16}: image.Rect(1248, 288, 1280, 320)}},
		// Scale 192/720, picture 108 wide, padding 106: cells 13 and 26 see a part of it.
		{"tall", image.Pt(405, 720), image.Rect(13, 0, 27, 24), map[image.Point]image.Rectangle{
			{13, 0}: image.Rect(0, 0, 23, 30), {14, 1}: image.Rect(22, 30, 53, 60), {26, 23}: image.Rect(382, 690, 405, 720)}},
		{"of the input's shape", image.Pt(640, 384), image.Rect(0, 0, 40, 24), map[image.Point]image.Rectangle{
			{0, 0}: image.Rect(0, 0, 16, 16), {39, 23}: image.Rect(624, 368, 640, 384)}},
		{"of thirds", image.Pt(960, 576), image.Rect(0, 0, 40, 24), map[image.Point]image.Rectangle{
			{0, 0}: image.Rect(0, 0, 24, 24), {7, 7}: image.Rect(168, 168, 192, 192)}},
		{"smaller than the grid", image.Pt(10, 6), image.Rect(0, 0, 40, 24), map[image.Point]image.Rectangle{
			{0, 0}: image.Rect(0, 0, 1, 1), {39, 23}: image.Rect(9, 5, 10, 6)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := laid(t, tc.frame, input, cells)
			if g.picture != tc.picture {
				t.Fatalf("cells %v see the frame, want %v", g.picture, tc.picture)
			}
			for at, want := range tc.pixels {
				if got := g.pixels(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))}); got != want {
					t.Errorf("cell %v is %v, want %v", at, got, want)
				}
			}
			if got := g.pixels(g.picture); got != (image.Rectangle{Max: tc.frame}) {
				t.Errorf("all cells are %v, want the frame %v", got, tc.frame)
			}
		})
	}
}

func TestFind(t *testing.T) {
	for _, tc := range []struct {
		name  string
		frame image.Point // the input is 40×24, its cells 8×8
		p     []float32
		peak  Peak
		boxes []Box
	}{
		// Two parts that touch at a corner only, one cell under half of the peak, one too weak.
		{"parts", image.Pt(40, 24), []float32{
			.7, .8, 0, 0, .1,
			0, .7, 0, .4, 0,
			0, 0, .9, 0, .2,
		}, Peak{image.Pt(20, 20), .9}, []Box{{image.Rect(16, 16, 24, 24), .9}, {image.Rect(0, 0, 16, 16), .8}}},
		{"equals in reading order", image.Pt(80, 48), []float32{
			0, .5, 0, 0, 0,
			0, 0, 0, .5, 0,
			.5, 0, 0, 0, 0,
		}, Peak{image.Pt(24, 8), .5}, []Box{{image.Rect(16, 0, 32, 16), .5}, {image.Rect(48, 16, 64, 32), .5}, {image.Rect(0, 32, 16, 48), .5}}},
		{"faint", image.Pt(40, 24), []float32{
			.1, .2, .1, .1, .1,
			.1, .1, .1, .1, .1,
			.1, .1, .1, .1, .1,
		}, Peak{image.Pt(12, 4), .2}, nil},
		{"nothing", image.Pt(40, 24), make([]float32, 15), Peak{}, nil},
		// A frame of 40×8 lies in the middle row.
		{"the padding has no say", image.Pt(40, 8), []float32{
			.9, .9, .9, .9, .9,
			0, .6, 0, 0, .6,
			.9, .9, .9, .9, .9,
		}, Peak{image.Pt(12, 4), .6}, []Box{{image.Rect(8, 0, 16, 8), .6}, {image.Rect(32, 0, 40, 8), .6}}},
		// A frame of 40×12 has half of the outer rows' cells and 2 rows of pixels of each.
		{"half in the padding", image.Pt(40, 12), []float32{
			.9, .9, 0, 0, 0,
			0, 0, 0, 0, 0,
			0, 0, 0, 0, .5,
		}, Peak{image.Pt(4, 1), .9}, []Box{{image.Rect(0, 0, 16, 2), .9}, {image.Rect(32, 10, 40, 12), .5}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := laid(t, tc.frame, image.Pt(40, 24), image.Pt(5, 3))
			var f finder
			for range 2 { // the second time in used memory
				got := f.find(tc.p, g, make([]Box, 0, maxBoxes))
				if got.Peak != tc.peak || !slices.Equal(got.Boxes, tc.boxes) || got.Known() != (tc.peak.P > 0) {
					t.Errorf("%+v, want %v %v", got, tc.peak, tc.boxes)
				}
			}
		})
	}
}

// Of more parts than there is room for, the strongest stay.
func TestFindKeepsTheStrongest(t *testing.T) {
	g := laid(t, image.Pt(40*8, 8), image.Pt(40*8, 8), image.Pt(40, 1))
	p := make([]float32, 40)
	for i := range 20 { // a comb of single cells: .50, .57, .64 … in a scattered order
		p[2*i] = 0.5 + 0.01*float32(i*7%20)
	}
	var f finder
	got := f.find(p, g, make([]Box, 0, maxBoxes))
	if len(got.Boxes) != maxBoxes {
		t.Fatalf("%d boxes, want %d", len(got.Boxes), maxBoxes)
	}
	for i, b := range got.Boxes {
		if want := 0.5 + 0.01*float32(19-i); b.P != want {
			t.Errorf("box %d has %v, want %v", i, b.P, want)
		}
	}
}

// holds checks what is promised of any place in any frame.
func holds(t *testing.T, w Where, frame image.Point) {
	t.Helper()
	whole := image.Rectangle{Max: frame}
	if w.Known() && !w.Peak.In(whole) {
		t.Errorf("the peak %v is not in the frame %v", w.Peak, frame)
	}
	if len(w.Boxes) > maxBoxes {
		t.Errorf("%d boxes", len(w.Boxes))
	}
	for i, b := range w.Boxes {
		switch {
		case b.Empty() || !b.In(whole):
			t.Errorf("box %v is empty or not in the frame %v", b, frame)
		case i == 0 && (!w.Peak.In(b.Rectangle) || b.P != w.Peak.P):
			t.Errorf("the first box %v does not hold the peak %v", b, w.Peak)
		case i > 0 && b.P > w.Boxes[i-1].P:
			t.Errorf("box %d is stronger than the one before", i)
		}
	}
}

// Frames, inputs and grids of any size, also those that do not divide.
func FuzzWhereIsInTheFrame(f *testing.F) {
	f.Add(uint16(1280), uint16(720), uint16(320), uint16(192), uint8(40), uint8(24), uint64(1))
	f.Add(uint16(1), uint16(1000), uint16(320), uint16(192), uint8(40), uint8(24), uint64(2))
	f.Add(uint16(3), uint16(2), uint16(7), uint16(1), uint8(200), uint8(255), uint64(3))
	f.Add(uint16(65535), uint16(1), uint16(333), uint16(91), uint8(17), uint8(13), uint64(4))
	f.Fuzz(func(t *testing.T, w, h, inW, inH uint16, across, down uint8, seed uint64) {
		frame, input, cells := image.Pt(int(w), int(h)), image.Pt(int(inW), int(inH)), image.Pt(int(across), int(down))
		if w == 0 || h == 0 || inW == 0 || inH == 0 || across == 0 || down == 0 {
			t.Skip()
		}
		g := laid(t, frame, input, cells)
		if g.picture.Empty() || !g.picture.In(image.Rectangle{Max: cells}) {
			t.Fatalf("cells %v of %v see the frame", g.picture, cells)
		}
		r := rand.New(rand.NewPCG(seed, 0))
		p := make([]float32, cells.X*cells.Y)
		for i := range p {
			p[i] = max(0, 1.5*r.Float32()-0.5)
		}
		var find finder
		holds(t, find.find(p, g, make([]Box, 0, maxBoxes)), frame)
	})
}

// An object drawn into a frame of any shape comes back where it was: the cells that it
// covers in the input, found and mapped back, hold it with a cell's width to spare.
func TestThereAndBack(t *testing.T) {
	input, cells := image.Pt(320, 192), image.Pt(40, 24)
	r := rand.New(rand.NewPCG(7, 7))
	for _, frame := range []image.Point{{1280, 720}, {640, 360}, {1920, 1080}, {500, 300}, {720, 1280}, {333, 777}, {2000, 250}, {320, 192}} {
		for range 50 {
			thing := image.Rect(r.IntN(frame.X), r.IntN(frame.Y), r.IntN(frame.X), r.IntN(frame.Y))
			if thing.Empty() {
				continue
			}
			t.Run(fmt.Sprint(frame, thing), func(t *testing.T) {
				g := laid(t, frame, input, cells)
				x0, y0 := g.place.ToInput(float64(thing.Min.X), float64(thing.Min.Y))
				x1, y1 := g.place.ToInput(float64(thing.Max.X), float64(thing.Max.Y))
				p := make([]float32, cells.X*cells.Y)
				for y := range cells.Y {
					for x := range cells.X {
						if float64(8*x) < x1 && x0 < float64(8*x+8) && float64(8*y) < y1 && y0 < float64(8*y+8) {
							p[y*cells.X+x] = 0.9
						}
					}
				}
				var f finder
				w := f.find(p, g, make([]Box, 0, maxBoxes))
				spare := int(8/g.place.Scale) + 1
				if len(w.Boxes) != 1 || !thing.In(w.Boxes[0].Rectangle) || !w.Boxes[0].In(thing.Inset(-spare)) {
					t.Errorf("%v, want it around %v within %d pixels", w, thing, spare)
				}
			})
		}
	}
}

// BenchmarkFind is one label's map of the road model's size in a 720p frame.
func BenchmarkFind(b *testing.B) {
	g := laid(b, image.Pt(1280, 720), image.Pt(320, 192), image.Pt(40, 24))
	for name, busy := range map[string]int{"faint": 0, "one part": 1, "every other cell": 480} {
		b.Run(name, func(b *testing.B) {
			p := make([]float32, 40*24)
			for i := range p {
				p[i] = 0.01
			}
			for i := range busy {
				p[2*i+i/20%2] = 0.9
			}
			boxes := make([]Box, 0, maxBoxes)
			var f finder
			b.ReportAllocs()
			for b.Loop() {
				f.find(p, g, boxes)
			}
		})
	}
}
