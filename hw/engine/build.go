package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrEmpty reports a build that left no file: the provider built no engine.
var ErrEmpty = errors.New("the build left no engine")

// Build has build write an engine's files into a folder, records them, has prove use
// them, and only then puts them in the place of the old ones. If anything fails the old
// folder stays as it was. prove may be nil; it must not write.
func (c Cache) Build(k Key, build, prove func(dir string) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("engine: %w", err)
		}
	}()
	if err := k.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	c.sweep()
	tmp, err := os.MkdirTemp(c.Dir, ".building-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	begin := time.Now()
	if err := build(tmp); err != nil {
		return err
	}
	m := manifest{Schema: schema, Key: k, Built: begin.UTC(), Seconds: time.Since(begin).Seconds()}
	if m.Files, err = list(tmp); err != nil {
		return err
	}
	if len(m.Files) == 0 {
		return ErrEmpty
	}
	if prove != nil {
		if err := prove(tmp); err != nil {
			return err
		}
		if err := m.holds(tmp); err != nil {
			return fmt.Errorf("the proof did not use what was built: %w", err)
		}
	}
	if err := m.write(tmp); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return c.replace(tmp, c.Folder(k))
}

// sweep removes what builds left behind that were cut off, by a loss of power for
// example; none takes a day.
func (c Cache) sweep() {
	left, _ := filepath.Glob(filepath.Join(quote(c.Dir), ".building-*"))
	for _, dir := range left {
		if st, err := os.Stat(dir); err == nil && time.Since(st.ModTime()) > 24*time.Hour {
			os.RemoveAll(dir)
		}
	}
}

// write writes the manifest, and everything to the disk: power may fail at any time.
func (m manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, manifestName), append(text, '\n'), 0o644); err != nil {
		return err
	}
	for _, f := range append(m.Files, file{Name: manifestName}, file{Name: "."}) {
		if err := sync(filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	return nil
}

func sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// replace puts a folder in another's place. A folder that is not empty cannot be renamed
// over, so the old one is moved away first: between the two steps there is none, which is
// a reason to build, and never half of one.
func (c Cache) replace(tmp, dir string) error {
	old := tmp + ".old"
	moved := os.Rename(dir, old)
	if moved != nil && !os.IsNotExist(moved) {
		return moved
	}
	if err := os.Rename(tmp, dir); err != nil {
		if moved == nil {
			err = errors.Join(err, os.Rename(old, dir))
		}
		return err
	}
	return errors.Join(os.RemoveAll(old), sync(c.Dir))
}
