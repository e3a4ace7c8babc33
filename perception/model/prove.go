package model

import (
	"context"
	"fmt"
	"strings"

	"perceive/hw"
	"perceive/models"
)

// Proof is how a file answered one golden picture.
type Proof struct {
	Golden string `json:"golden"`
	// Label is the one whose probability is furthest from what was recorded.
	Label string  `json:"label"`
	Got   float32 `json:"got"`
	Want  float32 `json:"want"`
	// Tolerance is the largest difference allowed on the provider that runs.
	Tolerance float32 `json:"tolerance"`
}

// Met reports whether the answer is near enough; what is no number never is.
func (p Proof) Met() bool { d := p.Got - p.Want; return d <= p.Tolerance && d >= -p.Tolerance }

// Prove runs the golden pictures. Other providers than the CPU compute in other orders
// and precisions: there the tolerance is that of a decision, not of a digit. The error is
// ErrGolden and names the outputs that differ; the proofs are returned either way.
func (m *Model) Prove(ctx context.Context) ([]Proof, error) {
	if len(m.manifest.Golden) == 0 {
		return nil, nil
	}
	l, err := m.NewLane()
	if err != nil {
		return nil, err
	}
	defer l.Close()
	var proofs []Proof
	var missed []string
	for _, g := range m.manifest.Golden {
		pix, err := g.Pixels(m.manifest.Input.Width, m.manifest.Input.Height)
		if err != nil {
			return nil, fmt.Errorf("golden picture %q: %w", g.Name, err)
		}
		copy(l.Input, pix)
		if err := l.Run(ctx); err != nil {
			return nil, err
		}
		p := m.worst(g, l.Probabilities)
		if proofs = append(proofs, p); !p.Met() {
			missed = append(missed, fmt.Sprintf("%q: %s is %.6f, want %.6f within %g", g.Name, p.Label, p.Got, p.Want, p.Tolerance))
		}
	}
	if missed != nil {
		return proofs, fmt.Errorf("%w: output %q: %s (on %s)", ErrGolden, m.manifest.Outputs.Probabilities, strings.Join(missed, "; "), m.Report())
	}
	return proofs, nil
}

// worst is the answer that is furthest from a golden one.
func (m *Model) worst(g models.Golden, got []float32) Proof {
	out := Proof{Golden: g.Name, Tolerance: g.Tolerance}
	if m.Report().Used != hw.CPU {
		out.Tolerance = max(out.Tolerance, accelerated)
	}
	far := float32(-1)
	for i, want := range g.Probabilities {
		d := max(got[i]-want, want-got[i]) // NaN if one is
		if !(d <= far) {
			far, out.Label, out.Got, out.Want = d, m.manifest.Labels[i].ID, got[i], want
		}
		if d != d {
			break
		}
	}
	return out
}

// accelerated is the tolerance of a golden probability on a GPU, which may compute in
// TF32 or half precision.
const accelerated = 0.02
