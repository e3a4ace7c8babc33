package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// manifestName is the file in a key's folder that says what the others are.
const manifestName = "manifest.json"

// schema is the version of the manifest's layout.
const schema = 1

// manifest is what was true when an engine was built.
type manifest struct {
	Schema int       `json:"schema"`
	Key    Key       `json:"key"`
	Files  []file    `json:"files"`
	Built  time.Time `json:"built"`
	// Seconds that the build took.
	Seconds float64 `json:"seconds"`
}

type file struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Cache is a folder with a folder for each key.
type Cache struct{ Dir string }

// Folder is where a key's engine lies.
func (c Cache) Folder(k Key) string { return filepath.Join(c.Dir, k.ID()) }

// Check reads every byte of a key's engine. An empty reason says that it can be used; any
// other why it has to be built.
func (c Cache) Check(k Key) (reason string) {
	dir := c.Folder(k)
	switch _, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return c.nearest(k)
	case err != nil:
		return err.Error()
	}
	m, err := readManifest(dir)
	if err != nil {
		return err.Error()
	}
	if d := m.Key.differs(k); d != "" {
		return "it was built for something else: " + d
	}
	if err := m.holds(dir); err != nil {
		return err.Error()
	}
	return ""
}

// nearest says in which fields the engine differs that is most like the one wanted.
func (c Cache) nearest(k Key) string {
	best, count := "", math.MaxInt
	for _, m := range c.manifests() {
		if m.Key.Model != k.Model {
			continue
		}
		if d := m.Key.differs(k); d != "" && strings.Count(d, " was ") < count {
			best, count = d, strings.Count(d, " was ")
		}
	}
	if best == "" {
		return "no engine has been built for this model"
	}
	return "the engine that is there was built for something else: " + best
}

// LastBuild is how long the last build of a model took on a device, 0 if none is known.
func (c Cache) LastBuild(k Key) time.Duration {
	var last manifest
	for _, m := range c.manifests() {
		if m.Key.Model == k.Model && m.Key.Device == k.Device && m.Key.Precision == k.Precision && m.Built.After(last.Built) {
			last = m
		}
	}
	return time.Duration(last.Seconds * float64(time.Second))
}

// manifests are those that can be read.
func (c Cache) manifests() (out []manifest) {
	dirs, _ := filepath.Glob(filepath.Join(quote(c.Dir), "*", manifestName))
	for _, path := range dirs {
		if m, err := readManifest(filepath.Dir(path)); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// quote takes their meaning from the letters that Glob knows.
func quote(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// maxManifest bounds the manifest's bytes.
const maxManifest = 1 << 20

func readManifest(dir string) (m manifest, err error) {
	f, err := os.Open(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, errors.New("it has no manifest: the build did not end")
	}
	if err != nil {
		return m, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return m, err
	}
	if m, err = parseManifest(text); err != nil {
		return m, fmt.Errorf("its manifest cannot be read: %w", err)
	}
	return m, nil
}

func parseManifest(text []byte) (m manifest, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, err
	}
	if m.Schema != schema {
		return m, fmt.Errorf("schema %d is not %d", m.Schema, schema)
	}
	if len(m.Files) == 0 {
		return m, errors.New("it lists no files")
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(f.Name) || f.Name != filepath.Base(f.Name) || f.Name == "." || f.Bytes < 0 {
			return m, fmt.Errorf("file %q of %d bytes cannot be", f.Name, f.Bytes)
		}
	}
	if !(m.Seconds >= 0 && m.Seconds < 1e6) {
		return m, fmt.Errorf("%g seconds cannot be", m.Seconds)
	}
	return m, nil
}

// holds compares a folder with its manifest.
func (m manifest) holds(dir string) error {
	found, err := list(dir)
	if err != nil {
		return err
	}
	for _, f := range m.Files {
		i := slices.IndexFunc(found, func(g file) bool { return g.Name == f.Name })
		switch {
		case i < 0:
			return fmt.Errorf("%s is missing", f.Name)
		case found[i].Bytes != f.Bytes:
			return fmt.Errorf("%s has %d bytes, it was built with %d", f.Name, found[i].Bytes, f.Bytes)
		case found[i].SHA256 != f.SHA256:
			return fmt.Errorf("%s was changed: its SHA-256 is %.12s…, it was built with %.12s…", f.Name, found[i].SHA256, f.SHA256)
		}
		found = slices.Delete(found, i, i+1)
	}
	if len(found) > 0 {
		return fmt.Errorf("%s was not built with the others", found[0].Name)
	}
	return nil
}

// list hashes the files of a folder but the manifest.
func list(dir string) (out []file, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == manifestName {
			continue
		}
		if !e.Type().IsRegular() {
			return nil, fmt.Errorf("%s is no plain file", e.Name())
		}
		f, err := hash(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func hash(path string) (file, error) {
	f, err := os.Open(path)
	if err != nil {
		return file{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return file{filepath.Base(path), n, hex.EncodeToString(h.Sum(nil))}, err
}
