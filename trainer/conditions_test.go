package trainer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"perceive/trainer"
	"perceive/trainer/dataset"
)

// By day the answer is in the grey of the picture, by night it is not: night is weak, day is
// not, and what has one answer only has no figure.
func TestConditions(t *testing.T) {
	set := &dataset.Set{Labels: []string{"car"}}
	add := func(grey byte, state dataset.State, time string, side float64) {
		it := dataset.Item{Name: fmt.Sprint(len(set.Items)), Labels: []dataset.State{state}, Source: time + " drive", Attrs: map[string]string{"timeofday": time, "weather": "undefined"},
			Pixels: func() (int, int, []byte, error) {
				return 8, 8, slices.Repeat([]byte{grey}, 3*8*8), nil
			}}
		if side > 0 {
			it.Boxes = []dataset.Box{{W: side, H: side}, {W: 0.1, H: 0.1}}
		}
		set.Items = append(set.Items, it)
	}
	for i := range 40 {
		add(200+byte(i), dataset.Positive, "day", 4)           // a quarter of the picture
		add(byte(i), dataset.Negative, "day", 0)               //
		add(100+byte(i), dataset.Positive, "night", 0.5)       // less than half a per cent
		add(100+byte((i+13)%40), dataset.Negative, "night", 0) // the same greys
	}
	add(255, dataset.Positive, "dusk", 0) // a positive without a box
	add(0, dataset.Unknown, "dusk", 0)
	cache, err := dataset.NewInputs(t.Context(), set, 8, 8, nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := make([]byte, 3*8*8)
	p := trainer.Predictor{Frames: frames, Batch: 1, Width: 8, Height: 8, Run: func(context.Context) ([]float32, error) {
		return []float32{float32(frames[0]) / 255}, nil
	}}
	found, err := trainer.Examine(t.Context(), p, cache, trainer.MeasureConfig{Thresholds: []float32{0.5}, Rules: []string{""}})
	if err != nil {
		t.Fatal(err)
	}
	all, err := found.Conditions()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		auc := "–"
		if c.AUC != nil {
			auc = fmt.Sprintf("%.2f", *c.AUC)
		}
		got = append(got, fmt.Sprintf("%s %.8s %d/%d %s weak=%v", c.Of, c.Value, c.Positive, c.Negative, auc, c.Weak()))
	}
	want := []string{
		"timeofday day 40/40 1.00 weak=false",
		"timeofday dusk 1/0 – weak=false",
		"timeofday night 40/40 0.50 weak=true",
		"object size under 0. 40/80 0.75 weak=true",
		"object size 8 % and  40/80 1.00 weak=false",
		"distance far: low 40/80 0.75 weak=true",
		"distance near: a  40/80 1.00 weak=false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range all {
		if c.Value == "day" && (c.Recall != 1 || c.FalseAlarms != 0) {
			t.Errorf("day: recall %g, false alarms %g", c.Recall, c.FalseAlarms)
		}
	}
	sources, err := found.Sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) != 3 || sources[0].Value != "day drive" || !sources[1].Weak() || sources[1].Value != "night drive" || sources[2].AUC != nil {
		t.Errorf("sources %+v: want those of the day, of the night, which is weak, and of dusk with one answer", sources)
	}
	// What has enough pictures goes into the model file: two sources, day and night, two
	// sizes, two distances.
	for range 2 {
		if err := found.Divide(); err != nil {
			t.Fatal(err)
		}
	}
	parts := found.Measured[0].Parts
	if len(parts) != 8 || parts[0].Of != trainer.OfSource || parts[0].AUC != 1 || parts[0].Intervals["recall"] != [2]float64{1, 1} || parts[1].Together != *sources[1].Reference {
		t.Errorf("parts %+v", parts)
	}
	card, err := found.Card("of a test")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"of a test\n\n| label |", "| car | day drive | 40 | 40 | 1.000 (1.000–1.000) |", "| car | night drive | 40 | 40 | **0.50", "\n- car, timeofday night: 0.50"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	if strings.Contains(card, "dusk") {
		t.Errorf("the card has figures of one picture:\n%s", card)
	}
}
