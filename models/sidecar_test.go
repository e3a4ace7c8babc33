package models_test

import (
	"strings"
	"testing"

	"perceive/models"
)

// theirs is a contract with a line for every fact.
const theirs = `schema: 1
name: theirs
licence: MIT
input:
  name: x
  type: float32
  layout: NCHW
  color: RGB
  width: 8
  height: 4
  fit: letterbox
  pad: 0
  scale: 0.5
  mean: [1, 2, 3]
  std: [1, 1, 2]
outputs:
  kind: picture
  names: [y]
  axis: 1
  first: 0
  activation: sigmoid
labels:
  - id: car
    class: 2
    threshold: 0.5
`

func TestParseSidecar(t *testing.T) {
	s, err := models.ParseSidecar("theirs.yaml", []byte(theirs))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "theirs" || *s.Input.Pad != 0 || *s.Input.Scale != 0.5 || *s.Labels[0].Class != 2 || s.Outputs.Objectness != nil {
		t.Errorf("%+v", s)
	}
}

// What is missing, unknown or impossible is named with its file, line and key.
func TestParseSidecarRefuses(t *testing.T) {
	for _, tc := range []struct{ old, new, says string }{
		{"schema: 1\n", "", "theirs.yaml:1: schema: 0 is not 1"},
		{"name: theirs\n", "colour: pink\n", `theirs.yaml:2: unknown field "colour"`},
		{"name: theirs\n", "name: a\nname: b\n", `theirs.yaml:3: mapping key "name" already defined`},
		{"name: theirs\n", "", "name: missing"},
		{"  name: x\n", "", "theirs.yaml:5: input.name: missing"},
		{"type: float32", "type: uint8", `theirs.yaml:6: input.type: "uint8": want float32`},
		{"layout: NCHW", "layout: NHWC", `theirs.yaml:7: input.layout: "NHWC"`},
		{"color: RGB", "color: GREY", `theirs.yaml:8: input.color: "GREY": want BGR or RGB`},
		{"  color: RGB\n", "", "input.color: missing: want BGR or RGB"},
		{"width: 8", "width: 0", "theirs.yaml:9: input.width: 0 is not within 1..8192"},
		{"width: 8", "width: wide", "theirs.yaml:9: cannot unmarshal"},
		{"fit: letterbox", "fit: crop", `theirs.yaml:11: input.fit: "crop"`},
		{"  pad: 0\n", "", "input.pad: missing"},
		{"pad: 0", "pad: 256", "theirs.yaml:12: "},
		{"fit: letterbox", "fit: stretch", "theirs.yaml:12: input.pad: nothing is padded"},
		{"  scale: 0.5\n", "", "input.scale: missing"},
		{"scale: 0.5", "scale: -1", "theirs.yaml:13: input.scale: -1 is not above 0"},
		{"  mean: [1, 2, 3]\n", "", "input.mean: missing"},
		{"mean: [1, 2, 3]", "mean: [1]", "theirs.yaml:14: input.mean: 1 numbers"},
		{"mean: [1, 2, 3]", "mean: [1, .nan, 3]", "theirs.yaml:14: input.mean: NaN"},
		{"std: [1, 1, 2]", "std: [1, 0, 2]", "theirs.yaml:15: input.std: 0 cannot be"},
		{"kind: picture", "kind: video", `theirs.yaml:17: outputs.kind: "video": want picture or boxes`},
		{"kind: picture", "kind: boxes", "outputs.objectness: missing"},
		{"names: [y]", "names: [y, z]", "theirs.yaml:18: outputs.names: 2 outputs"},
		{"  names: [y]\n", "", "outputs.names: missing"},
		{"  axis: 1\n", "", "outputs.axis: missing"},
		{"  first: 0\n", "", "outputs.first: missing"},
		{"first: 0", "first: -1", "outputs.first: -1 is negative"},
		{"  activation: sigmoid\n", "", "outputs.activation: missing"},
		{"activation: sigmoid", "activation: sigmoid\n  objectness: 4", "one answer a picture has none"},
		{"kind: picture", "kind: boxes\n  objectness: some", "objectness"},
		{"kind: picture\n  names: [y]\n  axis: 1\n  first: 0\n  activation: sigmoid", "kind: boxes\n  objectness: 4\n  names: [y]\n  axis: 1\n  first: 0\n  activation: softmax", "without a meaning"},
		{"    class: 2\n", "", "theirs.yaml:23: labels[0].class: missing"},
		{"class: 2", "class: -2", "labels[0].class: -2 is negative"},
		{"    threshold: 0.5\n", "", "labels[0].threshold: missing"},
		{"threshold: 0.5", "threshold: 2", "theirs.yaml:25: labels[0].threshold: 2 is not within"},
		{"threshold: 0.5", "threshold: 0.5\n  - {id: car, class: 1, threshold: 0}", `labels[1].id: "car" is there twice`},
		{"licence: MIT", "sha256: abc", "sha256"},
		{theirs, "", "schema"},
		{theirs, "[", "theirs.yaml:1: "},
		{"mean: [1, 2, 3]", "mean: !x\n  0: 0", "theirs.yaml: malformed YAML"},
		{theirs, strings.Repeat("#", 2<<20), "at most"},
		{theirs, strings.Repeat("[", 60<<10), "more than 32 deep"},
		{theirs, strings.Repeat("- ", 30<<10), "more than 4000 bytes"},
	} {
		text := strings.Replace(theirs, tc.old, tc.new, 1)
		if text == theirs {
			t.Fatalf("%q is not in the text", tc.old)
		}
		if _, err := models.ParseSidecar("theirs.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("error %v does not say %q", err, tc.says)
		}
	}
}

// What ships can be read, names one file each, and answers the four labels.
func TestPeers(t *testing.T) {
	peers, err := models.Peers()
	if err != nil {
		t.Fatal(err)
	}
	if len(peers) != 4 {
		t.Errorf("%d contracts, want 4", len(peers))
	}
	for _, p := range peers {
		if got, err := models.PeerOf(p.SHA256); err != nil || got != p {
			t.Errorf("%s: found %v, %v", p.Name, got, err)
		}
		if len(p.Labels) != 4 || p.Origin == "" {
			t.Errorf("%s: labels %v from %q", p.Name, p.Labels, p.Origin)
		}
	}
	if got, err := models.PeerOf("none"); got != nil || err != nil {
		t.Errorf("another file has the contract %v, %v", got, err)
	}
}

func FuzzParseSidecar(f *testing.F) {
	f.Add([]byte(theirs))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte(strings.Repeat("- ", 1900)))
	f.Add([]byte(strings.Repeat("{a: ", 31)))
	f.Add([]byte("input:\n  scale: 0\n  mean: !0\n0\n  1: 0\n2:3:")) // once panicked
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := models.ParseSidecar("f.yaml", text)
		if err == nil && (s.Input.Scale == nil || len(s.Input.Mean) != 3 || s.Outputs.Axis == nil || s.Labels[0].Class == nil) {
			t.Error("a contract without a fact was accepted")
		}
	})
}
