// Package report draws what happened as a folder: one HTML page, its charts as SVG and
// its pictures as JPEG beside it, with relative links, so that it can be moved.
package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

//go:embed page.html
var page string

// Index is the page in a report's folder.
const Index = "index.html"

// Page is a report.
type Page struct {
	Title    string
	Facts    []Fact
	Sections []Section
}

// Fact is a line of the page's head.
type Fact struct{ Name, Value string }

// Section is a part of the page. What it does not have is left out.
type Section struct {
	Title string
	// Text says what is to be seen.
	Text     string
	Tables   []Table
	Charts   []Chart
	Pictures []Picture
}

// Table has a head and rows of the same length.
type Table struct {
	Title string
	Head  []string
	Rows  [][]string
}

// Picture is a file beside the page: its name, what it shows in words, and its bytes.
type Picture struct {
	File, Alt string
	Data      []byte
}

// Write draws the page into a folder, which is made if it is not there. The page comes
// last, so that it never names a file that is not there.
func (p Page) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, s := range p.Sections {
		for _, c := range s.Charts {
			svg, err := c.SVG()
			if err != nil {
				return fmt.Errorf("report: %s: %w", c.Title, err)
			}
			if err := write(dir, c.File(), svg); err != nil {
				return err
			}
		}
		for _, pic := range s.Pictures {
			if err := write(dir, pic.File, pic.Data); err != nil {
				return err
			}
		}
	}
	t, err := template.New("page").Parse(page)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return write(dir, Index, b.Bytes())
}

func write(dir, name string, data []byte) error {
	if err := renameio.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
