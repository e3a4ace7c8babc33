// Package hil is the bench: it serves frames to the daemon as a camera would, breaks things on
// purpose, and holds what the daemon publishes against requirements. It sees the unit under test
// only from outside, through the interfaces that its users have.
package hil

import (
	"slices"
	"strings"
	"time"

	"perceive/internal/strict"
)

// Scenario is a test on the bench.
type Scenario struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
	// Seed of everything that is left to chance: the same seed gives the same faults.
	Seed uint64 `yaml:"seed"`
	// Length is how long frames are served.
	Length  time.Duration `yaml:"length"`
	Cameras []Camera      `yaml:"cameras"`
	Unit    Unit          `yaml:"unit"`
	Faults  []Fault       `yaml:"faults"`
	// Require is what must be true of what the unit publishes.
	Require []Requirement `yaml:"require"`
	// Fails says that the scenario is made to fail, and by which kind of requirement, while all
	// others are met: a bench that cannot fail is worth nothing.
	Fails string `yaml:"fails"`

	file string
}

// Camera is one stream of frames.
type Camera struct {
	Name string `yaml:"name"`
	// World is where the frames come from: scene://?seed=1, or a recording. It starts again
	// when it ends.
	World string `yaml:"world"`
	// FPS and Width, Height of what is served. Height follows from the world if it is 0.
	FPS    float64 `yaml:"fps"`
	Width  int     `yaml:"width"`
	Height int     `yaml:"height"`
	// Over is the wire that frames go over, one of Media; mjpeg if empty. Device is the loopback
	// device of v4l2.
	Over   string `yaml:"over"`
	Device string `yaml:"device"`
	// Query is added to the address that the unit is given: how it is to treat this camera.
	Query string `yaml:"query"`
	// Quality of the JPEG pictures, 1 to 100; 0 is 80.
	Quality int `yaml:"quality"`

	address string // where it listens, host:port; empty: a free port of this machine
}

// Unit is how the unit under test is started.
type Unit struct {
	// Set are keys of the daemon's configuration, as perceive serve --set takes them.
	Set []string `yaml:"set"`
	// Restart starts the unit again when it ends, as systemd would.
	Restart bool `yaml:"restart"`
	// Disk is the size of the disk that the unit's files are on, bytes; 0 is the machine's own.
	Disk int64 `yaml:"disk"`
}

// Fault is one thing that goes wrong.
type Fault struct {
	// At is when, from the first frame; For is how long, 0 for what happens once (kill, model_swap).
	At  time.Duration `yaml:"at"`
	For time.Duration `yaml:"for"`
	// Kind is what: see Kinds. Camera is which one, all if empty.
	Kind   string `yaml:"kind"`
	Camera string `yaml:"camera"`
	// Amount is how much: the part of the frames that are dropped, of the picture that is covered. See
	// amounts for the most that it can be; 0 is the kind's own default.
	Amount float64 `yaml:"amount"`
	// Delay is the time of late and jitter.
	Delay time.Duration `yaml:"delay"`
	// File is the model of model_swap; and what bad_model offers, if not a file that was tampered with.
	File string `yaml:"file"`
}

// of is whether a camera suffers from the fault: its own, one of all, or one of the unit.
func (f Fault) of(camera string) bool { return f.Camera == "" || f.Camera == camera }

// Kinds are the faults, with what they do.
var Kinds = map[string]string{
	"drop":        "part of the frames is left out (amount, default 0.5)",
	"burst_drop":  "all frames are left out",
	"duplicate":   "each frame is sent twice",
	"freeze":      "the same picture is sent again and again",
	"black":       "black pictures",
	"saturate":    "white pictures",
	"blur":        "out of focus (amount, default 0.5)",
	"noise":       "noise over the picture (amount, default 0.3)",
	"occlude":     "part of the picture is covered (amount, default 1)",
	"colour_cast": "a colour over the picture (amount, default 0.6)",
	"late":        "each frame is held back (delay)",
	"jitter":      "frames are held back by chance, up to delay",
	"reorder":     "neighbouring frames change places",
	"truncate":    "the JPEG pictures are cut off",
	"corrupt":     "bytes of the JPEG pictures are changed",
	"disconnect":  "the connection is closed, and new ones are at first accepted and closed",
	"refuse":      "the camera's port is closed",
	"hang":        "the connection stays open, and nothing comes",
	"resize":      "the pictures have another size (amount times as large, default 0.5)",
	"rate":        "frames come at another rate (amount times, default 0.5)",
	"kill":        "the unit is killed (SIGKILL)",
	"stop":        "the unit is stopped and continued (SIGSTOP, SIGCONT)",
	"load":        "other processes want every core",
	"memory":      "the unit may use no more memory than it has now and amount times that",
	"disk_full":   "the disk that the unit writes to is full",
	"disk_rot":    "lines that the unit wrote (JSON Lines) are overwritten on its disk",
	"no_provider": "the unit starts with a provider that this machine lacks",
	"hot_board":   "the board's sensors say that it is too hot (amount times 100 °C, default 1)",
	"model_swap":  "the unit is told to take another model (file; the same if empty)",
	"bad_model":   "the unit is told to take a model file that was tampered with",
	"deaf":        "the bench itself does not hear the results",
	"slow_reader": "somebody reads the results and does not keep up",
}

// amounts are the kinds that have an amount, with the most that it can be: 1 is all of the frames, or of
// the picture.
var amounts = map[string]float64{"drop": 1, "blur": 1, "noise": 1, "occlude": 1, "colour_cast": 1, "resize": 4, "rate": 4, "memory": 4, "hot_board": 4}

// once are the faults that happen once, or have no end.
var once = []string{"kill", "disk_rot", "no_provider", "model_swap", "bad_model"}

// onUnit are the faults of the unit; the others are of cameras.
var onUnit = []string{"kill", "stop", "load", "memory", "disk_full", "disk_rot", "no_provider", "hot_board", "model_swap", "bad_model", "slow_reader", "deaf"}

// Parse reads a scenario; errors name file, line and key.
func Parse(file string, text []byte) (*Scenario, error) {
	s := &Scenario{file: file}
	f, err := strict.Decode(file, text, s)
	if err != nil {
		return nil, err
	}
	for i := range s.Cameras {
		if s.Cameras[i].Quality == 0 {
			s.Cameras[i].Quality = 80
		}
		if s.Cameras[i].Over == "" {
			s.Cameras[i].Over = "mjpeg"
		}
	}
	if err := f.Faults(s.faults()); err != nil {
		return nil, err
	}
	return s, nil
}

// Names lists the keys of a table in order.
func Names[T any](of map[string]T) string {
	var names []string
	for n := range of {
		names = append(names, n)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
