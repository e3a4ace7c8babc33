package main

import (
	"os"

	"perceive/camera"
	"perceive/models"
	"perceive/trainer/dataset"
)

// dataFlags is what every command that reads labelled pictures has.
type dataFlags struct {
	OnBad string `name:"on-bad" enum:"fail,skip" default:"fail" help:"What to do with damaged pictures, empty boxes, wrong lines and the like: fail names them, skip names, counts and leaves them out."`
}

func (f dataFlags) policy() dataset.Policy { return dataset.Policy(f.OnBad) }

// opening is how the readers are told.
func (f dataFlags) opening() dataset.OpenOptions { return dataset.OpenOptions{OnBad: f.policy()} }

// inputs reads labelled pictures as inputs of a model and shows how far it is.
func (f dataFlags) inputs(a *app, set *dataset.Set, in models.Input) (*dataset.Cache, error) {
	leftOut(a.errOut, set)
	progress := newBar(a.errOut, "decoding", len(set.Items))
	defer progress.end()
	c, err := dataset.OpenInputs(a.ctx, set, in.Width, in.Height, dataset.CacheOptions{Progress: newLocked(progress),
		Fit: &dataset.Fit{How: camera.Fit(in.Fit), Pad: in.Pad}})
	if err != nil {
		return nil, err
	}
	if err := c.Check(f.policy()); err != nil {
		return nil, err
	}
	flaws := c.Flaws()
	for _, line := range flaws.Lines() {
		progress.line("left out: %s", line)
	}
	return c, nil
}

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
