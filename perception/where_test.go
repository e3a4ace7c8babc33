package perception_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"perceive/camera"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model/modeltest"
)

// thresholds sets those of the tiny model's two labels.
func thresholds(bright, red float32) func(*models.Manifest) {
	return func(m *models.Manifest) { m.Labels[0].Threshold, m.Labels[1].Threshold = bright, red }
}

// lit is a black frame with one rectangle of grey 240.
func lit(w, h int, r image.Rectangle) *camera.Frame {
	f := camera.NewFrame(w, h, nil)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := 3 * r.Min.X; x < 3*r.Max.X; x++ {
			f.Pix[y*f.Stride+x] = 240
		}
	}
	return f
}

// The tiny model's input is 16×16 and its maps are the means of the four quarters: what
// is lit in the frame is found in the frame's own pixels, whatever its shape.
func TestWhere(t *testing.T) {
	d := detectorOf(t, modeltest.File(t, thresholds(0.1, 0.9)))
	for _, tc := range []struct {
		name string
		f    *camera.Frame
		peak perception.Peak
		box  []image.Rectangle
	}{
		{"square, lower right", lit(32, 32, image.Rect(16, 16, 32, 32)), perception.Peak{Point: image.Pt(24, 24), P: 240. / 255}, []image.Rectangle{image.Rect(16, 16, 32, 32)}},
		// Half of each cell is padding, which is black.
		{"wide, right half", lit(64, 32, image.Rect(32, 0, 64, 32)), perception.Peak{Point: image.Pt(48, 8), P: 120. / 255}, []image.Rectangle{image.Rect(32, 0, 64, 32)}},
		{"tall, lower half", lit(32, 64, image.Rect(0, 32, 32, 64)), perception.Peak{Point: image.Pt(8, 48), P: 120. / 255}, []image.Rectangle{image.Rect(0, 32, 32, 64)}},
		{"two corners", lit(32, 32, image.Rect(0, 0, 16, 16)), perception.Peak{Point: image.Pt(8, 8), P: 240. / 255}, []image.Rectangle{image.Rect(0, 0, 16, 16), image.Rect(16, 16, 32, 32)}},
		{"on, and nothing stands out", lit(32, 32, image.Rect(8, 8, 24, 24)), perception.Peak{Point: image.Pt(8, 8), P: 60. / 255}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "two corners" {
				for y := 16; y < 32; y++ {
					for x := 3 * 16; x < 3*32; x++ {
						tc.f.Pix[y*tc.f.Stride+x] = 200
					}
				}
			}
			var r perception.Result
			for range 2 { // the second time in used memory
				d.Detect(t.Context(), tc.f, &r)
				if r.Status != perception.OK || r.Answers[0].State != perception.On || r.Answers[1].State == perception.On {
					t.Fatalf("%+v: want bright alone", r)
				}
				w := r.Answers[0].Where
				if w.Peak.Point != tc.peak.Point || math.Abs(float64(w.Peak.P-tc.peak.P)) > 1e-5 {
					t.Errorf("peak %+v, want %+v", w.Peak, tc.peak)
				}
				var got []image.Rectangle
				for _, b := range w.Boxes {
					got = append(got, b.Rectangle)
				}
				if !slices.Equal(got, tc.box) {
					t.Errorf("boxes %v, want %v", got, tc.box)
				}
				if w := r.Answers[1].Where; w.Known() || w.Boxes != nil {
					t.Errorf("red is off, and was seen at %+v", w)
				}
			}
		})
	}
}

// A model without maps says nothing of where, nor does a black map.
func TestWhereIsNotKnown(t *testing.T) {
	noMaps := func(m *models.Manifest) { thresholds(0.1, 0.1)(m); m.Outputs.Maps = "" }
	for name, tc := range map[string]struct {
		spoil func(*models.Manifest)
		level byte
	}{"no maps": {noMaps, 240}, "a black map": {thresholds(0, 0), 0}} {
		t.Run(name, func(t *testing.T) {
			d := detectorOf(t, modeltest.File(t, tc.spoil))
			f := camera.NewFrame(32, 32, nil)
			for i := range f.Pix {
				f.Pix[i] = tc.level
			}
			var r perception.Result
			d.Detect(t.Context(), f, &r)
			if r.Status != perception.OK || r.Answers[0].State != perception.On || r.Answers[0].Where.Known() {
				t.Errorf("%+v: want on, and nothing of where", r)
			}
			var b bytes.Buffer
			j, err := perception.NewJSONL(&b, perception.NewHeader(d, camera.Info{}, "test"))
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Emit(context.Background(), &r, f); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil || strings.Contains(b.String(), "where") {
				t.Errorf("%v: says %s", err, b.String())
			}
		})
	}
}

// The line itself: several boxes, none, and nothing known.
func TestWhereInJSONLines(t *testing.T) {
	var b bytes.Buffer
	head := perception.Header{Labels: []perception.HeaderLabel{{Label: "car"}, {Label: "sign"}, {Label: "light"}}}
	j, err := perception.NewJSONL(&b, head)
	if err != nil {
		t.Fatal(err)
	}
	at := func(x, y int, p float32) perception.Peak { return perception.Peak{Point: image.Pt(x, y), P: p} }
	r := perception.Result{Seq: 3, Status: perception.OK, Answers: []perception.Answer{
		{P: 0.98, State: perception.On, Where: perception.Where{Peak: at(880, 440, 0.87), Boxes: []perception.Box{
			{Rectangle: image.Rect(800, 392, 960, 488), P: 0.87}, {Rectangle: image.Rect(0, 0, 32, 8), P: 0.5}}}},
		{P: 0.5, State: perception.On, Where: perception.Where{Peak: at(0, 7, 0.00004)}},
		{P: 0.9, State: perception.On},
	}}
	if err := j.Emit(t.Context(), &r, nil); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(b.String(), "\n")
	const want = `{"seq":3,"t_ms":0,"status":"ok","labels":[` +
		`{"label":"car","p":0.9800,"state":"on","where":{"peak":{"xy":[880,440],"p":0.8700},"boxes":[{"xywh":[800,392,160,96],"p":0.8700},{"xywh":[0,0,32,8],"p":0.5000}]}},` +
		`{"label":"sign","p":0.5000,"state":"on","where":{"peak":{"xy":[0,7],"p":0.0000},"boxes":[]}},` +
		`{"label":"light","p":0.9000,"state":"on"}]}` + "\n"
	if line != want {
		t.Errorf("the line is\n%s\nwant\n%s", line, want)
	}
}

// What is no probability in a map is no place either: one weight is made so large that
// red's map leaves 0..1 where there is something red, while its mean stays below 1.
func TestMapOfNoProbabilities(t *testing.T) {
	file := modeltest.File(t, func(m *models.Manifest) { thresholds(0.9, 0.1)(m); m.GraphSHA256, m.Golden = "", nil })
	weight := func(v float32) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)) }
	mix := func(red float32) []byte { return slices.Concat(weight(0), weight(0), weight(red)) }
	if !bytes.Contains(file, mix(1)) {
		t.Fatal("the tiny model's weights are not as expected")
	}
	d := detectorOf(t, bytes.Replace(file, mix(1), mix(2), 1))
	var r perception.Result
	d.Detect(t.Context(), lit(32, 32, image.Rect(0, 0, 16, 16)), &r)
	if r.Status != perception.Failed || len(r.Answers) != 0 || !strings.Contains(r.Reason, `map of "red"`) {
		t.Errorf("%+v: want failed, with the label's name", r)
	}
}

// Finding places, and writing them down, allocates nothing once warm.
func TestWhereAllocatesNothing(t *testing.T) {
	d := detectorOf(t, modeltest.File(t, thresholds(0.1, 0.1)))
	j, err := perception.NewJSONL(&bytes.Buffer{}, perception.NewHeader(d, camera.Info{}, "test"))
	if err != nil {
		t.Fatal(err)
	}
	var r perception.Result
	f := lit(64, 32, image.Rect(32, 0, 64, 32))
	d.Detect(t.Context(), f, &r)
	if len(r.Answers[0].Where.Boxes) == 0 {
		t.Fatalf("%+v: want a box", r)
	}
	if n := testing.AllocsPerRun(100, func() {
		d.Detect(context.Background(), f, &r)
		if err := j.Emit(context.Background(), &r, f); err != nil {
			t.Fatal(err)
		}
	}); n > 0.1 {
		t.Errorf("%v allocations a frame", n)
	}
}
