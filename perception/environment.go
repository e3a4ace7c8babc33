package perception

import (
	"time"

	"perceive/hw"
)

// Environment is what could make the results of a replay differ from those of another one: it is
// said in the header and is no part of the results.
type Environment struct {
	// Deterministic: the CPU, with threads that were fixed. Two such replays with the same
	// environment give the same bytes.
	Deterministic bool        `json:"deterministic"`
	Provider      hw.Provider `json:"provider"`
	// Threads of the network and of the video decoder.
	Threads        int `json:"threads"`
	DecoderThreads int `json:"decoder_threads"`

	Go          string `json:"go"`
	OpenCV      string `json:"opencv"`
	ONNXRuntime string `json:"onnxruntime"`
	// Libraries are the files of ONNX Runtime, OpenCV's core and FFmpeg that the process runs
	// with, where the system tells.
	Libraries []string `json:"libraries,omitempty"`

	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPU  string `json:"cpu,omitempty"`
	// Features are the instructions for which the libraries have kernels of their own, as far
	// as this processor has them.
	Features []string `json:"features,omitempty"`
}

// Replay is what the results of a replay depend on, beside model and environment.
type Replay struct {
	// SourceSHA256 is that of a source that is one file.
	SourceSHA256 string `json:"source_sha256,omitempty"`
	// Decide is how states follow probabilities.
	Decide []ReplayDecide `json:"decide"`
	// ExpiryMS is the time after which what was held of a label is forgotten.
	ExpiryMS float64 `json:"expiry_ms"`
	// Guards name what looked at the pictures.
	Guards []string `json:"guards"`
	// Drops is the SHA-256 of the recording whose drops were repeated.
	Drops string `json:"drops_sha256,omitempty"`
}

// ReplayDecide is a Steady in words.
type ReplayDecide struct {
	Label  string  `json:"label"`
	Enter  float32 `json:"enter"`
	Leave  float32 `json:"leave"`
	HoldMS float64 `json:"hold_ms"`
}

// Steady is the rule as a decider takes it.
func (d ReplayDecide) Steady() Steady {
	return Steady{Enter: d.Enter, Leave: d.Leave, Hold: time.Duration(d.HoldMS * float64(time.Millisecond))}
}

// Golden says why a recording is what others are compared with.
type Golden struct {
	Reason string `json:"reason"`
	// Replaces is the SHA-256 of the frame lines of the golden before.
	Replaces string `json:"replaces,omitempty"`
}
