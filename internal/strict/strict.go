// Package strict reads YAML that people write: an unknown key, a wrong type or an impossible
// value is an error with file, line and key, and nothing is guessed.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Fault is what is wrong about a key, "sources[0].uri".
type Fault struct{ Key, Says string }

// MaxBytes is the size of the largest text that is read.
const MaxBytes = 1 << 20

// The reader takes time and memory with the square of how deep things are nested.
const (
	maxLine     = 4000
	maxBrackets = 32
)

// File is a text that was read.
type File struct {
	name string
	tree *ast.File
}

// Decode reads text, which errors call name, into v. What the text does not mention stays as
// it is in v; lists are replaced.
func Decode(name string, text []byte, v any) (f *File, err error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", name, len(text), MaxBytes)
	}
	if tangled(text) {
		return nil, fmt.Errorf("%s: a line of more than %d bytes, or brackets in brackets more than %d deep", name, maxLine, maxBrackets)
	}
	f = &File{name: name}
	// The reader panics on some malformed texts (found by fuzzing: a tag where a list should
	// be), which is an error here like any other.
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%s: malformed YAML", name)
		}
	}()
	if f.tree, err = parser.ParseBytes(text, 0); err == nil && len(f.tree.Docs) > 1 {
		second := f.tree.Docs[1]
		return nil, fmt.Errorf("%s:%d: a second document begins with ---; want one, put its keys into the first", name, second.Start.Position.Line)
	}
	if err == nil {
		err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(v)
	}
	if err != nil && !errors.Is(err, io.EOF) { // which is a file that says nothing
		return nil, f.place(err)
	}
	return f, nil
}

// place says in which line an error is.
func (f *File) place(err error) error {
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &at) && at.GetToken() != nil {
		return fmt.Errorf("%s:%d: %s", f.name, at.GetToken().Position.Line, at.GetMessage())
	}
	if n := f.quoted(err.Error()); n > 0 {
		return fmt.Errorf("%s:%d: %w", f.name, n, err)
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

// quoted is the line of the first value that a message quotes, 0 if there is none: a type
// that reads itself from text does not know where the text stood.
func (f *File) quoted(message string) int {
	if f.tree == nil {
		return 0
	}
	w := finder{message: message}
	for _, doc := range f.tree.Docs {
		if doc.Body != nil {
			ast.Walk(&w, doc.Body)
		}
	}
	return w.line
}

type finder struct {
	message string
	line    int
}

// Visit implements ast.Visitor.
func (w *finder) Visit(n ast.Node) ast.Visitor {
	if s, ok := n.(ast.ScalarNode); ok && w.line == 0 && s.GetToken() != nil {
		if v := s.GetToken().Value; v != "" && strings.Contains(w.message, fmt.Sprintf("%q", v)) {
			w.line = s.GetToken().Position.Line
		}
	}
	return w
}

// Faults are errors about keys of the file, nil if there are none.
func (f *File) Faults(faults []Fault) error { return Faults(faults, f) }

// Faults are errors about keys of files of which each was read over those before it, nil if there
// are none: a fault is where its key was said last.
func Faults(faults []Fault, files ...*File) error {
	var errs []error
	for _, x := range faults {
		f := sayer(x.Key, files)
		errs = append(errs, fmt.Errorf("%s:%d: %s: %s", f.name, f.Line(x.Key), x.Key, x.Says))
	}
	return errors.Join(errs...)
}

// sayer is the last of the files that says something of the key, or of the nearest one around it.
func sayer(key string, files []*File) *File {
	if list, _, ok := strings.Cut(key, "["); ok {
		key = list // lists are replaced, and not read over one another
	}
	for ; key != ""; key = around(key) {
		for _, f := range slices.Backward(files) {
			if f.find(key) > 0 {
				return f
			}
		}
	}
	return files[len(files)-1]
}

// around is the key that holds a key.
func around(key string) string { return key[:max(0, strings.LastIndexAny(key, ".["))] }

// Line of a key's value; where the key is missing, the first line within the nearest one
// around it.
func (f *File) Line(key string) int {
	for ; key != ""; key = around(key) {
		if n := f.find(key); n > 0 {
			return n
		}
	}
	return 1
}

// find is the line of a key's value, 0 if the file does not say it.
func (f *File) find(key string) int {
	if f.tree == nil {
		return 0
	}
	path, err := yaml.PathString("$." + key)
	if err != nil {
		return 0
	}
	node, err := path.FilterFile(f.tree)
	if err != nil || node == nil || node.GetToken() == nil {
		return 0
	}
	return max(1, node.GetToken().Position.Line)
}

// tangled reports a text that is nested deeper than any that a person writes.
func tangled(text []byte) bool {
	depth, length := 0, 0
	for _, c := range text {
		length++
		switch c {
		case '\n':
			length = 0
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if length > maxLine || depth > maxBrackets {
			return true
		}
	}
	return false
}
