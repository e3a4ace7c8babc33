package models

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"perceive/internal/strict"
)

// Sidecar is the contract of a model file that another tool wrote: what it wants to see
// and how its outputs answer the labels. export/adapt puts such a file behind a Manifest.
type Sidecar struct {
	Schema  int    `yaml:"schema"`
	Name    string `yaml:"name"`
	Licence string `yaml:"licence"`
	// Origin says where the file comes from, for a person.
	Origin string `yaml:"origin"`
	// SHA256 of the file, in hexadecimal; empty takes any file that fits.
	SHA256 string `yaml:"sha256"`

	Input   SidecarInput   `yaml:"input"`
	Outputs SidecarOutputs `yaml:"outputs"`
	Labels  []SidecarLabel `yaml:"labels"`
}

// SidecarInput is the one input: float32 [1,3,Height,Width] of (byte·Scale − Mean)/Std.
type SidecarInput struct {
	Name   string `yaml:"name"`
	Type   string `yaml:"type"`   // "float32"
	Layout string `yaml:"layout"` // "NCHW"
	Color  string `yaml:"color"`  // "BGR" or "RGB", the order of Mean and Std, too
	Width  int    `yaml:"width"`
	Height int    `yaml:"height"`
	Fit    string `yaml:"fit"`
	// Pad is the grey level around a letterboxed picture, before scale and mean.
	Pad   *uint8    `yaml:"pad"`
	Scale *float64  `yaml:"scale"`
	Mean  []float64 `yaml:"mean"`
	Std   []float64 `yaml:"std"`
}

// The kinds of outputs.
const (
	// Picture is one answer a picture: every axis but that of the classes has length 1.
	Picture = "picture"
	// Boxes is one answer a place where an object may be: a label's probability is the
	// largest one.
	Boxes = "boxes"
)

// What turns an output's numbers into probabilities.
const (
	NoActivation = "none"
	Sigmoid      = "sigmoid"
	Softmax      = "softmax" // over the classes
)

// SidecarOutputs says how outputs answer the labels.
type SidecarOutputs struct {
	Kind string `yaml:"kind"` // Picture or Boxes
	// Names are the outputs that hold the classes: one, or with Boxes several of which the
	// largest answer counts.
	Names []string `yaml:"names"`
	// Axis of the classes, and First, where on it class 0 is.
	Axis  *int `yaml:"axis"`
	First *int `yaml:"first"`
	// Activation of the classes, and of Objectness.
	Activation string `yaml:"activation"`
	// Objectness is where on Axis the probability of any object is, with which those of
	// the classes are multiplied; -1 means none. Boxes must say it.
	Objectness *Objectness `yaml:"objectness"`
}

// Objectness is a place on an axis, or -1, written "none".
type Objectness int

// UnmarshalYAML reads a number or "none".
func (o *Objectness) UnmarshalYAML(text []byte) error {
	if string(bytes.TrimSpace(text)) == NoActivation {
		*o = -1
		return nil
	}
	var n uint16
	if err := yaml.Unmarshal(text, &n); err != nil {
		return fmt.Errorf("objectness: %q: want a place on the axis, or none", bytes.TrimSpace(text))
	}
	*o = Objectness(n)
	return nil
}

// SidecarLabel is a label and the class that answers it.
type SidecarLabel struct {
	ID        string   `yaml:"id"`
	Class     *int     `yaml:"class"`
	Threshold *float32 `yaml:"threshold"`
}

// maxSidecar bounds the text of a sidecar.
const maxSidecar = 64 << 10

// ParseSidecar reads a contract in YAML. Unknown keys and missing facts are errors that
// name the file, the line and the key.
func ParseSidecar(file string, text []byte) (*Sidecar, error) {
	if len(text) > maxSidecar {
		return nil, fmt.Errorf("%s: %d bytes, a contract has at most %d", file, len(text), maxSidecar)
	}
	var s Sidecar
	f, err := strict.Decode(file, text, &s)
	if err != nil {
		return nil, err
	}
	if err := f.Faults(s.faults()); err != nil {
		return nil, err
	}
	return &s, nil
}

// faults are the facts that are missing or impossible.
func (s *Sidecar) faults() []strict.Fault {
	var out []strict.Fault
	bad := func(key, format string, args ...any) {
		out = append(out, strict.Fault{Key: key, Says: fmt.Sprintf(format, args...)})
	}
	text := func(key, v string) {
		if v == "" {
			bad(key, "missing")
		}
	}
	one := func(key, v string, of ...string) {
		if !slices.Contains(of, v) {
			bad(key, "%s: want %s", or(v), strings.Join(of, " or "))
		}
	}
	if s.Schema != Schema {
		bad("schema", "%d is not %d, the one this program knows", s.Schema, Schema)
	}
	text("name", s.Name)
	if s.SHA256 != "" && (len(s.SHA256) != 64 || strings.Trim(s.SHA256, "0123456789abcdef") != "") {
		bad("sha256", "%q is no SHA-256 in lower-case hexadecimal", s.SHA256)
	}
	in := s.Input
	text("input.name", in.Name)
	one("input.type", in.Type, "float32")
	one("input.layout", in.Layout, "NCHW")
	one("input.color", in.Color, "BGR", "RGB")
	for _, v := range []struct {
		key string
		n   int
	}{{"input.width", in.Width}, {"input.height", in.Height}} {
		if v.n < 1 || v.n > 8192 {
			bad(v.key, "%d is not within 1..8192", v.n)
		}
	}
	one("input.fit", in.Fit, fits...)
	switch {
	case in.Fit == Stretch && in.Pad != nil:
		bad("input.pad", "nothing is padded where pictures are stretched")
	case in.Fit != Stretch && in.Pad == nil:
		bad("input.pad", "missing")
	}
	switch {
	case in.Scale == nil:
		bad("input.scale", "missing: what a byte is multiplied with, 1 or 0.00392156862745098 (1/255)")
	case !(*in.Scale > 0) || math.IsInf(*in.Scale, 0):
		bad("input.scale", "%g is not above 0", *in.Scale)
	}
	colours(in, bad)
	s.Outputs.faults(bad, text, one)
	s.labelFaults(bad, text)
	return out
}

// colours checks mean and std.
func colours(in SidecarInput, bad func(string, string, ...any)) {
	for _, v := range []struct {
		key string
		v   []float64
	}{{"input.mean", in.Mean}, {"input.std", in.Std}} {
		switch {
		case v.v == nil:
			bad(v.key, "missing: three numbers in the order of color, after scale")
		case len(v.v) != 3:
			bad(v.key, "%d numbers, want three", len(v.v))
		default:
			for _, x := range v.v {
				if math.IsNaN(x) || math.IsInf(x, 0) || v.key == "input.std" && !(x > 0) {
					bad(v.key, "%g cannot be", x)
				}
			}
		}
	}
}

func (o SidecarOutputs) faults(bad func(string, string, ...any), text func(string, string), one func(string, string, ...string)) {
	one("outputs.kind", o.Kind, Picture, Boxes)
	one("outputs.activation", o.Activation, NoActivation, Sigmoid, Softmax)
	switch {
	case len(o.Names) == 0:
		bad("outputs.names", "missing")
	case o.Kind == Picture && len(o.Names) != 1:
		bad("outputs.names", "%d outputs for one answer a picture", len(o.Names))
	}
	for i, n := range o.Names {
		text(fmt.Sprintf("outputs.names[%d]", i), n)
	}
	if o.Axis == nil {
		bad("outputs.axis", "missing: which axis holds the classes")
	}
	switch {
	case o.First == nil:
		bad("outputs.first", "missing: where on the axis class 0 is")
	case *o.First < 0:
		bad("outputs.first", "%d is negative", *o.First)
	}
	none := o.Objectness == nil || *o.Objectness < 0
	switch {
	case o.Kind == Boxes && o.Objectness == nil:
		bad("outputs.objectness", "missing: its place on the axis, or none")
	case o.Kind == Picture && !none:
		bad("outputs.objectness", "one answer a picture has none")
	case !none && o.Activation == Softmax:
		bad("outputs.activation", "softmax over the classes leaves objectness without a meaning")
	}
}

func (s *Sidecar) labelFaults(bad func(string, string, ...any), text func(string, string)) {
	if len(s.Labels) == 0 {
		bad("labels", "none")
	}
	seen := map[string]bool{}
	for i, l := range s.Labels {
		key := func(k string) string { return fmt.Sprintf("labels[%d].%s", i, k) }
		text(key("id"), l.ID)
		if seen[l.ID] && l.ID != "" {
			bad(key("id"), "%q is there twice", l.ID)
		}
		seen[l.ID] = true
		switch {
		case l.Class == nil:
			bad(key("class"), "missing: its number among the classes")
		case *l.Class < 0:
			bad(key("class"), "%d is negative", *l.Class)
		}
		switch {
		case l.Threshold == nil:
			bad(key("threshold"), "missing")
		case !(*l.Threshold >= 0 && *l.Threshold <= 1):
			bad(key("threshold"), "%g is not within 0..1", *l.Threshold)
		}
	}
}

// or is a value for a person.
func or(v string) string {
	if v == "" {
		return "missing"
	}
	return fmt.Sprintf("%q", v)
}
