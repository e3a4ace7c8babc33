//go:build matprofile

package serve

import (
	"io"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"perceive/perception"
	"perceive/perception/model/modeltest"
)

// A daemon gives back all Mats of OpenCV: those of its frames' ways, through every change of the model,
// and those of the pictures that it shows and records.
func TestMatsOfADaemon(t *testing.T) {
	mats := pprof.Lookup("gocv.io/x/gocv.Mat")
	if mats == nil {
		t.Fatal("GoCV counts no Mats: build it with the tag matprofile")
	}
	life := func() {
		dir := t.TempDir()
		r := start(t, func(c *Config) { c.Model.Shadow = 2 }, func(d *Deps, _ *rig) {
			d.Outputs = func(h perception.Header) (Outputs, error) {
				c := Default().Outputs
				c.MCAP.Dir, c.MCAP.Pictures = dir, 50
				return Publish(c, time.Second, h, io.Discard)
			}
		})
		until(t, "results", func() bool { return r.Status().Ready && r.Status().Sources[1].Results["ok"] > 5 })
		good := r.file
		for _, file := range [][]byte{good, modeltest.File(t, next), brittle(t), good} {
			r.file = file
			if err := r.Reload(t.Context(), ""); err != nil {
				t.Error(err)
			}
		}
		if err := r.Reload(t.Context(), "broken"); err == nil {
			t.Error("a model that does not exist was taken")
		}
		if _, _, _, err := r.Frame(t.Context(), "left"); err != nil {
			t.Error(err)
		}
		if err := r.end(t); err != nil {
			t.Error(err)
		}
	}
	life()
	before := mats.Count()
	for range 3 {
		life()
	}
	if n := mats.Count(); n != before {
		var b strings.Builder
		mats.WriteTo(&b, 1)
		t.Errorf("%d Mats after it, %d before:\n%s", n, before, b.String())
	}
}
