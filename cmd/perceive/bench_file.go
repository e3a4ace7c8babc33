package main

import (
	"os"

	"perceive/perception/bench"
)

// readReport reads what --save wrote.
func readReport(path string) (*bench.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bench.Parse(path, f)
}

// save replaces a file as a whole.
func (c *benchCmd) save(r *bench.Report) error {
	if c.Save == "" {
		return nil
	}
	text, err := r.JSON()
	if err != nil {
		return err
	}
	part := c.Save + ".part"
	if err := os.WriteFile(part, text, 0o644); err != nil {
		return err
	}
	return os.Rename(part, c.Save)
}
