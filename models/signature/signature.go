// Package signature signs model files with ed25519, so that a vehicle can refuse what its
// owner did not release.
//
// What is signed is the file byte by byte, without the one metadata entry that holds the
// signature: weights, graph, contract and all other metadata. The signature is Ed25519ph
// of RFC 8032 (the SHA-512 of the bytes is signed) with the context "perceive.model".
package signature

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// MetadataKey is the key of the signature in an ONNX file's metadata_props.
const MetadataKey = "perceive.signature"

// Reasons why a file is refused.
var (
	// ErrUnsigned reports a file without a signature.
	ErrUnsigned = errors.New("the file is not signed")
	// ErrKey reports a file that another key has signed.
	ErrKey = errors.New("the file is signed with another key")
	// ErrTampered reports a file that was changed after it was signed.
	ErrTampered = errors.New("the signature does not fit the file: it was changed after it was signed")
)

// algorithm is the only one.
const algorithm = "ed25519ph"

var options = ed25519.Options{Hash: crypto.SHA512, Context: "perceive.model"}

// Signature is the metadata entry's value, as JSON.
type Signature struct {
	Algorithm string `json:"algorithm"`
	// Key is the fingerprint of the public key: a hint, which proves nothing.
	Key string `json:"key"`
	// Value is the signature in base64.
	Value string `json:"signature"`
}

// Sign returns the bytes of a model file with the key's signature in them. One that is
// there already is replaced. Equal files and keys give equal bytes.
func Sign(file []byte, key ed25519.PrivateKey) ([]byte, error) {
	bare, _, err := split(file)
	if err != nil {
		return nil, err
	}
	sig, err := key.Sign(nil, digest(bare), &options)
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	text, err := json.Marshal(Signature{algorithm, Fingerprint(key.Public().(ed25519.PublicKey)), base64.StdEncoding.EncodeToString(sig)})
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	var out []byte
	for _, part := range bare {
		out = append(out, part...)
	}
	return append(out, entry(string(text))...), nil
}

// Verify reports whether the holder of the key signed the file as it is: ErrUnsigned,
// ErrKey or ErrTampered if not.
func Verify(file []byte, key ed25519.PublicKey) error {
	bare, sig, err := split(file)
	if err != nil {
		return err
	}
	if sig == nil {
		return fmt.Errorf("signature: %w: sign it with \"perceive models sign\"", ErrUnsigned)
	}
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("signature: a public key of %d bytes, want %d", len(key), ed25519.PublicKeySize)
	}
	if own := Fingerprint(key); sig.Key != own {
		return fmt.Errorf("signature: %w: %.80q, not with %s", ErrKey, sig.Key, own)
	}
	value, err := base64.StdEncoding.DecodeString(sig.Value)
	if err != nil || ed25519.VerifyWithOptions(key, digest(bare), value, &options) != nil {
		return fmt.Errorf("signature: %w", ErrTampered)
	}
	return nil
}

// Of is the signature in a file, nil if there is none. It is not verified.
func Of(file []byte) (*Signature, error) {
	_, sig, err := split(file)
	return sig, err
}

// Fingerprint names a public key: the start of its SHA-256.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return fmt.Sprintf("sha256:%x", sum[:16])
}

// split takes the signature out of a file: the bytes around it, in order, and what it says.
// Anything that is not exactly an entry as Sign writes it belongs to what is signed, and
// there is one signature at most.
func split(file []byte) (bare [][]byte, sig *Signature, err error) {
	const metadata = 14
	start := 0
	for at := 0; at < len(file); {
		number, _, n := protowire.ConsumeField(file[at:])
		if n < 0 {
			return nil, nil, fmt.Errorf("signature: not an ONNX model: %w", protowire.ParseError(n))
		}
		if value, ok := valueOf(file[at : at+n]); number == metadata && ok {
			if sig != nil {
				return nil, nil, fmt.Errorf("signature: %w: it holds two signatures", ErrTampered)
			}
			if sig, err = parse(value); err != nil {
				return nil, nil, err
			}
			bare, start = append(bare, file[start:at]), at+n
		}
		at += n
	}
	return append(bare, file[start:]), sig, nil
}

func parse(value string) (*Signature, error) {
	dec := json.NewDecoder(strings.NewReader(value))
	dec.DisallowUnknownFields()
	var s Signature
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("signature: %w (%w)", ErrTampered, err)
	}
	if s.Algorithm != algorithm {
		return nil, fmt.Errorf("signature: algorithm %.40q is unknown (known: %s)", s.Algorithm, algorithm)
	}
	return &s, nil
}

// entry is the metadata entry of a value, tag and length included.
func entry(value string) []byte {
	var kv []byte
	kv = protowire.AppendString(protowire.AppendTag(kv, 1, protowire.BytesType), MetadataKey)
	kv = protowire.AppendString(protowire.AppendTag(kv, 2, protowire.BytesType), value)
	return protowire.AppendBytes(protowire.AppendTag(nil, 14, protowire.BytesType), kv)
}

// valueOf is the value of an entry that entry made, byte by byte.
func valueOf(field []byte) (string, bool) {
	_, _, tag := protowire.ConsumeTag(field)
	kv, n := protowire.ConsumeBytes(field[max(tag, 0):])
	if tag < 0 || n < 0 {
		return "", false
	}
	head := protowire.AppendTag(protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), MetadataKey), 2, protowire.BytesType)
	rest, ok := bytes.CutPrefix(kv, head)
	if !ok {
		return "", false
	}
	value, n := protowire.ConsumeString(rest)
	if n < 0 || !bytes.Equal(field, entry(value)) {
		return "", false
	}
	return value, true
}

// digest is the SHA-512 of the parts one after the other.
func digest(parts [][]byte) []byte {
	h := sha512.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
