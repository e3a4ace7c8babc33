package perception

import (
	"context"
	"errors"

	"perceive/camera"
	"perceive/hw"
)

// Sink takes results in order. f is the frame that r is about, nil if there is none;
// both belong to the loop and are valid until Emit returns. (The frame is handed over
// with the result because a picture cannot be drawn from a result alone.)
//
// An error ends the run: what a sink has taken up to there must stay readable. Close
// completes the output and is called once.
type Sink interface {
	Emit(ctx context.Context, r *Result, f *camera.Frame) error
	Close() error
}

// Header is what is said once about a run, before its results.
type Header struct {
	Schema   int               `json:"schema"`
	Program  string            `json:"program"`
	Model    HeaderModel       `json:"model"`
	Labels   []HeaderLabel     `json:"labels"`
	Provider hw.ProviderReport `json:"provider"`
	Source   camera.Info       `json:"source"`
	// Sources are the daemon's cameras: their URIs by the names that results carry. Source is
	// empty then.
	Sources map[string]string `json:"sources,omitempty"`
	// Environment, Replay and Golden are those of a replay, nil of any other recording.
	Environment *Environment `json:"environment,omitempty"`
	Replay      *Replay      `json:"replay,omitempty"`
	Golden      *Golden      `json:"golden,omitempty"`
}

// HeaderModel identifies the model file.
type HeaderModel struct {
	Name        string `json:"name"`
	Version     string `json:"version,omitempty"`
	GraphSHA256 string `json:"graph_sha256"`
}

// HeaderLabel is a label and the threshold at which it counts as on.
type HeaderLabel struct {
	Label     string  `json:"label"`
	Threshold float32 `json:"threshold"`
}

// ResultSchema is the version of the recording's layout.
const ResultSchema = 2

// NewHeader describes a run of a detector on a source.
func NewHeader(d *Detector, source camera.Info, program string) Header {
	man := d.Manifest()
	h := Header{Schema: ResultSchema, Program: program, Provider: d.Report(), Source: source,
		Model: HeaderModel{man.Name, man.Version, man.GraphSHA256}}
	// Where the library lies says nothing about what it computes.
	h.Provider.Library = ""
	for _, l := range man.Labels {
		h.Labels = append(h.Labels, HeaderLabel{l.ID, l.Threshold})
	}
	return h
}

// sinks is several sinks as one.
type sinks []Sink

func (s sinks) Emit(ctx context.Context, r *Result, f *camera.Frame) error {
	for _, one := range s {
		if err := one.Emit(ctx, r, f); err != nil {
			return err
		}
	}
	return nil
}

func (s sinks) Close() error {
	var errs []error
	for _, one := range s {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}
