package model

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"perceive/export/adapt"
	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/models/signature"
)

// contract holds a file's bytes against everything that can be said without running them.
// The bytes that it returns are those to run: of a file from elsewhere, an adapted graph.
func (o Options) contract(file []byte) ([]byte, *models.Manifest, error) {
	if o.PublicKey != nil {
		if o.Manifest != nil || o.Sidecar != nil {
			return nil, nil, errors.New("a signed file is loaded with the contract that it carries, and no other: the signature covers nothing else")
		}
		if err := signature.Verify(file, o.PublicKey); err != nil {
			return nil, nil, err
		}
	}
	parsed, err := onnx.Parse(file)
	if err != nil {
		return nil, nil, err
	}
	if err := onnx.Check(parsed); err != nil {
		return nil, nil, err
	}
	if o.Sidecar != nil {
		return adapted(file, parsed, o.Sidecar)
	}
	man := o.Manifest
	if man == nil {
		if man, err = models.FromMetadata(parsed.Metadata()); err != nil {
			return nil, nil, err
		}
	}
	return file, man, unchanged(man, file)
}

// adapted is a file from elsewhere behind this project's contract.
func adapted(file []byte, m *onnx.Model, s *models.Sidecar) ([]byte, *models.Manifest, error) {
	if sum := sha256.Sum256(file); s.SHA256 != "" && hex.EncodeToString(sum[:]) != s.SHA256 {
		return nil, nil, fmt.Errorf("%w: the contract of %s is for the file with SHA-256 %.12s…, this one has %x…", ErrChanged, s.Name, s.SHA256, sum[:6])
	}
	hash, err := onnx.GraphSHA256(file)
	if err != nil {
		return nil, nil, err
	}
	man, err := adapt.Wrap(m, s)
	if err != nil {
		return nil, nil, err
	}
	man.GraphSHA256 = hash // of the file as it came
	text, err := onnx.Marshal(m)
	return text, man, err
}

func unchanged(man *models.Manifest, file []byte) error {
	if man.GraphSHA256 == "" {
		return nil // a sidecar may leave it out
	}
	sum, err := onnx.GraphSHA256(file)
	if err != nil {
		return err
	}
	if sum != man.GraphSHA256 {
		return fmt.Errorf("%w (SHA-256 %.12s…, the manifest says %.12s…): export it again", ErrChanged, sum, man.GraphSHA256)
	}
	return nil
}

// conforms holds a session's inputs and outputs against a manifest.
func conforms(s *ort.Session, m *models.Manifest) error {
	in, out := s.Inputs(), s.Outputs()
	frame := []int64{1, int64(m.Input.Height), int64(m.Input.Width), 3}
	if len(in) != 1 || in[0].Name != m.Input.Name || in[0].Type != ort.Uint8 || !slices.Equal(in[0].Shape, frame) {
		return fmt.Errorf("%w: the graph takes %v, the manifest says %q uint8%v", ort.ErrMismatch, in, m.Input.Name, frame)
	}
	labels := int64(len(m.Labels))
	if s, ok := find(out, m.Outputs.Probabilities); !ok || s.Type != ort.Float32 || !slices.Equal(s.Shape, []int64{1, labels}) {
		return fmt.Errorf("%w: the graph gives %v, the manifest says %q float32[1 %d]", ort.ErrMismatch, out, m.Outputs.Probabilities, labels)
	}
	if m.Outputs.Maps == "" {
		return nil
	}
	if s, ok := find(out, m.Outputs.Maps); !ok || s.Type != ort.Float32 || len(s.Shape) != 4 || s.Shape[1] < 1 || s.Shape[1] > labels || slices.Contains(s.Shape, -1) {
		return fmt.Errorf("%w: the graph gives %v, the manifest says %q float32[1 n h w], n to %d", ort.ErrMismatch, out, m.Outputs.Maps, labels)
	}
	return nil
}

func find(specs []ort.Spec, name string) (ort.Spec, bool) {
	i := slices.IndexFunc(specs, func(s ort.Spec) bool { return s.Name == name })
	if i < 0 {
		return ort.Spec{}, false
	}
	return specs[i], true
}
