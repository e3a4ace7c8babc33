package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/trainer/dataset"
	"perceive/trainer/nn"
)

// tiny is a run that takes a second: 64×32 pictures, two labels.
func tiny() Config {
	c := Default()
	c.Labels = []string{"light", "dark"}
	c.Network.Width, c.Network.Height = 64, 32
	c.Network.Channels, c.Network.Blocks, c.Network.Neck = [4]int64{8, 8, 8, 8}, [4]int64{0, 1, 0, 0}, 8
	c.Steps, c.Batch, c.Warmup, c.EvalEvery, c.SaveEvery = 120, 16, 10, 60, 40
	c.Optimizer.Average = 0.9
	c.Augment = dataset.Augment{Flip: 0.5, ZoomOut: 0.9, ZoomIn: 1.1}
	return c
}

// squares are n grey, noisy pictures; half of them hold a light square, half,
// independently, a dark one.
func squares(n int, seed uint64) *dataset.Set {
	s := &dataset.Set{Labels: []string{"light", "dark"}}
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		pix := make([]byte, 3*64*32)
		for j := range pix {
			pix[j] = byte(100 + rng.IntN(40))
		}
		it := dataset.Item{Name: fmt.Sprint(i), Group: fmt.Sprint(i), Source: "squares", Labels: []dataset.State{dataset.Negative, dataset.Negative},
			Pixels: func() (int, int, []byte, error) { return 64, 32, pix, nil }}
		for l, grey := range []byte{170, 70} {
			if rng.IntN(2) == 0 {
				continue
			}
			x, y := rng.IntN(64-12), rng.IntN(32-12)
			for r := range 12 {
				for c := range 3 * 12 {
					pix[3*((y+r)*64+x)+c] = grey + byte(rng.IntN(10))
				}
			}
			it.Labels[l] = dataset.Positive
			it.Boxes = append(it.Boxes, dataset.Box{Label: l, X: float64(x), Y: float64(y), W: 12, H: 12})
		}
		s.Items = append(s.Items, it)
	}
	return s
}

func run(t *testing.T, c Config, train *dataset.Set, dir string, resume bool, hooks Hooks, ctx context.Context) (Progress, error) {
	t.Helper()
	j := Job{Runtime: orttest.Runtime(t), Config: c, Train: train, Val: squares(120, 99), Out: dir, Resume: resume, Hooks: hooks}
	return j.Run(ctx)
}

// The whole loop learns, and hiding half of the labels costs it little.
func TestMaskingWorks(t *testing.T) {
	c := tiny()
	c.Steps, c.Rate = 400, 5e-3
	auc := func(train *dataset.Set) float64 {
		p, err := run(t, c, train, t.TempDir(), false, Hooks{}, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p.Best
	}
	train := squares(300, 1)
	all, half := auc(train), auc(train.Hide(0.5, 1))
	t.Logf("ROC AUC %.3f with all labels, %.3f with half of them", all, half)
	if all < 0.95 || half < all-0.05 {
		t.Errorf("ROC AUC %.3f with all labels, %.3f with half of them: want at least 0.95, and at most 0.05 less", all, half)
	}
}

// What a hidden label's teacher says changes nothing, to the last bit: the gradient of
// the whole network with respect to it is zero.
func TestHiddenLabelTeachesNothing(t *testing.T) {
	task := tiny().task(nil)
	task.Plan = NewPlan(2, 0)
	step := func(lie float32) []float32 {
		e, err := NewEngine(orttest.Runtime(t), task, 1, ort.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for i := range e.Frames {
			e.Frames[i] = byte(i * 31)
		}
		cells := len(e.Map) / 4
		for n := range 2 {
			for l := range 2 {
				for i := range cells {
					e.Map[(n*2+l)*cells+i] = float32(i % 2)
					e.MapWeight[(n*2+l)*cells+i] = 1
				}
				e.Presence[n*2+l], e.PresenceMask[n*2+l] = 1, 1
			}
		}
		// Nobody knows label 1 of picture 0.
		for i := range cells {
			e.Map[cells+i], e.MapWeight[cells+i] = lie, 0
		}
		e.Presence[1], e.PresenceMask[1] = lie, 0
		if _, err := e.Step(t.Context(), 1, 1e-2); err != nil {
			t.Fatal(err)
		}
		return slices.Clone(e.State()[0])
	}
	if !slices.Equal(step(0), step(1)) {
		t.Error("the parameters after a step depend on a label that is hidden")
	}
}

// A run that is interrupted, in a step or in an evaluation, and resumed ends with the
// bits of a run that was not: all of its files.
func TestResumeIsExact(t *testing.T) {
	c := tiny()
	c.Steps, c.EvalEvery, c.SaveEvery = 50, 25, 10
	train := squares(100, 2)
	whole := t.TempDir()
	if _, err := run(t, c, train, whole, false, Hooks{}, t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{33, 25, 50} {
		t.Run(fmt.Sprint("step ", at), func(t *testing.T) {
			parts := t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			p, err := run(t, c, train, parts, false, Hooks{Step: func(e StepEvent) {
				if e.Step == at {
					cancel()
				}
			}}, ctx)
			if !errors.Is(err, context.Canceled) || p.Step != at {
				t.Fatalf("stopped at step %d: %v", p.Step, err)
			}
			if _, err := run(t, c, train, parts, false, Hooks{}, t.Context()); !errors.Is(err, ErrOccupied) {
				t.Errorf("started over a run: %v", err)
			}
			if _, err := run(t, c, train, parts, true, Hooks{}, t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{CheckpointFile, BestFile} {
				pa, a, err1 := LoadCheckpoint(filepath.Join(whole, name))
				pb, b, err2 := LoadCheckpoint(filepath.Join(parts, name))
				if err := errors.Join(err1, err2); err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(a, b, slices.Equal) || pa.Best != pb.Best || pa.BestStep != pb.BestStep || pa.Step != pb.Step {
					t.Errorf("%s differs after a resumed run", name)
				}
			}
			a, err1 := os.ReadFile(filepath.Join(whole, EvalLogFile))
			b, err2 := os.ReadFile(filepath.Join(parts, EvalLogFile))
			if err1 != nil || err2 != nil || string(a) != string(b) {
				t.Errorf("evaluations\n%s\nwithout interruption\n%s", b, a)
			}
			rows, err := readTable(filepath.Join(parts, TrainLogFile))
			if err != nil || len(rows) != 51 {
				t.Errorf("%d rows of 50 steps and a head: %v", len(rows), err)
			}
		})
	}
}

// A run goes on with what it was started with, or not at all, and what is refused
// changes nothing.
func TestResumeRefuses(t *testing.T) {
	c := tiny()
	c.Steps, c.EvalEvery = 20, 20
	train, dir := squares(60, 2), t.TempDir()
	if _, err := run(t, c, train, dir, false, Hooks{}, t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	other := c
	other.Rate *= 2
	if _, err := run(t, other, train, dir, true, Hooks{}, t.Context()); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), "rate") {
		t.Errorf("another rate: %v", err)
	}
	if _, err := run(t, c, squares(50, 2), dir, true, Hooks{}, t.Context()); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), "data") {
		t.Errorf("other data: %v", err)
	}
	reordered := &dataset.Set{Labels: train.Labels, Items: slices.Clone(train.Items)}
	slices.Reverse(reordered.Items)
	if _, err := run(t, c, reordered, dir, true, Hooks{}, t.Context()); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("the data in another order: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, ConfigFile)); err != nil || string(after) != string(before) {
		t.Errorf("a refused run changed the saved configuration: %v", err)
	}
}

// Validation data that can measure nothing is refused before the first step.
func TestUnmeasurableValidation(t *testing.T) {
	val := squares(20, 5)
	for i := range val.Items {
		val.Items[i].Labels = []dataset.State{dataset.Positive, dataset.Unknown}
	}
	dir := t.TempDir()
	j := Job{Runtime: orttest.Runtime(t), Config: tiny(), Train: squares(20, 1), Val: val, Out: dir}
	if _, err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--val") {
		t.Errorf("error %v", err)
	}
}

func TestDivergenceIsNoticed(t *testing.T) {
	c := tiny()
	c.Rate, c.Warmup, c.Optimizer.Clip = 1e30, 0, 0
	if _, err := run(t, c, squares(40, 3), t.TempDir(), false, Hooks{}, t.Context()); !errors.Is(err, ErrDiverged) {
		t.Errorf("error %v, want ErrDiverged", err)
	}
}

func TestCheckpointRefusesDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ckpt")
	state := [][]float32{{1, 2}, {3, 4}, {5, 6}, {7, float32(math.Pi)}}
	if err := SaveCheckpoint(path, Progress{Step: 3, Config: tiny()}, state); err != nil {
		t.Fatal(err)
	}
	p, back, err := LoadCheckpoint(path)
	if err != nil || p.Step != 3 || !slices.EqualFunc(back, state, slices.Equal) {
		t.Fatalf("step %d, %v: %v", p.Step, back, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(data) { // cut anywhere
		if n%7 != 0 {
			continue
		}
		if _, _, err := parseCheckpoint(data[:n]); err == nil {
			t.Fatalf("cut to %d bytes of %d: no error", n, len(data))
		}
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadCheckpoint(path); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), path) {
		t.Errorf("one bit changed: %v", err)
	}
	if _, _, err := LoadCheckpoint(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := SaveCheckpoint(filepath.Join(path, "below", "a", "file"), p, state); err == nil {
		t.Error("saved below a file")
	}
}

func FuzzCheckpoint(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.ckpt")
	if err := SaveCheckpoint(path, Progress{Step: 3}, [][]float32{{1}, {2}, {3}, {4}}); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, '{'})
	f.Fuzz(func(_ *testing.T, data []byte) { parseCheckpoint(data) })
}

func TestConfigFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.yaml")
	want := tiny()
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := LoadConfig(path, Default())
	if err != nil || want.Diff(got) != "" {
		t.Errorf("%v, differs in %s", err, want.Diff(got))
	}
	// A list that is written as empty is the one that a checkpoint leaves out.
	empty := want
	empty.Pooled, empty.Rates, empty.Loss.TaskWeights = []string{}, nn.Rates{}, []float64{}
	if diff := empty.Diff(want); diff != "" {
		t.Errorf("empty lists differ from none: %s", diff)
	}
	other := want
	other.Pooled = []string{"dark"}
	if diff := other.Diff(want); diff != "pooled: [], now [dark]" {
		t.Errorf("difference %q", diff)
	}
	for name, tc := range map[string]struct{ text, says string }{
		"unknown key":   {"colour: pink\n", "colour"},
		"a wrong type":  {"steps: many\n", "steps"},
		"out of range":  {"steps: -1\nbatch: 0\nrate: -2\n", "steps"},
		"labels":        {"labels: []\n", "labels"},
		"a label twice": {"labels: [car, car]\n", "twice"},
		"network":       {"network: {width: 100}\n", "multiples of 32"},
		"augmentation":  {"augment: {flip: 3}\n", "flip"},
	} {
		if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadConfig(path, Default()); err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v does not name the file and say %q", name, err, tc.says)
		}
	}
	if _, err := LoadConfig(filepath.Join(dir, "none.yaml"), Default()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}
