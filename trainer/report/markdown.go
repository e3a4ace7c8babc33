package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/google/renameio/v2"
)

// Markdown is the table as text. A bar in a cell is escaped.
func (t Table) Markdown() string {
	var b strings.Builder
	for i, row := range append([][]string{t.Head}, t.Rows...) {
		b.WriteByte('|')
		for _, cell := range row {
			b.WriteString(" " + strings.ReplaceAll(cell, "|", `\|`) + " |")
		}
		b.WriteByte('\n')
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return b.String()
}

// The lines that a program's part of a page stands between. What a person wrote stands
// around them.
const (
	Begin = "<!-- written by perceive: do not edit -->"
	End   = "<!-- end of what perceive wrote -->"
)

// ErrNoPlace reports a page that has no place for what a program writes, or more than one.
var ErrNoPlace = errors.New("the page has no place for it")

// Insert writes text between the lines Begin and End of a page, which is made if it is not
// there. A page without these lines is left as it is.
func Insert(path, text string) error {
	part := Begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + End
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = []byte(part + "\n")
	case err != nil:
		return fmt.Errorf("report: %w", err)
	default:
		head, rest, ok1 := strings.Cut(string(old), Begin)
		_, tail, ok2 := strings.Cut(rest, End)
		if !ok1 || !ok2 || strings.Contains(tail, Begin) {
			return fmt.Errorf("report: %s: %w: want the lines %q and %q in it once, or name a file that is not there", path, ErrNoPlace, Begin, End)
		}
		old = []byte(head + part + tail)
	}
	if err := renameio.WriteFile(path, old, 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
