// Package models is the contract of a model file: what goes in, what comes out,
// what the labels mean, how it was made and how good it is. The contract travels
// inside the ONNX file as JSON (metadata key MetadataKey); a fact that is missing
// is an error, never a guess.
package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MetadataKey is the key of the manifest in an ONNX file's metadata_props.
const MetadataKey = "perceive.manifest"

// Schema is the version of the manifest's layout that this program writes.
const Schema = 1

// ErrNoManifest reports an ONNX file without a contract. Export it with
// "perceive export", or give its contract in a sidecar file.
var ErrNoManifest = errors.New("the model carries no perceive manifest")

// The ways a frame is fitted into the input. This project's own models letterbox: a
// stretched stop sign is another sign.
const (
	// Letterbox keeps the aspect ratio and centres the picture; the rest is padded.
	Letterbox = "letterbox"
	// Corner is Letterbox with the picture in the top left.
	Corner = "letterbox-top-left"
	// Stretch fills the input and does not keep the aspect ratio.
	Stretch = "stretch"
)

// fits lists what Input.Fit may be.
var fits = []string{Letterbox, Corner, Stretch}

// Manifest is the contract of a model file.
type Manifest struct {
	Schema  int    `json:"schema"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Licence string `json:"licence,omitempty"`

	Input   Input   `json:"input"`
	Outputs Outputs `json:"outputs"`
	Labels  []Label `json:"labels"`

	Training *Training `json:"training,omitempty"`
	// Precision is nil of a file in fp32.
	Precision *Precision `json:"precision,omitempty"`
	// Golden are inputs with the outputs that the file must give for them.
	Golden []Golden `json:"golden,omitempty"`
	// GraphSHA256 is the hash of the graph without metadata, in hexadecimal: a
	// weight that was changed after export is noticed.
	GraphSHA256 string `json:"graph_sha256"`
	// Created and Tool say when and with what the file was made.
	Created time.Time `json:"created"`
	Tool    string    `json:"tool,omitempty"`
}

// Input is the geometry and format of the frame tensor: uint8 [1,Height,Width,3].
type Input struct {
	Name   string `json:"name"`
	Type   string `json:"type"`   // "uint8"
	Layout string `json:"layout"` // "NHWC"
	Color  string `json:"color"`  // "BGR"
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Fit    string `json:"fit"` // Letterbox, Corner or Stretch
	// Pad is the grey level, 0 to 255, around a letterboxed picture.
	Pad uint8 `json:"pad"`
}

// Outputs names the model's outputs.
type Outputs struct {
	// Probabilities is float32 [1,L], in 0..1, L = number of labels, their order.
	Probabilities string `json:"probabilities"`
	// Maps is float32 [1,M,h,w], the probability of each of the first M labels in each cell of a
	// grid over the input. Empty if the model has none.
	Maps string `json:"maps,omitempty"`
}

// Label is one yes/no question that the model answers.
type Label struct {
	ID string `json:"id"`
	// Threshold, in 0..1: the label is on at or above it.
	Threshold float32 `json:"threshold"`
	// ThresholdRule says how the threshold was chosen, for a person.
	ThresholdRule string `json:"threshold_rule,omitempty"`
	// Calibration says how the graph's probability came to mean what it says; nil if
	// nobody looked.
	Calibration *Calibration `json:"calibration,omitempty"`
	// Metrics were measured on data the model was not trained on.
	Metrics map[string]Metric `json:"metrics,omitempty"` // by name of the data split
}

// Training says what the weights were made from.
type Training struct {
	Network    string `json:"network"`
	Parameters int    `json:"parameters"`
	// Steps is the step at which the weights were taken: the one with the best score on the
	// validation data. Planned is how many the run was to do, Best that score (mean ROC AUC);
	// 0 of files that do not say.
	Steps   int     `json:"steps"`
	Planned int     `json:"planned_steps,omitempty"`
	Best    float64 `json:"best_mean_auc,omitempty"`
	// Data and Validation name the labelled pictures as the command line did, without the
	// folders of the machine: what was learned from, and what the weights were chosen by. Of
	// data without a Validation a part was held out. Teachers are the files of what detectors
	// saw that taught, too.
	Data       []string          `json:"data,omitempty"`
	Validation []string          `json:"validation,omitempty"`
	Teachers   []File            `json:"teachers,omitempty"`
	Images     int               `json:"images"`
	Counts     map[string][3]int `json:"counts"` // label: unknown, negative, positive
	// Fingerprint identifies the training and validation data: the SHA-256 of each one's
	// names, sources, labels and boxes.
	Fingerprint string `json:"fingerprint"`
	Seed        uint64 `json:"seed"`
	// Recipe is the resolved configuration of the run.
	Recipe json.RawMessage `json:"recipe,omitempty"`
	// Versions of what made the file, such as "go" and "onnxruntime".
	Versions map[string]string `json:"versions,omitempty"`
}

// File names a file by what it is called and what is in it.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// Golden is one input and the probabilities that the file gave for it at export.
type Golden struct {
	Name string `json:"name"`
	// PNG is the input picture at the model's own size.
	PNG           []byte    `json:"png"`
	Probabilities []float32 `json:"probabilities"`
	// Tolerance is the largest difference allowed on the CPU provider.
	Tolerance float32 `json:"tolerance"`
}

// FromMetadata reads the manifest out of an ONNX file's metadata.
// The error wraps ErrNoManifest if there is none.
func FromMetadata(props map[string]string) (*Manifest, error) {
	text, ok := props[MetadataKey]
	if !ok {
		return nil, fmt.Errorf("models: %w (no %q in the file's metadata): export it with \"perceive export\"", ErrNoManifest, MetadataKey)
	}
	return Parse([]byte(text))
}

// maxManifest bounds a manifest's text: golden pictures are most of it.
const maxManifest = 16 << 20

// Parse reads and validates a manifest in JSON. Unknown keys are errors.
func Parse(text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("models: manifest: %d MiB, it may have %d", len(text)>>20, maxManifest>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var m Manifest
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("models: manifest: %w", err)
	}
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("models: manifest: %w", err)
	}
	return &m, nil
}

// JSON is the manifest as Parse reads it.
func (m *Manifest) JSON() ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("models: manifest: %w", err)
	}
	return json.Marshal(m)
}

// LabelIDs are the labels' names in output order.
func (m *Manifest) LabelIDs() []string {
	ids := make([]string, len(m.Labels))
	for i, l := range m.Labels {
		ids[i] = l.ID
	}
	return ids
}

// Validate reports every fact that is missing or impossible, joined.
func (m *Manifest) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.Schema != Schema {
		bad("schema: %d is not %d, the one this program knows", m.Schema, Schema)
	}
	if m.Name == "" {
		bad("name: missing")
	}
	in := m.Input
	if in.Name == "" {
		bad("input.name: missing")
	}
	if in.Type != "uint8" || in.Layout != "NHWC" || in.Color != "BGR" {
		bad("input: type %q layout %q color %q: only uint8 NHWC BGR is known", in.Type, in.Layout, in.Color)
	}
	if in.Width <= 0 || in.Height <= 0 || in.Width > 8192 || in.Height > 8192 {
		bad("input: size %d×%d is not within 1..8192", in.Width, in.Height)
	}
	if !slices.Contains(fits, in.Fit) {
		bad("input.fit: %q is unknown (known: %s)", in.Fit, strings.Join(fits, ", "))
	}
	if m.Outputs.Probabilities == "" {
		bad("outputs.probabilities: missing")
	}
	if len(m.Labels) == 0 {
		bad("labels: none")
	}
	seen := map[string]bool{}
	for i, l := range m.Labels {
		switch {
		case l.ID == "":
			bad("labels[%d].id: missing", i)
		case seen[l.ID]:
			bad("labels[%d].id: %q is there twice", i, l.ID)
		}
		seen[l.ID] = true
		if !(l.Threshold >= 0 && l.Threshold <= 1) {
			bad("labels[%d].threshold: %g is not within 0..1", i, l.Threshold)
		}
		if c := l.Calibration; c != nil && !(c.A > 0) {
			bad("labels[%d].calibration.a: %g is not above 0", i, c.A)
		}
	}
	for i, g := range m.Golden {
		if len(g.Probabilities) != len(m.Labels) {
			bad("golden[%d]: %d probabilities for %d labels", i, len(g.Probabilities), len(m.Labels))
		}
	}
	return errors.Join(errs...)
}
