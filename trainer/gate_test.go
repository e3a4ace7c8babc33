package trainer

import (
	"errors"
	"math"
	"strings"
	"testing"

	"perceive/trainer/dataset"
)

// Two positives and two negatives of "a"; "b" has one answer only. By hand: of the four
// pairs before, all are in order; after, one is not.
func TestDrops(t *testing.T) {
	set := &dataset.Set{Labels: []string{"a", "b"}}
	for _, s := range []dataset.State{dataset.Positive, dataset.Positive, dataset.Negative, dataset.Negative, dataset.Unknown} {
		set.Items = append(set.Items, dataset.Item{Labels: []dataset.State{s, dataset.Positive}})
	}
	before := [][]float32{{0.9, 1}, {0.6, 1}, {0.4, 1}, {0.1, 1}, {0.7, 1}}
	after := [][]float32{{0.9, 1}, {0.3, 1}, {0.4, 1}, {0.1, 1}, {0.2, 1}}
	got, err := Drops(set, before, after, []float32{0.5, 0.5})
	if err != nil {
		t.Fatal(err)
	}
	a := got[0]
	if a.Before != 1 || a.After != 0.75 || a.Flips != 2 || a.Pictures != 5 || math.Abs(a.Points()-25) > 1e-9 {
		t.Errorf("%+v: want 1, 0.75, 2 flips of 5, 25 points", a)
	}
	if got[1].Defined || MeanPoints(got) != a.Points() {
		t.Errorf("%+v, mean %g: a label with one answer has no AUC", got[1], MeanPoints(got))
	}
}

func TestGate(t *testing.T) {
	loss := func(points float64) Drop {
		return Drop{Label: "a", Before: 0.9, After: 0.9 - points/100, Defined: true}
	}
	for _, tc := range []struct {
		name   string
		losses []Drop
		says   string // "" is accepted
		want   error
	}{
		{"a gain", []Drop{loss(-3)}, "", nil},
		{"within both", []Drop{loss(1.4), loss(0), loss(0)}, "", nil},
		{"one label", []Drop{loss(1.6), loss(0), loss(0), loss(0)}, "a 1.60 points of ROC AUC (1.50 allowed)", ErrGate},
		{"the mean", []Drop{loss(0.9), loss(0.9)}, "the mean 0.90 (0.50 allowed)", ErrGate},
		{"not a number", []Drop{{Label: "a", After: math.NaN(), Defined: true}}, "no label", ErrNoVerdict},
		{"nothing to lose", []Drop{{Label: "a"}}, "no label", ErrNoVerdict},
	} {
		err := NewGate(1.5).Check(tc.losses)
		if (err == nil) != (tc.want == nil) || err != nil && (!errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("%s: error %v, want one that says %q", tc.name, err, tc.says)
		}
	}
}
