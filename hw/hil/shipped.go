package hil

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed scenarios/*.yaml
var shipped embed.FS

// Shipped are the scenarios that come with the program, by name.
func Shipped() ([]*Scenario, error) {
	files, err := fs.Glob(shipped, "scenarios/*.yaml")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []*Scenario
	for _, name := range files {
		text, err := shipped.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := Parse(path.Base(name), text)
		if err != nil {
			return nil, fmt.Errorf("hil: %w", err)
		}
		out = append(out, s)
	}
	return out, nil
}

// Find is the shipped scenario of a name.
func Find(name string) (*Scenario, error) {
	all, err := Shipped()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("hil: no scenario %q: there is %s", name, strings.Join(names, ", "))
}

// Text is a shipped scenario as it is written, to start one's own from.
func Text(name string) ([]byte, error) {
	files, err := fs.Glob(shipped, "scenarios/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := shipped.ReadFile(f)
		if err != nil {
			return nil, err
		}
		if s, err := Parse(f, text); err == nil && s.Name == name {
			return text, nil
		}
	}
	_, err = Find(name)
	return nil, err
}
