package main

import (
	"os"
	"path/filepath"

	"perceive/camera"
	"perceive/models"
	"perceive/trainer/dataset"
)

// dataFlags is what every command that reads labelled pictures has.
type dataFlags struct {
	OnBad string `name:"on-bad" enum:"fail,skip" default:"fail" help:"What to do with damaged pictures, empty boxes, wrong lines and the like: fail names them, skip names, counts and leaves them out."`
}

// pictureFlags is what every command that decodes them more than once has, too.
type pictureFlags struct {
	dataFlags
	Cache string `placeholder:"DIR" help:"Folder for decoded pictures, which the next command with the same data starts from; 'off' keeps them in memory. Default: perceive in the user's cache folder."`
}

func (f dataFlags) policy() dataset.Policy { return dataset.Policy(f.OnBad) }

// cache is the folder for decoded pictures, "" for none. Data is shared by commands, so the
// cache is the user's; homeless is the folder of a user without a home.
func (f pictureFlags) cache(homeless string) string {
	switch f.Cache {
	case "off":
		return ""
	case "":
		if dir, err := os.UserCacheDir(); err == nil {
			return filepath.Join(dir, "perceive")
		}
		return homeless
	}
	return f.Cache
}

// opening is how the readers are told.
func (f dataFlags) opening() dataset.OpenOptions { return dataset.OpenOptions{OnBad: f.policy()} }

// inputs reads labelled pictures as inputs of a model and shows how far it is.
func (f pictureFlags) inputs(a *app, set *dataset.Set, in models.Input) (*dataset.Cache, error) {
	leftOut(a.errOut, set)
	progress := newBar(a.errOut, "decoding", len(set.Items))
	defer progress.end()
	c, err := dataset.OpenInputs(a.ctx, set, in.Width, in.Height, dataset.CacheOptions{Dir: f.cache(""), Progress: newLocked(progress),
		Fit: &dataset.Fit{How: camera.Fit(in.Fit), Pad: in.Pad}})
	if err != nil {
		return nil, err
	}
	if err := c.Check(f.policy()); err != nil {
		c.Close()
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
