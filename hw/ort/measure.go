package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"perceive/hw"
)

// maxProfile bounds a profile's bytes: about 500 a node.
const maxProfile = 64 << 20

// Measure loads a model as NewSession does, runs it once in a profiling session and
// counts which provider ran how many nodes. fill writes the inputs, in the order of
// Session.Inputs; nil leaves them zero. The session is closed again: it costs a second
// loading and one run. Free dimensions are 1.
//
// The Go binding has no call for the library's own list of assigned nodes, so the
// profile, which goes through a temporary file, is the proof.
func (r *Runtime) Measure(ctx context.Context, model []byte, opts Options, fill func(in []*Tensor) error) (_ hw.Assignment, err error) {
	a := hw.Assignment{Method: "profile of one run"}
	defer func() {
		if err != nil {
			err = fmt.Errorf("ort: measure: %w", err)
		}
	}()
	dir, err := os.MkdirTemp("", "perceive-profile-")
	if err != nil {
		return a, fmt.Errorf("no room for a profile: %w: set TMPDIR to a folder that can be written", err)
	}
	defer os.RemoveAll(dir)
	opts.ProfilePrefix, opts.OptimizedModel = filepath.Join(dir, "p"), ""
	s, err := r.NewSession(model, opts)
	if err != nil {
		return a, err
	}
	// The profile is written when the session closes.
	if err := errors.Join(s.once(ctx, fill), s.Close()); err != nil {
		return a, err
	}
	text, err := readProfile(dir)
	if err != nil {
		return a, err
	}
	a.Nodes, err = nodesOf(text)
	return a, err
}

// once runs a session on tensors of its own.
func (s *Session) once(ctx context.Context, fill func(in []*Tensor) error) error {
	var all []*Tensor
	defer func() {
		for _, t := range all {
			t.Close()
		}
	}()
	for _, spec := range append(s.Inputs(), s.Outputs()...) {
		free := make([]int64, 0, len(spec.Shape))
		for _, d := range spec.Shape {
			if d < 0 {
				free = append(free, 1)
			}
		}
		t, err := NewTensorFor(spec, free...)
		if err != nil {
			return err
		}
		all = append(all, t)
	}
	in, out := all[:len(s.head.inputs)], all[len(s.head.inputs):]
	if fill != nil {
		if err := fill(in); err != nil {
			return err
		}
	}
	return s.Run(ctx, in, out)
}

func readProfile(dir string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("%d profiles in %s, want one: is there room?", len(files), dir)
	}
	info, err := os.Stat(files[0])
	if err != nil {
		return nil, err
	}
	if info.Size() > maxProfile {
		return nil, fmt.Errorf("the profile has %d MiB, it may have %d", info.Size()>>20, maxProfile>>20)
	}
	return os.ReadFile(files[0])
}
