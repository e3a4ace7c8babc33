package trainer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/loss"
	"perceive/trainer/optim"
)

// trained runs some steps on a fixed batch of eight pictures and returns the state.
func trained(t *testing.T, task Task, threads int) ([][]float32, Losses) {
	t.Helper()
	e, err := NewEngine(orttest.Runtime(t), task, 1, ort.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	noise(e)
	var last Losses
	for i := range 3 {
		if last, err = e.Step(t.Context(), i+1, 1e-2); err != nil {
			t.Fatal(err)
		}
	}
	var out [][]float32
	for _, v := range e.State() {
		out = append(out, slices.Clone(v))
	}
	return out, last
}

// noise fills an engine's batch with pictures and teachers.
func noise(e *Engine) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range e.Frames {
		e.Frames[i] = byte(rng.IntN(256))
	}
	for i := range e.Map {
		e.Map[i], e.MapWeight[i] = float32(rng.IntN(2)), float32(rng.IntN(2))
	}
	for i := range e.Presence {
		e.Presence[i], e.PresenceMask[i] = float32(rng.IntN(2)), float32(rng.IntN(2))
	}
}

func tinyTask(batch, shard int) Task {
	task := tiny().task(nil)
	task.Plan = NewPlan(batch, shard)
	return task
}

// However a batch is cut up, a step is the same but for rounding, and however many cores
// share it, the same to the last bit. 8 pictures are: one pass; four slots of two; and,
// with fewer slots, slots of several shards.
func TestPlansAgree(t *testing.T) {
	const tol = 2e-4 // float32, three steps, through Adam's division by a root
	want, wantLoss := trained(t, tinyTask(8, 8), 1)
	few := tinyTask(8, 1)
	few.Plan.Slots = 3 // of 2, 3 and 3 shards
	for name, task := range map[string]Task{"pairs": tinyTask(8, 2), "chosen": tinyTask(8, 0), "chains": few} {
		t.Run(name, func(t *testing.T) {
			got, gotLoss := trained(t, task, 1)
			for i := range want {
				for j := range want[i] {
					if !scalar.EqualWithinAbsOrRel(float64(got[i][j]), float64(want[i][j]), tol, tol) {
						t.Fatalf("state %d, element %d: %g, in one pass %g", i, j, got[i][j], want[i][j])
					}
				}
			}
			if !scalar.EqualWithinRel(float64(gotLoss.Total), float64(wantLoss.Total), 1e-4) || !scalar.EqualWithinRel(float64(gotLoss.GradNorm), float64(wantLoss.GradNorm), 1e-3) {
				t.Errorf("losses %+v, in one pass %+v", gotLoss, wantLoss)
			}
			shared, _ := trained(t, task, 2)
			if !slices.EqualFunc(got, shared, slices.Equal) {
				t.Error("two cores give other bits than one")
			}
		})
	}
}

// Every choice of loss, optimiser, pooling and head makes a graph that runs and learns.
func TestEveryChoiceRuns(t *testing.T) {
	choices := map[string]func(*Task){
		"sgd":         func(c *Task) { c.Optimizer.Name, c.Optimizer.Momentum = optim.SGD, 0.9 },
		"focal":       func(c *Task) { c.Loss.Kind = loss.Focal },
		"asymmetric":  func(c *Task) { c.Loss.Kind, c.Loss.Margin = loss.Asymmetric, 0.05 },
		"selective":   func(c *Task) { c.Loss.Missing = loss.Selective },
		"uncertainty": func(c *Task) { c.Loss.Tasks = loss.Uncertainty },
		"weights":     func(c *Task) { c.Loss.Tasks, c.Loss.TaskWeights = loss.Fixed, []float64{1, 2} },
		"one pooled":  func(c *Task) { c.Net.Pooled = 1 },
		"all pooled":  func(c *Task) { c.Net.Pooled = 2 },
		"frozen":      func(c *Task) { c.Rates = map[string]float64{"stem": 0, "stage1": 0.5} },
	}
	for _, pool := range []string{"max", "mean", "attention"} {
		choices[pool] = func(c *Task) { c.Net.Pool = pool }
	}
	for name, choose := range choices {
		t.Run(name, func(t *testing.T) {
			task := tinyTask(8, 0)
			choose(&task)
			e, err := NewEngine(orttest.Runtime(t), task, 1, ort.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			noise(e)
			var losses []float32
			for i := range 30 {
				l, err := e.Step(t.Context(), i+1, 3e-3)
				if err != nil {
					t.Fatal(err)
				}
				losses = append(losses, l.Total)
			}
			if last := losses[len(losses)-1]; !(last < losses[0]) {
				t.Errorf("the loss went from %g to %g in 30 steps on one batch", losses[0], last)
			}
		})
	}
}

// A part of rate 0 keeps its bits.
func TestFrozenPartStays(t *testing.T) {
	task := tinyTask(4, 0)
	task.Rates = map[string]float64{"stem": 0}
	task.Optimizer.Decay = 0.1
	e, err := NewEngine(orttest.Runtime(t), task, 1, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	noise(e)
	before := slices.Clone(e.State()[0])
	if _, err := e.Step(t.Context(), 1, 1e-2); err != nil {
		t.Fatal(err)
	}
	for _, p := range e.Layout.Params {
		same := slices.Equal(before[p.Offset:p.Offset+p.Size], e.State()[0][p.Offset:p.Offset+p.Size])
		if frozen := strings.HasPrefix(p.Name, "stem"); frozen != same {
			t.Errorf("%s: the same after a step: %v", p.Name, same)
		}
	}
}

// Where nothing can learn, the rates are to blame.
func TestAllFrozenIsRefused(t *testing.T) {
	task := tinyTask(4, 0)
	task.Rates = map[string]float64{"": 0}
	if _, err := NewEngine(orttest.Runtime(t), task, 1, ort.Options{Threads: 1}); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("error %v does not say that all is frozen", err)
	}
}

// The first value that is not a number is named, with its operator and pictures.
func TestFirstBadIsNamed(t *testing.T) {
	chain := tinyTask(8, 2)
	chain.Plan.Slots = 1
	for name, task := range map[string]Task{"a slot a shard": tinyTask(8, 2), "one slot": chain} {
		t.Run(name, func(t *testing.T) { firstBad(t, task) })
	}
}

func firstBad(t *testing.T, task Task) {
	e, err := NewEngine(orttest.Runtime(t), task, 1, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	noise(e)
	e.Presence[2*5] = float32(math.NaN()) // picture 5, in the third shard
	e.PresenceMask[2*5] = 1
	l, err := e.Step(t.Context(), 1, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	if l.nonFinite() == "" {
		t.Fatalf("losses %+v are finite", l)
	}
	got, err := e.FirstBad(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"multitask", "NaN", fmt.Sprintf("pictures %d to %d", 4, 5)} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
