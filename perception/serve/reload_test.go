package serve

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
)

// resident is the process's memory in bytes.
func resident(t *testing.T) float64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseFloat(string(bytes.Fields(text)[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * float64(os.Getpagesize())
}

// A hundred reloads grow memory by less than 5 %: nothing of the models before is kept.
// The name keeps it out of the race detector's run, whose own memory grows.
func TestReloadsBudgetOfMemory(t *testing.T) {
	r := start(t, func(c *Config) { c.Model.Shadow = 1 }, nil)
	until(t, "results", func() bool { return r.out.count("left") > 5 })
	reload := func(n int) {
		for range n {
			if err := r.Reload(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			r.out.mu.Lock()
			clear(r.out.seqs) // the recorder keeps everything, the daemon nothing
			r.out.mu.Unlock()
		}
	}
	reload(20)
	before := resident(t)
	reload(100)
	after := resident(t)
	t.Logf("%.1f MiB before 100 reloads, %.1f MiB after", before/(1<<20), after/(1<<20))
	if after > 1.05*before {
		t.Errorf("memory grew from %.1f to %.1f MiB", before/(1<<20), after/(1<<20))
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}
