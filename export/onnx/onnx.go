// Package onnx is the ONNX format in memory: the messages, a reader and a writer,
// a structural checker and shape inference. It has no native code; hw/ort runs
// what this package describes.
//
// The messages are generated from onnx.proto, a subset of the specification's own
// schema with its field numbers (github.com/onnx/onnx, onnx/onnx.proto). What the
// subset leaves out stays with the message as unknown fields and is written back.
package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

//go:generate protoc --go_out=. --go_opt=paths=source_relative onnx.proto

// ErrNotONNX reports bytes that are no ONNX model.
var ErrNotONNX = errors.New("not an ONNX model")

// MaxSize bounds a model file: Protocol Buffers end at 2 GiB. Larger models keep
// their weights in files of their own; such a model is read and written as it is, and
// Check refuses it, because what it needs is not in its bytes.
const MaxSize = 2<<30 - 1

// Parse reads a model. The error wraps ErrNotONNX.
func Parse(text []byte) (*Model, error) {
	if len(text) == 0 {
		return nil, fmt.Errorf("onnx: %w: the file is empty", ErrNotONNX)
	}
	if err := affordable(text); err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	var m Model
	if err := (proto.UnmarshalOptions{RecursionLimit: maxNesting}).Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("onnx: %w: %w", ErrNotONNX, err)
	}
	if m.Graph == nil || m.IrVersion == nil {
		return nil, fmt.Errorf("onnx: %w: it holds no graph or no IR version", ErrNotONNX)
	}
	return &m, nil
}

// Marshal writes a model. Equal models give equal bytes.
func Marshal(m *Model) ([]byte, error) {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if len(text) > MaxSize {
		return nil, fmt.Errorf("onnx: the model takes %d MiB, the format ends at %d", len(text)>>20, MaxSize>>20)
	}
	return text, nil
}

// Load reads a model file. Errors name the file.
func Load(path string) (*Model, error) {
	text, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// ReadFile reads the bytes of a model file, which may be at most MaxSize long.
func ReadFile(path string) ([]byte, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("onnx: %w", err)
	case st.IsDir():
		return nil, fmt.Errorf("onnx: %s: a folder, want a model file", path)
	case st.Size() > MaxSize:
		return nil, fmt.Errorf("onnx: %s: %w: it is larger than %d MiB, where the format ends", path, ErrNotONNX, MaxSize>>20)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return text, nil
}

// Save writes a model file: complete under its name, or not at all.
func Save(path string, m *Model) error {
	text, err := Marshal(m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return WriteFile(path, text)
}

// WriteFile writes the bytes of a model beside path, syncs and renames them.
func WriteFile(path string, text []byte) error {
	if err := renameio.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("onnx: %s: %w", path, pathless(err))
	}
	return nil
}

// pathless takes the temporary file's name out of an error.
func pathless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Metadata is a model's metadata_props. Of a key that is there twice the last counts.
func (x *Model) Metadata() map[string]string {
	out := map[string]string{}
	for _, p := range x.GetMetadataProps() {
		out[p.GetKey()] = p.GetValue()
	}
	return out
}

// SetMetadata replaces the value of a key, or adds it.
func (x *Model) SetMetadata(key, value string) {
	kept := x.MetadataProps[:0]
	for _, p := range x.MetadataProps {
		if p.GetKey() != key {
			kept = append(kept, p)
		}
	}
	x.MetadataProps = append(kept, &StringEntry{Key: &key, Value: &value})
}

// Opset is the version of the standard operator set that the model imports, 0 if none.
func (x *Model) Opset() int64 {
	for _, o := range x.GetOpsetImport() {
		if o.GetDomain() == "" || o.GetDomain() == "ai.onnx" {
			return o.GetVersion()
		}
	}
	return 0
}

// GraphSHA256 is the hash, in hexadecimal, of the bytes of a model file without its
// metadata_props, so that the metadata can hold it. It is taken of the bytes as they
// are and does not depend on how a library would write them.
func GraphSHA256(text []byte) (string, error) {
	const metadata = 14
	h := sha256.New()
	for rest := text; len(rest) > 0; {
		number, _, n := protowire.ConsumeField(rest)
		if n < 0 {
			return "", fmt.Errorf("onnx: %w: %w", ErrNotONNX, protowire.ParseError(n))
		}
		if number != metadata {
			h.Write(rest[:n])
		}
		rest = rest[n:]
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
