// Package strict reads YAML that people write: an unknown key, a wrong type or an impossible
// value is an error with file, line and key, and nothing is guessed.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
	if f.tree, err = parser.ParseBytes(text, 0); err == nil {
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
func (f *File) Faults(faults []Fault) error {
	var errs []error
	for _, x := range faults {
		errs = append(errs, fmt.Errorf("%s:%d: %s: %s", f.name, f.Line(x.Key), x.Key, x.Says))
	}
	return errors.Join(errs...)
}

// Line of a key's value; where the key is missing, the first line within the nearest one
// around it.
func (f *File) Line(key string) int {
	for key != "" && f.tree != nil {
		if path, err := yaml.PathString("$." + key); err == nil {
			if node, err := path.FilterFile(f.tree); err == nil && node != nil && node.GetToken() != nil {
				return max(1, node.GetToken().Position.Line)
			}
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 1
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
