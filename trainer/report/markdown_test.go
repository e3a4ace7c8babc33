package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"perceive/trainer/report"
)

func TestMarkdown(t *testing.T) {
	got := report.Table{Head: []string{"a", "b"}, Rows: [][]string{{"1", "x|y"}}}.Markdown()
	if want := "| a | b |\n|---|---|\n| 1 | x\\|y |\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What a person wrote around the program's part stays; a page without a place for it is not
// touched.
func TestInsert(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.md")
	is := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%v:\n%s\nwant\n%s", err, got, want)
		}
	}
	put := func(text string) error { return report.Insert(path, text) }
	part := func(text string) string { return report.Begin + "\n\n" + text + "\n\n" + report.End + "\n" }
	if err := put("one"); err != nil {
		t.Fatal(err)
	}
	is(part("one"))
	if err := os.WriteFile(path, []byte("# By hand\n"+part("old")+"\n## Limits\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := put("two\n"); err != nil {
			t.Fatal(err)
		}
	}
	is("# By hand\n" + part("two") + "\n## Limits\n")
	for _, text := range []string{"# By hand\n", report.End + report.Begin, part("x") + part("x")} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := put("three"); !errors.Is(err, report.ErrNoPlace) {
			t.Errorf("%q: %v", text, err)
		}
		is(text)
	}
}
