package ort_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

const openChild = "ORT_TEST_OPEN" // see TestMain

// oldRuntime is a library that knows no API version that this program uses.
const oldRuntime = `
#include <stddef.h>
struct base { const void *(*api)(unsigned); const char *(*version)(void); };
static const void *api(unsigned v) { return NULL; }
static const char *version(void) { return "1.10.0"; }
struct base *OrtGetApiBase(void) { static struct base b = {api, version}; return &b; }
`

func TestOpenBadLibrary(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	compile := func(name, source string) string {
		lib := filepath.Join(dir, name+".so")
		if out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", lib, write(name+".c", source)).CombinedOutput(); err != nil {
			t.Fatalf("gcc: %v: %s", err, out)
		}
		return lib
	}
	for _, tc := range []struct{ name, lib, says string }{
		{"missing", filepath.Join(dir, "none.so"), "no such file"},
		{"a folder", dir, "is a folder"},
		{"not a library", write("text.so", "hello"), "cannot load"},
		{"another library", compile("other", "int f(void) { return 1; }"), "OrtGetApiBase"},
		{"too old", compile("old", oldRuntime), "is older than ONNX Runtime 1.24"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), openChild+"="+tc.lib, "GORACE=atexit_sleep_ms=0")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("child: %v: %s", err, out)
			}
			if s := string(out); !strings.Contains(s, tc.says) || !strings.Contains(s, "is ErrUnavailable: true") {
				t.Errorf("open says %q, want ErrUnavailable with %q", s, tc.says)
			}
		})
	}
}

func TestOpenSearch(t *testing.T) {
	rt := orttest.Runtime(t)
	empty, full := t.TempDir(), t.TempDir()
	_, err := ort.Open(ort.Config{Library: filepath.Join(empty, "none.so")})
	if !errors.Is(err, ort.ErrUnavailable) || !strings.Contains(err.Error(), "make deps") {
		t.Errorf("missing library: %v, want ErrUnavailable that says what to do", err)
	}
	// A process has one library: the same one is shared, another is refused.
	again, err := ort.Open(ort.Config{Library: rt.Library()})
	if err != nil || again.Version() != rt.Version() || again.Library() != rt.Library() {
		t.Errorf("second open: %+v, %v, want %s of %s", again, err, rt.Version(), rt.Library())
	}
	other := filepath.Join(full, "libonnxruntime.so.9")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ort.Open(ort.Config{Library: other}); err == nil || !strings.Contains(err.Error(), "already loaded") {
		t.Errorf("another library: %v, want a refusal", err)
	}
}

func TestDefaultSearch(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dirs := ort.DefaultSearch()
	atRoot := slices.Index(dirs, filepath.Join(root, ".deps/onnxruntime"))
	system := slices.Index(dirs, "/usr/local/lib")
	if atRoot < 0 || system < atRoot {
		t.Errorf("search order %v: want the module's .deps before the system's folders", dirs)
	}
	if slices.Contains(dirs, filepath.Join(filepath.Dir(root), ".deps/onnxruntime")) {
		t.Errorf("search order %v goes above the module", dirs)
	}
}
