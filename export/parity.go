package export

import (
	"context"
	"fmt"
	"math"

	"perceive/models"
	"perceive/perception/model"
)

// Parity is how far a file and what it was made from are apart.
type Parity struct {
	Frames int
	// Max is the largest difference of any probability, at the frame Worst; Mean the
	// mean over all.
	Max, Mean float64
	Worst     string
	// Flips are the frames, by label, on which the decision at its threshold differs.
	Flips []int
}

// compare runs both on every frame.
func compare(ctx context.Context, lane *model.Lane, frames []Frame, ref Reference, labels []models.Label, tolerance float64) (Parity, error) {
	p := Parity{Frames: len(frames), Flips: make([]int, len(labels))}
	var n int
	for _, f := range frames {
		want, err := ref(ctx, f.Pix)
		if err != nil {
			return p, fmt.Errorf("export: %s: reference: %w", f.Name, err)
		}
		if err := run(ctx, lane, f); err != nil {
			return p, err
		}
		got := lane.Probabilities
		if len(got) != len(want) {
			return p, fmt.Errorf("export: %w: %d probabilities, %d in training", ErrParity, len(got), len(want))
		}
		for i := range got {
			d := math.Abs(float64(got[i]) - float64(want[i]))
			p.Mean += d
			n++
			if !(d <= p.Max) { // NaN counts as the worst
				p.Max, p.Worst = d, f.Name
			}
			if t := labels[i].Threshold; (got[i] >= t) != (want[i] >= t) {
				p.Flips[i]++
			}
		}
	}
	p.Mean /= float64(max(1, n))
	if !(p.Max <= tolerance) {
		return p, fmt.Errorf("export: %w: by %.2g at %s, %.2g is allowed", ErrParity, p.Max, p.Worst, tolerance)
	}
	return p, nil
}

func run(ctx context.Context, lane *model.Lane, f Frame) error {
	if len(f.Pix) != len(lane.Input) {
		return fmt.Errorf("export: %s: %d bytes, the input takes %d", f.Name, len(f.Pix), len(lane.Input))
	}
	copy(lane.Input, f.Pix)
	if err := lane.Run(ctx); err != nil {
		return fmt.Errorf("export: %s: %w", f.Name, err)
	}
	return nil
}

// answers runs a lane on frames: a copy of the probabilities of each.
func answers(ctx context.Context, lane *model.Lane, frames []Frame) ([][]float32, error) {
	var out [][]float32
	for _, f := range frames {
		if err := run(ctx, lane, f); err != nil {
			return nil, err
		}
		out = append(out, append([]float32(nil), lane.Probabilities...))
	}
	return out, nil
}

// logitError is the root mean square of the differences of logits: it counts what is lost
// near 0 and 1, where probabilities differ little and their order still decides.
func logitError(want, got [][]float32) float64 {
	var sum, n float64
	for i := range want {
		for j := range want[i] {
			d := logit(want[i][j]) - logit(got[i][j])
			sum += d * d
			n++
		}
	}
	return math.Sqrt(sum / max(1, n))
}

// logit of a probability, bounded where float32's sigmoid has no digits left.
func logit(p float32) float64 {
	const least = 1e-6
	q := min(max(float64(p), least), 1-least)
	return math.Log(q / (1 - q))
}
