package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/replay"
)

// many replays recordings side by side.
func (c *replayCmd) many(a *app, m, second *model.Model, recordings []string) error {
	p := replay.Plan{Model: m, Second: second, Setup: c.setup(), Dir: c.results(), Workers: c.Workers, Memory: c.Memory << 20, Open: c.open, Guards: c.guards, Reports: c.Report}
	if p.Workers == 0 { // each has a decoder and a network
		p.Workers = max(1, runtime.NumCPU()/2)
	}
	if p.Memory == 0 {
		p.Memory = available() / 2
	}
	if c.Update != nil {
		p.Reason = *c.Update
	} else if c.Golden != "" {
		p.Compare = func(name string, h perception.Header) (*replay.Comparison, []string, error) {
			return c.compare(filepath.Join(c.Golden, name+".jsonl"), h)
		}
	}
	var progress *bar
	if !c.Quiet {
		n := 0
		progress = newBar(a.errOut, "recordings", len(recordings))
		p.Done = func(r replay.Row) {
			n++
			progress.set(n, replay.Name(r.Recording))
		}
	}
	rows, err := p.Run(a.ctx, recordings)
	if progress != nil {
		progress.end()
	}
	if err != nil {
		return err
	}
	errs := []error{replay.PrintTable(a.out, rows)}
	bad := 0
	for _, r := range rows {
		if r.Err() != nil {
			bad++
		}
	}
	if bad > 0 {
		errs = append(errs, fmt.Errorf("%d of %d recordings failed: see the table", bad, len(rows)))
	}
	return errors.Join(errs...)
}

// available is the memory that the system says it has for more, in bytes; 4 GiB where it does not.
func available() int64 {
	f, err := os.Open("/proc/meminfo")
	if err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var kib int64
			if n, _ := fmt.Sscanf(lines.Text(), "MemAvailable: %d kB", &kib); n == 1 {
				return kib << 10
			}
		}
	}
	return 4 << 30
}
