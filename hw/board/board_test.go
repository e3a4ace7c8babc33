package board_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"perceive/hw/board"
	"perceive/hw/board/boardtest"
)

var update = flag.Bool("update", false, "write the golden readings anew")

func read(root fs.FS) board.Reading {
	return (&board.Sysfs{Root: root, Now: func() time.Time { return time.Unix(1e9, 0).UTC() }}).Read()
}

// The golden readings were checked by hand against the trees.
func TestReadingsOfTrees(t *testing.T) {
	for _, name := range []string{"orin", "xavier", "pc"} {
		got, err := json.MarshalIndent(read(boardtest.Tree(t, name)), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.TrimSpace(string(want)), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Where nothing can be read nothing is 0, and each field says why.
func TestNothingIsNoReading(t *testing.T) {
	r := read(fstest.MapFS{})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range []string{`:0,`, `:0}`, `false`} {
		if strings.Contains(string(text), no) {
			t.Errorf("%s in the reading of an empty machine: %s", no, text)
		}
	}
	for _, field := range []string{"zones", "cpu", "gpu", "emc", "gpu_load", "memory", "power_mode", "throttling", "over_current_events"} {
		if r.Missing[field] == "" {
			t.Errorf("%s: no reading and no reason", field)
		}
	}
	if zone, c := r.Hottest(); c.OK || zone != "" {
		t.Errorf("hottest of nothing: %s %v", zone, c)
	}
	var back board.Reading
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("JSON and back (-want +got):\n%s", d)
	}
}

func TestBrokenFiles(t *testing.T) {
	for _, tc := range []struct{ file, content, field, says string }{
		{"sys/class/devfreq/17000000.gpu/device/load", "1001", "gpu_load", "1001 is not within 0..1000"},
		{"sys/class/devfreq/17000000.gpu/device/load", "busy", "gpu_load", `"busy" is no number`},
		{"sys/class/devfreq/17000000.gpu/cur_freq", "0", "gpu", "0 is no frequency"},
		{"sys/class/devfreq/17000000.gpu/max_freq", "", "gpu", "empty"},
		{"var/lib/nvpmodel/status", "fmode:quiet", "power_mode", "names no mode"},
		{"proc/meminfo", "MemTotal: lots kB", "memory", "no MemTotal"},
		{"sys/class/thermal/cooling_device2/cur_state", "hot", "throttling", `"hot" is no number`},
		{"sys/class/hwmon/hwmon3/oc2_event_cnt", "x", "over_current_events", `"x" is no number`},
	} {
		tree := boardtest.Tree(t, "orin")
		tree[tc.file] = &fstest.MapFile{Data: []byte(tc.content)}
		if r := read(tree); !strings.Contains(r.Missing[tc.field], tc.says) {
			t.Errorf("%s with %q: %s is missing for %q, want %q", tc.file, tc.content, tc.field, r.Missing[tc.field], tc.says)
		}
	}
}

func TestThisMachine(t *testing.T) {
	r := (&board.Sysfs{}).Read()
	if !r.Facts.Kernel.OK || !r.Memory.Used.OK || r.Memory.Used.Value > r.Memory.Total.Value {
		t.Errorf("%+v: want a kernel and memory", r)
	}
}

func TestLibraries(t *testing.T) {
	want := map[string]string{"TensorRT": "10.3.0", "cuDNN": "9.3.0", "CUDA runtime": "12.6.68"}
	if d := cmp.Diff(want, board.Libraries(boardtest.Tree(t, "orin"))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := board.Libraries(boardtest.Tree(t, "pc")); len(got) != 0 {
		t.Errorf("%v on a machine without them", got)
	}
}

func TestCameras(t *testing.T) {
	tree := boardtest.Tree(t, "pc")
	delete(tree, "dev/video1")
	want := []board.Camera{
		{Device: "/dev/video0", Name: "HD Pro Webcam C920", Index: board.Some[int64](0)},
		{Device: "/dev/video1", Name: "HD Pro Webcam C920", Index: board.Some[int64](1), Why: "/dev/video1 is not there"},
	}
	if d := cmp.Diff(want, board.Cameras(tree)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := board.Cameras(fstest.MapFS{}); got != nil {
		t.Errorf("%v on a machine without cameras", got)
	}
}

// Whatever the files of a board hold, a reading says what it may.
func FuzzReading(f *testing.F) {
	for _, name := range []string{"orin", "xavier", "pc"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, problem := boardtest.Parse(text)
		if problem != "" {
			return
		}
		for name := range tree {
			if !fs.ValidPath(name) {
				return
			}
		}
		r := read(tree)
		if l := r.GPULoad; l.OK && !(l.Value >= 0 && l.Value <= 1) || r.GPU.Hz.OK && r.GPU.Hz.Value <= 0 {
			t.Errorf("load %v, clock %v", l, r.GPU)
		}
		if m := r.Memory; m.Used.OK && (m.Used.Value < 0 || m.Used.Value > m.Total.Value) {
			t.Errorf("memory %v of %v", m.Used, m.Total)
		}
		for _, z := range r.Zones {
			if z.Celsius.OK == (z.Why != "") || z.Celsius.Value < -60 || z.Celsius.Value > 200 {
				t.Errorf("zone %+v", z)
			}
		}
		board.Cameras(tree)
		board.Libraries(tree)
	})
}
