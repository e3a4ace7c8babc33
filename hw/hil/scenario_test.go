package hil

import (
	"strings"
	"testing"
)

const good = `
name: black
seed: 1
length: 10s
cameras:
  - {name: front, world: "scene://?seed=1", fps: 10, width: 640}
faults:
  - {at: 3s, for: 2s, kind: black}
require:
  - {kind: detect, fault: 0, as: [black], within: 1s}
`

func TestScenario(t *testing.T) {
	s, err := Parse("a.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "black" || len(s.Faults) != 1 || s.Cameras[0].Quality != 80 {
		t.Errorf("%+v", s)
	}
}

func TestWrongScenariosSayWhere(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"name: black", "name: a b", `a.yaml:2: name: "a b"`},
		{"seed: 1", "sed: 1", `a.yaml:3: unknown field "sed"`},
		{"length: 10s", "length: 0s", "a.yaml:4: length: 0s is not within"},
		{"length: 10s", "length: long", "a.yaml:4:"},
		{"fps: 10", "fps: 0", "a.yaml:6: cameras[0].fps: 0 is not within"},
		{"width: 640", "width: 100", "a.yaml:6: cameras[0].width"},
		{"kind: black", "kind: blak", `a.yaml:8: faults[0].kind: "blak": there is bad_model, black`},
		{"at: 3s", "at: 9s", "a.yaml:8: faults[0].at: 9s to 11s is not within"},
		{"kind: black", "kind: late", "a.yaml:8: faults[0].delay: missing"},
		{"width: 640", "over: smoke", `a.yaml:6: cameras[0].over: "smoke": there is mjpeg, mpegts, rtsp, v4l2`},
		{"width: 640", "over: v4l2", `a.yaml:6: cameras[0].device: "": want a v4l2loopback device`},
		{"width: 640", "over: v4l2, device: /dev/sda", `a.yaml:6: cameras[0].device: "/dev/sda": want`},
		{"width: 640", "device: /dev/video1", "a.yaml:6: cameras[0].device: is for over: v4l2"},
		{"width: 640}\nfaults:\n  - {at: 3s, for: 2s, kind: black}", "over: mpegts}\nfaults:\n  - {at: 3s, for: 2s, kind: refuse}",
			"a.yaml:8: faults[0].kind: refuse does not go with camera front, which is over mpegts: there is no connection"},
		{"width: 640}\nfaults:\n  - {at: 3s, for: 2s, kind: black}", "over: rtsp}\nfaults:\n  - {at: 3s, for: 2s, kind: resize}",
			"a.yaml:8: faults[0].kind: resize does not go with camera front, which is over rtsp: the pictures are encoded anew"},
		{"kind: black", "kind: kill, camera: front", "a.yaml:8: faults[0].camera: kill is a fault of the unit"},
		{"kind: black", "kind: black, camera: rear", `a.yaml:8: faults[0].camera: there is no camera "rear"`},
		{"fault: 0", "fault: 1", "a.yaml:10: require[0].fault: 1: there are 1 faults"},
		{"as: [black], ", "", "a.yaml:10: require[0].as: missing"},
		{", within: 1s", "", "a.yaml:10: require[0].within: missing"},
		{"require:\n  - {kind: detect, fault: 0, as: [black], within: 1s}", "", "a.yaml:1: require: nothing is required"},
		{"kind: detect, fault: 0, as: [black], within: 1s", "kind: gap, as: [okay], below: 1s", `a.yaml:10: require[0].as: "okay" is no status of a result`},
		{"kind: detect, fault: 0, as: [black], within: 1s", "kind: recording", "a.yaml:10: require[0].as: []: want the kinds of files"},
		{"as: [black]", "as: [black], golden: a.jsonl", "a.yaml:10: require[0].golden: only agreement has one"},
		{"seed: 1", "fails: gap", `a.yaml:3: fails: "gap" is not among`},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Fatalf("%q is not in the scenario", c.from)
		}
		if _, err := Parse("a.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Fuzz(func(t *testing.T, text string) { Parse("a.yaml", []byte(text)) })
}

// What ships is right, and there is a scenario that must fail for each requirement.
func TestShipped(t *testing.T) {
	all, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	fails := map[string]bool{}
	for _, s := range all {
		fails[s.Fails] = true
		if text, err := Text(s.Name); err != nil || len(text) == 0 {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	used := map[string]bool{}
	for _, s := range all {
		for _, f := range s.Faults {
			used[f.Kind] = true
		}
	}
	for kind := range Kinds {
		if !used[kind] {
			t.Errorf("no shipped scenario has fault %s", kind)
		}
	}
	for kind := range Requirements {
		if !fails[kind] {
			t.Errorf("no shipped scenario must fail by %s", kind)
		}
	}
	if _, err := Find("nothing"); err == nil || !strings.Contains(err.Error(), "healthy") {
		t.Error(err)
	}
}
