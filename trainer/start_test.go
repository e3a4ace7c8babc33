package trainer

import (
	"slices"
	"testing"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/loss"
)

// A network that starts from another run takes its features, and heads only where they
// answer the same labels: another task's head is not a start, even if it has the shape.
func TestStartFromRun(t *testing.T) {
	c := tiny()
	c.Steps, c.EvalEvery = 5, 5
	c.Loss.Tasks = loss.Uncertainty
	dir := t.TempDir()
	if _, err := run(t, c, squares(40, 1), dir, false, Hooks{}, t.Context()); err != nil {
		t.Fatal(err)
	}
	from, err := LoadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		labels []string
		heads  bool // that they are taken
	}{
		{"same labels", []string{"light", "dark"}, true},
		{"other labels", []string{"red", "blue"}, false},
		{"fewer labels", []string{"light"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := c
			c.Labels, c.Init, c.Seed = tc.labels, dir, 99
			e, err := NewEngine(orttest.Runtime(t), c.task(nil), c.Seed, ort.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if err := c.start(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			have, err := from.layout()
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]bool{"stem.weight": true, "head.weight": true, "maps.weight": tc.heads, uncertainty: tc.heads} {
				p, err := e.Layout.Find(name)
				if err != nil {
					t.Fatal(err)
				}
				q, err := have.Find(name)
				if err != nil {
					t.Fatal(err)
				}
				if got := slices.Equal(e.State()[0][p.Offset:p.Offset+p.Size], from.Params[q.Offset:q.Offset+q.Size]); got != want {
					t.Errorf("%s: taken from the other run: %v, want %v", name, got, want)
				}
			}
		})
	}
}

// A network without maps trains, is evaluated and examined like any other.
func TestAllPooled(t *testing.T) {
	c := tiny()
	c.Pooled = c.Labels
	c.Steps, c.EvalEvery = 5, 5
	if _, err := run(t, c, squares(40, 1), t.TempDir(), false, Hooks{}, t.Context()); err != nil {
		t.Fatal(err)
	}
}
