package trainer

import (
	"path/filepath"
	"slices"
	"testing"

	"perceive/hw/ort/orttest"
	"perceive/trainer/dataset"
)

// A run that did not write down how its data was asked for is told when it goes on; what it
// has written down stays.
func TestResumeNamesTheData(t *testing.T) {
	c := tiny()
	c.Steps, c.EvalEvery, c.SaveEvery = 4, 2, 2
	dir := t.TempDir()
	names := func(n *Named, resume bool) *Named {
		t.Helper()
		j := Job{Runtime: orttest.Runtime(t), Config: c, Train: squares(40, 1), Val: squares(120, 99), Out: dir, Resume: resume, Bare: true, Named: n}
		if _, err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, _, err := LoadCheckpoint(filepath.Join(dir, BestFile))
		if err != nil {
			t.Fatal(err)
		}
		return p.Named
	}
	if got := names(nil, false); got != nil {
		t.Errorf("nobody said, and it is %+v", got)
	}
	if got := names(&Named{Train: dataset.Named{URIs: []string{"scene:40"}}}, true); got == nil || !slices.Equal(got.Train.URIs, []string{"scene:40"}) {
		t.Errorf("told when it went on, and it is %+v", got)
	}
	if got := names(&Named{Train: dataset.Named{URIs: []string{"scene:41"}}}, true); got == nil || !slices.Equal(got.Train.URIs, []string{"scene:40"}) {
		t.Errorf("told otherwise later, and it is %+v", got)
	}
}
