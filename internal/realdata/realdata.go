// Package realdata finds the real pictures, labels and models of others that lie beside the
// checkout and are not part of it. It is used by tests alone.
package realdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Path is a file or folder of the real data. A checkout that has none beside it skips the
// test; where there is some, what is missing from it fails.
func Path(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(root(t), name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the real data lacks it: %v", err)
	}
	return path
}

// Glob is the files that match a pattern, one at least.
func Glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("the real data has no %s: %v", pattern, err)
	}
	return files
}

// root is the folder beside the module.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		t.Fatal("the test does not run inside the module")
	}
	path := filepath.Join(dir, "..", "shared", "data")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		t.Skip("no real data beside the checkout")
	}
	return path
}
