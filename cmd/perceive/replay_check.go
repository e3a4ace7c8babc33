package main

import (
	"errors"
	"fmt"

	"perceive/hw"
)

// checkMany refuses what there can be of one recording alone.
func (c *replayCmd) checkMany(many bool) error {
	if !many {
		return nil
	}
	switch {
	case c.Update == "" && (c.Out == "" || c.Out == "-"):
		return errors.New("--out: name a folder for the results of several recordings")
	case c.Annotate != "":
		return errors.New("--annotate is for one recording at a time")
	case c.Speed > 0 || len(c.Drops) > 0:
		return errors.New("--speed and --drops are for one recording at a time")
	case c.Workers < 0 || c.Memory < 0:
		return errors.New("--workers and --memory: want 0 or more")
	}
	return nil
}

// check refuses what would destroy something or cannot be.
func (c *replayCmd) check() error {
	if c.Provider != hw.CPU && c.Deterministic {
		c.Deterministic = false // a wish, and the header says what came of it
	}
	if c.Update != "" && c.Golden == "" {
		return errors.New("--update: name the file to write with --golden")
	}
	if c.Update != "" && c.Out != "" {
		return errors.New("--update: the results go to the golden, and nowhere else: leave --out")
	}
	if c.Golden != "" && c.Golden == c.Out {
		return fmt.Errorf("%s: the golden and the results cannot be one file", c.Golden)
	}
	for _, s := range c.Source {
		r := runCmd{Source: s, modelFlags: c.modelFlags, Out: c.Out, Annotate: c.Annotate, Threads: c.Threads}
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}
