// Package boardtest reads recorded trees of boards.
package boardtest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// Tree is a file system with the files of a board in hw/board/testdata, such as "orin".
func Tree(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	tree, problem := Parse(string(text))
	if problem != "" {
		t.Fatalf("%s: %s", name, problem)
	}
	return tree
}

// Parse reads what grep -H prints: path, colon, a line of the file. problem is empty if
// all lines are of that kind.
func Parse(text string) (tree fstest.MapFS, problem string) {
	tree = fstest.MapFS{}
	for line := range strings.Lines(text) {
		name, content, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if !ok || !strings.HasPrefix(name, "/") {
			return nil, "not a path, a colon and text: " + line
		}
		f := tree[name[1:]]
		if f == nil {
			f = &fstest.MapFile{Mode: 0o444}
			tree[name[1:]] = f
		}
		f.Data = append(f.Data, content+"\n"...)
	}
	return tree, ""
}
