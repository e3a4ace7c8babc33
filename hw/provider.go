// Package hw is the vocabulary of the machine that a network runs on: which
// execution provider was asked for, which one really ran, and why.
//
// It holds no native code. hw/ort turns these words into sessions.
package hw

import (
	"fmt"
	"slices"
	"strings"
)

// Provider names an execution provider: the part of ONNX Runtime that owns the
// kernels. The empty value means CPU.
type Provider string

// The providers that this project knows.
const (
	CPU      Provider = "cpu"
	CUDA     Provider = "cuda"
	TensorRT Provider = "tensorrt"
	// Auto asks for the best that the loaded library has: TensorRT, then CUDA,
	// then CPU.
	Auto Provider = "auto"
)

// Providers lists every provider, Auto last, in the order help texts show.
func Providers() []Provider { return []Provider{CPU, CUDA, TensorRT, Auto} }

// ParseProvider reads a provider's name in any letter case. Anything else,
// the empty string too, is an error that lists the names.
func ParseProvider(s string) (Provider, error) {
	return parse(s, "provider", Providers())
}

// UnmarshalText lets configuration files and flags reject a wrong name.
func (p *Provider) UnmarshalText(text []byte) (err error) {
	*p, err = ParseProvider(string(text))
	return err
}

// Policy says what to do when a provider cannot be used. The empty value means
// Require, because a silent fall back to the CPU is the fault to fear most.
type Policy string

const (
	// Require refuses to run on anything but what was asked for.
	Require Policy = "require"
	// Prefer runs on the next best provider and marks the report Degraded.
	Prefer Policy = "prefer"
)

// Policies lists every policy.
func Policies() []Policy { return []Policy{Require, Prefer} }

// ParsePolicy reads a policy's name in any letter case.
func ParsePolicy(s string) (Policy, error) { return parse(s, "policy", Policies()) }

// UnmarshalText lets configuration files and flags reject a wrong name.
func (p *Policy) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePolicy(string(text))
	return err
}

// ProviderReport is the proof of what ran. It goes into the header of every
// recording, so that nobody has to guess afterwards.
type ProviderReport struct {
	Requested Provider `json:"requested"`
	Used      Provider `json:"used"`
	Policy    Policy   `json:"policy"`
	// Degraded is true when something better was asked for, or is offered by
	// the library, and could not be used. It is never true under Require.
	Degraded bool `json:"degraded"`
	// Reason says in the library's own words why Used is not Requested. It is
	// empty when they are the same.
	Reason string `json:"reason,omitempty"`
	// Device is the number of the accelerator; 0 for the first and for the CPU.
	Device int `json:"device"`
	// Library and Version identify the ONNX Runtime that was loaded.
	Library string `json:"library,omitempty"`
	Version string `json:"version"`
	// Measured is which provider ran how many nodes; nil if nobody measured.
	Measured *Assignment `json:"measured,omitempty"`
	// Precision is what TensorRT was allowed to compute in, such as "fp16"; Engine is the
	// key of its engine cache. Both are empty of other providers.
	Precision string `json:"precision,omitempty"`
	Engine    string `json:"engine,omitempty"`
}

// String is one line for logs and for the terminal.
func (r ProviderReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (ONNX Runtime %s)", r.Used, r.Version)
	if r.Used != r.Requested {
		fmt.Fprintf(&b, ", %s was asked for: %s", r.Requested, r.Reason)
	}
	if r.Measured != nil {
		fmt.Fprintf(&b, ", measured: %s", *r.Measured)
	}
	if r.Degraded {
		b.WriteString(" [degraded]")
	}
	return b.String()
}

func parse[T ~string](s, what string, known []T) (T, error) {
	if v := T(strings.ToLower(strings.TrimSpace(s))); slices.Contains(known, v) {
		return v, nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return "", fmt.Errorf("hw: unknown %s %q: use %s", what, s, strings.Join(names, ", "))
}
