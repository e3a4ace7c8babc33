// Package status is what the on-vehicle daemon says of itself, in words that both the daemon and its
// HTTP face know.
package status

import (
	"time"

	"perceive/camera"
	"perceive/hw"
)

// Status is what the daemon says of itself: GET /v1/status, and what the live page draws.
type Status struct {
	Program string    `json:"program"`
	Started time.Time `json:"started"`
	// Ready is whether results can be relied on to come; Healthy whether they do come. Why
	// not, and what works less well than asked for, is in Problems.
	Ready    bool      `json:"ready"`
	Healthy  bool      `json:"healthy"`
	Problems []Problem `json:"problems"`
	Model    Model     `json:"model"`
	// Provider says what runs the network, as measured.
	Provider hw.ProviderReport `json:"provider"`
	Sources  []Source          `json:"sources"`
	Outputs  []Output          `json:"outputs"`
	// Board is what the machine's own sensors say: see package hw/board. Absent until read.
	Board any `json:"board,omitempty"`
	// Reload is the last try to change the model, nil if there was none.
	Reload *Reload `json:"reload,omitempty"`
}

// Problem is one thing that is not as it should be.
type Problem struct {
	// Part is what it is about: "source front", "output file", "provider", "board", "model".
	Part string `json:"part"`
	What string `json:"what"`
	// Since is when it began.
	Since time.Time `json:"since"`
}

// Model is the model that runs.
type Model struct {
	Name        string    `json:"name"`
	Version     string    `json:"version,omitempty"`
	GraphSHA256 string    `json:"graph_sha256"`
	Labels      []Label   `json:"labels"`
	Loaded      time.Time `json:"loaded"`
	// WarmUp is the time of the first run and of the last one of the warm-up, milliseconds.
	WarmUp [2]float64 `json:"warm_up_ms"`
}

// Label is a label and the probabilities at which it goes on and off.
type Label struct {
	Label string  `json:"label"`
	Enter float32 `json:"enter"`
	Leave float32 `json:"leave"`
}

// Source is one camera.
type Source struct {
	Name   string        `json:"name"`
	URI    string        `json:"uri"`
	State  camera.State  `json:"state"`
	Reason string        `json:"reason,omitempty"`
	Since  time.Time     `json:"since"`
	Counts camera.Counts `json:"counts"`
	// Results counts results by status; their sum is the number of frames that left.
	Results map[string]uint64 `json:"results"`
	// Late counts the results that were published after the deadline.
	Late uint64 `json:"late"`
	// FPS is the rate of results over the last seconds.
	FPS    float64 `json:"fps"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	// Stages has milliseconds at p50, p99 and the most, of the last 15 to 30 s: wait, guard, fit,
	// infer, publish, age.
	Stages map[string]Quantiles `json:"stages_ms"`
}

// Quantiles are of a stage's time, in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Output is one consumer of the results.
type Output struct {
	Name    string `json:"name"`
	Written uint64 `json:"written"`
	// Dropped were not written, because the consumer was too slow or failed.
	Dropped uint64 `json:"dropped"`
	Waiting int    `json:"waiting"`
	Error   string `json:"error,omitempty"`
}

// Reload is a try to change the model.
type Reload struct {
	At     time.Time `json:"at"`
	File   string    `json:"file"`
	Result string    `json:"result"` // "running", "swapped", "refused"
	Reason string    `json:"reason,omitempty"`
}
