package dataset

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
)

// grouping says which pictures belong to one sequence, by their files' names, where the
// annotations do not say.
type grouping func(name string) string

// newGrouping reads the option group=name|folder|prefix.
func (r request) newGrouping() (grouping, error) {
	switch how := r.query.Get("group"); how {
	case "", "name":
		return func(name string) string { return name }, nil
	case "folder":
		return func(name string) string { return path.Dir(filepath.ToSlash(name)) }, nil
	case "prefix":
		return prefix, nil
	default:
		return nil, fmt.Errorf("dataset: %s: %w: option group=%s: want name (each picture by itself), folder, or prefix (the name without its last number)", r.what, ErrURI, how)
	}
}

// counter is what a frame's name ends with: its number, and what parts it from the rest.
var counter = regexp.MustCompile(`[-_. ]*[0-9]+$`)

// prefix is a name without its ending and its last number: drive7_0012.jpg is of drive7. Of
// a name that is all number the folder is left.
func prefix(name string) string {
	name = filepath.ToSlash(name)
	stem := name[:len(name)-len(path.Ext(name))]
	dir, base := path.Split(stem)
	return dir + counter.ReplaceAllString(base, "")
}
