package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"perceive/export/onnx"
	"perceive/models"
	"perceive/models/signature"
)

// keys are fixed: what is signed with them is the same every time.
func keys(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	return key.Public().(ed25519.PublicKey), key
}

func signed(t *testing.T, file []byte, key ed25519.PrivateKey) []byte {
	t.Helper()
	out, err := signature.Sign(file, key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSign(t *testing.T) {
	pub, key := keys(1)
	once := signed(t, models.Road, key)
	if err := signature.Verify(once, pub); err != nil {
		t.Error(err)
	}
	if again := signed(t, models.Road, key); !bytes.Equal(once, again) {
		t.Error("the same file and key give another signature")
	}
	_, other := keys(2)
	if twice := signed(t, signed(t, models.Road, other), key); !bytes.Equal(once, twice) {
		t.Error("a signature that is replaced leaves a trace")
	}
	// It is still the model that it was, and the entry is ordinary metadata.
	m, err := onnx.Parse(once)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := models.FromMetadata(m.Metadata()); err != nil || m.Metadata()[signature.MetadataKey] == "" {
		t.Errorf("metadata: %v", err)
	}
	a, err1 := onnx.GraphSHA256(models.Road)
	b, err2 := onnx.GraphSHA256(once)
	if a != b || err1 != nil || err2 != nil {
		t.Error("the graph's hash changes with the signature")
	}
	sig, err := signature.Of(once)
	if err != nil || sig == nil || sig.Key != signature.Fingerprint(pub) {
		t.Errorf("%v, %v", sig, err)
	}
}

// metadata is an entry of metadata_props.
func metadata(fields ...string) []byte {
	var kv []byte
	for i, f := range fields {
		kv = protowire.AppendString(protowire.AppendTag(kv, protowire.Number(i%2+1), protowire.BytesType), f)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, 14, protowire.BytesType), kv)
}

func TestVerifyRefuses(t *testing.T) {
	pub, key := keys(1)
	otherPub, other := keys(2)
	good := signed(t, models.Road, key)
	entry := bytes.LastIndex(good, []byte(signature.MetadataKey))
	flip := func(at int) []byte {
		out := bytes.Clone(good)
		out[at] ^= 1
		return out
	}
	replace := func(old, new string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("%q is not in the file", old)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	hint := signature.Fingerprint(pub)
	for _, tc := range []struct {
		name string
		file []byte
		key  ed25519.PublicKey
		want error
	}{
		{"not signed", models.Road, pub, signature.ErrUnsigned},
		{"another key", good, otherPub, signature.ErrKey},
		{"signed by another", signed(t, models.Road, other), pub, signature.ErrKey},
		{"signed by another who says it is this one", bytes.Replace(signed(t, models.Road, other), []byte(signature.Fingerprint(otherPub)), []byte(hint), 1), pub, signature.ErrTampered},
		{"a weight changed", flip(len(models.Road) / 4), pub, signature.ErrTampered},
		{"a threshold changed", replace(`"threshold":0.`, `"threshold":1.`), pub, signature.ErrTampered},
		{"metadata added", append(bytes.Clone(good), metadata("author", "me")...), pub, signature.ErrTampered},
		{"a contract added, which would be the last", append(bytes.Clone(good), metadata(models.MetadataKey, "{}")...), pub, signature.ErrTampered},
		{"a contract within the signature's entry", append(bytes.Clone(good), metadata(signature.MetadataKey, "{}", models.MetadataKey, "{}")...), pub, signature.ErrTampered},
		{"two signatures", append(bytes.Clone(good), good[entry-4:]...), pub, nil},
		{"the signature cut short", good[:len(good)-20], pub, nil},
		{"a signature that is none", append(bytes.Clone(models.Road), metadata(signature.MetadataKey, "signed")...), pub, signature.ErrTampered},
		{"another algorithm", replace(`"ed25519ph"`, `"ed25519xx"`), pub, nil},
		{"no key", good, nil, nil},
		{"no model", []byte("hello"), pub, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := signature.Verify(tc.file, tc.key)
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	private, public := filepath.Join(dir, "k.key"), filepath.Join(dir, "k.pub")
	pub, err := signature.NewKey(private, public)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(private); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the private key's file: %v, %v", st.Mode(), err)
	}
	key, err := signature.ReadPrivate(private)
	if err != nil {
		t.Fatal(err)
	}
	read, err := signature.ReadPublic(public)
	if err != nil || !read.Equal(pub) {
		t.Fatalf("%v, %v", read, err)
	}
	if err := signature.Verify(signed(t, models.Road, key), read); err != nil {
		t.Error(err)
	}
	// Nothing is overwritten, and half a pair is not left behind.
	if _, err := signature.NewKey(private, filepath.Join(dir, "other.pub")); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a private key: %v", err)
	}
	if _, err := signature.NewKey(filepath.Join(dir, "other.key"), public); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a public key: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "other*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	text := filepath.Join(dir, "text")
	rsa := filepath.Join(dir, "rsa")
	os.WriteFile(text, []byte("my key"), 0o600)
	os.WriteFile(rsa, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("?")}), 0o600)
	for path, says := range map[string]string{private: "PRIVATE KEY", text: "not a PEM file", rsa: rsa, filepath.Join(dir, "none"): "no such file"} {
		if _, err := signature.ReadPublic(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := signature.ReadPrivate(public); err == nil || !strings.Contains(err.Error(), "PUBLIC KEY") {
		t.Errorf("a public key to sign with: %v", err)
	}
}

// Whatever the bytes, nothing panics, and only what was signed verifies.
func FuzzVerify(f *testing.F) {
	pub, key := keys(1)
	small := append([]byte{8, 8}, metadata("a", "b")...)
	good, err := signature.Sign(small, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(small)
	f.Fuzz(func(t *testing.T, file []byte) {
		if signature.Verify(file, pub) == nil && !bytes.Equal(file, good) {
			// The entry may stand elsewhere; what is around it may not differ.
			if again, err := signature.Sign(file, key); err != nil || !bytes.Equal(again, good) {
				t.Errorf("verified: %q", file)
			}
		}
	})
}
