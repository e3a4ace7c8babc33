package signature

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
)

// NewKey makes a pair of keys in files that must not be there yet: the private one, which
// only its owner may read (PKCS #8), and the public one (PKIX), both PEM, as OpenSSL writes
// and reads them.
func NewKey(private, public string) (ed25519.PublicKey, error) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	secret, err1 := x509.MarshalPKCS8PrivateKey(key)
	open, err2 := x509.MarshalPKIXPublicKey(pub)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	if err := create(private, 0o600, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}); err != nil {
		return nil, err
	}
	if err := create(public, 0o644, &pem.Block{Type: "PUBLIC KEY", Bytes: open}); err != nil {
		os.Remove(private) // half a pair is no use, and would be in the way
		return nil, err
	}
	return pub, nil
}

// create writes a file that is not there yet.
func create(path string, mode os.FileMode, b *pem.Block) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	if err := errors.Join(pem.Encode(f, b), f.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("signature: %w", err)
	}
	return nil
}

// ReadPrivate reads a private key's file.
func ReadPrivate(path string) (ed25519.PrivateKey, error) {
	return read[ed25519.PrivateKey](path, "PRIVATE KEY", x509.ParsePKCS8PrivateKey)
}

// ReadPublic reads a public key's file.
func ReadPublic(path string) (ed25519.PublicKey, error) {
	return read[ed25519.PublicKey](path, "PUBLIC KEY", x509.ParsePKIXPublicKey)
}

// maxKey bounds a key's file.
const maxKey = 64 << 10

func read[K any](path, kind string, parse func([]byte) (any, error)) (key K, err error) {
	f, err := os.Open(path)
	if err != nil {
		return key, fmt.Errorf("signature: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return key, fmt.Errorf("signature: %w", err)
	}
	b, _ := pem.Decode(text)
	switch {
	case b == nil:
		return key, fmt.Errorf("signature: %s: not a PEM file: make a pair with \"perceive models keygen\"", path)
	case b.Type != kind:
		return key, fmt.Errorf("signature: %s: it holds a %s, want a %s", path, b.Type, kind)
	}
	v, err := parse(b.Bytes)
	if err != nil {
		return key, fmt.Errorf("signature: %s: %w", path, err)
	}
	key, ok := v.(K)
	if !ok {
		return key, fmt.Errorf("signature: %s: a key of type %T, want ed25519", path, v)
	}
	return key, nil
}
