package main

import (
	"errors"
	"fmt"
	"math"
	"os"

	"perceive/hw"
)

// checkMany refuses what there can be of one recording alone, or of many alone.
func (c *replayCmd) checkMany(many bool) error {
	if !many {
		return c.checkOne()
	}
	switch {
	case c.Update == nil && (c.Out == "" || c.Out == "-"):
		return errors.New("--out: name a folder for the results of several recordings")
	case c.Annotate != "":
		return errors.New("--annotate is for one recording at a time")
	case c.Speed > 0 || len(c.Drops) > 0:
		return errors.New("--speed and --drops are for one recording at a time")
	case c.Workers < 0 || c.Memory < 0 || c.Memory > math.MaxInt64>>20:
		return errors.New("--workers and --memory: want 0 or more, and no more than there can be")
	}
	return nil
}

func (c *replayCmd) checkOne() error {
	switch {
	case c.Workers != 0 || c.Memory != 0:
		return errors.New("--workers and --memory are for several recordings, or a folder of them")
	case c.Report != "" && (c.Report == c.Out || c.Report == c.Annotate):
		return fmt.Errorf("--report: %s is an output already: name a folder", c.Report)
	}
	return nil
}

// check refuses what would destroy something or cannot be, and flags that would have no effect.
func (c *replayCmd) check() error {
	if c.Provider != hw.CPU && c.Deterministic {
		c.Deterministic = false // a wish, and the header says what came of it
	}
	if err := c.checkGolden(); err != nil {
		return err
	}
	switch {
	case c.AgainstManifest != "" && c.Against == "":
		return errors.New("--against-manifest is the contract of a second model: name it with --against")
	case c.Camera != "" && len(c.Drops) == 0:
		return errors.New("--camera is of the recording of --drops, and there is none; of an MCAP recording write FILE.mcap?camera=NAME")
	}
	if st, err := os.Stat(c.Report); err == nil && !st.IsDir() {
		return fmt.Errorf("--report: %s is a file: name a folder", c.Report)
	}
	for _, s := range c.Source {
		r := runCmd{Source: s, modelFlags: c.modelFlags, Out: c.results(), Annotate: c.Annotate, Threads: c.Threads}
		if err := r.check(); err != nil {
			return err
		}
	}
	return c.spare()
}

// checkGolden is check of what makes a golden or compares with one.
func (c *replayCmd) checkGolden() error {
	within := func(p *float64) bool { return p == nil || *p >= 0 && *p <= 1 }
	tolerance := c.ToleranceP != nil || c.ToleranceBand != nil || c.ToleranceWhere != nil
	switch {
	case c.Update != nil && *c.Update == "":
		return errors.New("--update: say why the golden is made anew")
	case c.Update != nil && c.Golden == "":
		return errors.New("--update: name the file to write with --golden")
	case c.Update != nil && c.Out != "":
		return errors.New("--update: the results go to the golden, and nowhere else: leave --out")
	case c.Golden != "" && c.Golden == c.Out:
		return fmt.Errorf("%s: the golden and the results cannot be one file", c.Golden)
	case tolerance && (c.Golden == "" || c.Update != nil):
		return errors.New("--tolerance-p, --tolerance-band and --tolerance-where are of a comparison: name a --golden, and leave --update")
	case !within(c.ToleranceP) || !within(c.ToleranceBand):
		return errors.New("--tolerance-p and --tolerance-band: want 0 to 1")
	case c.ToleranceWhere != nil && *c.ToleranceWhere < -1:
		return errors.New("--tolerance-where: want pixels, or -1 to compare no place")
	}
	return nil
}

// results is where they go: with --update to the golden.
func (c *replayCmd) results() string {
	if c.Update != nil {
		return c.Golden
	}
	return c.Out
}

// spare refuses an output that would take the place of what is read beside source and model.
func (c *replayCmd) spare() error {
	type input struct{ flag, path string }
	in := []input{{"--config", c.Config}, {"--against", c.Against}, {"--against-manifest", c.AgainstManifest}, {"--public-key", c.PublicKey}}
	for _, path := range c.Drops {
		in = append(in, input{"--drops", path})
	}
	if c.Update == nil {
		in = append(in, input{"--golden", c.Golden})
	}
	for _, out := range []string{c.results(), c.Annotate} {
		a, err := os.Stat(out)
		if err != nil || a.IsDir() {
			continue
		}
		for _, i := range in {
			if b, err := os.Stat(i.path); err == nil && a.Mode().IsRegular() && os.SameFile(a, b) {
				return fmt.Errorf("%s: this is read by %s, and would be overwritten: name another output", out, i.flag)
			}
		}
	}
	return nil
}
