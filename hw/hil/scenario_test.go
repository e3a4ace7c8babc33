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
	const all = "kind: detect, fault: 0, as: [black], within: 1s"
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

		{"at: 3s, for: 2s", "at: 3s", "a.yaml:8: faults[0].for: missing: how long black goes on"},
		{"at: 3s, for: 2s, kind: black", "at: 3s, kind: stop", "a.yaml:8: faults[0].for: missing: how long stop goes on"},
		{"kind: black", "kind: occlude, amount: 1.5", "a.yaml:8: faults[0].amount: 1.5 is not within 0 to 1"},
		{"kind: black", "kind: drop, amount: -1", "a.yaml:8: faults[0].amount: -1 is not within 0 to 1"},
		{"kind: black", "kind: resize, amount: 5", "a.yaml:8: faults[0].amount: 5 is not within 0 to 4"},
		{"kind: black", "kind: noise, amount: .nan", "a.yaml:8: faults[0].amount: NaN is not within"},
		{"kind: black", "kind: black, amount: 0.5", "a.yaml:8: faults[0].amount: black takes none"},
		{"kind: black", "kind: black, delay: 1s", "a.yaml:8: faults[0].delay: black takes none"},
		{"kind: black", "kind: black, file: a.onnx", "a.yaml:8: faults[0].file: black takes none"},
		{"as: [black]", `as: [""]`, `a.yaml:10: require[0].as: [""]: an empty text`},
		{"as: [black]", `as: [black, " "]`, `a.yaml:10: require[0].as: ["black" " "]: an empty text`},
		{"within: 1s", "within: -1s", "a.yaml:10: require[0].within: -1s is negative"},
		{"within: 1s", "within: 11s", "a.yaml:10: require[0].within: 11s is longer than the scenario"},
		{"within: 1s", "within: 1s, label: car", "a.yaml:10: require[0].label: only agreement has one"},
		{all, "kind: gap, below: -1s", "a.yaml:10: require[0].below: -1s is negative"},
		{all, "kind: latency_p99", "a.yaml:10: require[0].below: missing"},
		{all, "kind: no_stale, below: 1h", "a.yaml:10: require[0].below: 1h0m0s is longer than the scenario"},
		{all, "kind: agreement", "a.yaml:10: require[0].limit: 0: want the part of the answers"},
		{all, "kind: agreement, limit: 1.1", "a.yaml:10: require[0].limit: 1.1: want the part"},
		{all, "kind: drops, limit: 1", "a.yaml:10: require[0].limit: 1: want a part of the frames"},
		{all, "kind: drops, limit: -0.1", "a.yaml:10: require[0].limit: -0.1: want a part"},
		{all, "kind: memory, limit: -1", "a.yaml:10: require[0].limit: -1: want MiB an hour"},
		{all, "kind: memory, limit: .inf", "a.yaml:10: require[0].limit: +Inf: want MiB an hour"},
		{all, "kind: alive, camera: front", "a.yaml:10: require[0].camera: alive is of the whole unit"},
		{"fps: 10, width: 640}\nfaults:\n  - {at: 3s, for: 2s, kind: black}\nrequire:\n  - {kind: detect,",
			"fps: 10}\n  - {name: rear, world: \"scene://\", fps: 10}\nfaults:\n  - {at: 3s, for: 2s, kind: black, camera: rear}\nrequire:\n  - {kind: detect, camera: front,",
			"a.yaml:11: require[0].camera: fault 0 is of camera rear"},
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
