package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perceive/hw/engine"
)

var key = engine.Key{Model: strings.Repeat("ab", 32), ONNXRuntime: "1.27.0", TensorRT: "10.3.0", Driver: "540.4.0",
	Device: "Orin", Precision: "fp16", Shapes: "frame uint8[1 224 384 3]"}

// build writes two files, as TensorRT's engine and timing cache.
func build(dir string) error {
	return errors.Join(os.WriteFile(filepath.Join(dir, "a.engine"), []byte("an engine"), 0o644),
		os.WriteFile(filepath.Join(dir, "b.timing"), []byte("timings"), 0o644))
}

func built(t *testing.T) engine.Cache {
	t.Helper()
	c := engine.Cache{Dir: filepath.Join(t.TempDir(), "cache [1]")}
	if err := c.Build(key, build, nil); err != nil {
		t.Fatal(err)
	}
	if reason := c.Check(key); reason != "" {
		t.Fatalf("just built: %s", reason)
	}
	return c
}

func TestCheckFindsEachFault(t *testing.T) {
	write := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tc := range []struct {
		says  string
		spoil func(t *testing.T, dir string)
	}{
		{"no engine has been built", remove("")},
		{"a.engine is missing", remove("a.engine")},
		{"a.engine has 2 bytes, it was built with 9", write("a.engine", "an")},
		{"a.engine has 0 bytes", write("a.engine", "")},
		{"a.engine was changed", write("a.engine", "an Engine")},
		{"c.engine was not built with the others", write("c.engine", "x")},
		{"no manifest: the build did not end", remove("manifest.json")},
		{"manifest cannot be read", write("manifest.json", `{"schema":1,`)},
		{"manifest cannot be read: schema 2", write("manifest.json", `{"schema":2}`)},
		{"manifest cannot be read: it lists no files", write("manifest.json", `{"schema":1}`)},
		{"cannot be", write("manifest.json", `{"schema":1,"files":[{"name":"../x"}]}`)},
		{"is no plain file", func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		{"it was built for something else: driver was", func(t *testing.T, dir string) {
			text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
			if err != nil {
				t.Fatal(err)
			}
			write("manifest.json", strings.Replace(string(text), "540.4.0", "535.0", 1))(t, dir)
		}},
	} {
		t.Run(tc.says, func(t *testing.T) {
			c := built(t)
			tc.spoil(t, c.Folder(key))
			if reason := c.Check(key); !strings.Contains(reason, tc.says) {
				t.Errorf("reason %q, want one that says %q", reason, tc.says)
			}
			// What is stale is built again, whatever lies there.
			if err := c.Build(key, build, nil); err != nil || c.Check(key) != "" {
				t.Errorf("built again: %v, then %q", err, c.Check(key))
			}
		})
	}
}

// Each field of the key alone makes another engine, and is named.
func TestCheckNamesTheFieldThatDiffers(t *testing.T) {
	c := built(t)
	for field, change := range map[string]func(*engine.Key){
		"onnxruntime": func(k *engine.Key) { k.ONNXRuntime = "1.28.0" },
		"tensorrt":    func(k *engine.Key) { k.TensorRT = "10.4.0" },
		"driver":      func(k *engine.Key) { k.Driver = "550" },
		"device":      func(k *engine.Key) { k.Device = "Xavier" },
		"precision":   func(k *engine.Key) { k.Precision = "int8" },
		"shapes":      func(k *engine.Key) { k.Shapes = "frame uint8[1 448 768 3]" },
	} {
		k := key
		change(&k)
		if reason := c.Check(k); !strings.Contains(reason, "built for something else: "+field+" was") || strings.Contains(reason, ", ") {
			t.Errorf("%s: reason %q", field, reason)
		}
	}
	other := key
	other.Model = strings.Repeat("cd", 32)
	if reason := c.Check(other); reason != "no engine has been built for this model" {
		t.Errorf("another model: %q", reason)
	}
}

// A build that fails at any step leaves what was there, and nothing else.
func TestBuildThatFailsChangesNothing(t *testing.T) {
	broken := errors.New("broken")
	fail := func(string) error { return broken }
	for name, tc := range map[string]struct {
		build, prove func(string) error
		want         error
		says         string
	}{
		"build": {fail, nil, broken, ""},
		"proof": {build, fail, broken, ""},
		"empty": {func(string) error { return nil }, nil, engine.ErrEmpty, ""},
		"rebuilt by the proof": {build, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "a.engine"), []byte("another engine"), 0o644)
		}, nil, "did not use what was built"},
	} {
		c := built(t)
		err := c.Build(key, tc.build, tc.prove)
		if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v", name, err)
		}
		if reason := c.Check(key); reason != "" {
			t.Errorf("%s: the old engine: %s", name, reason)
		}
		if left, _ := os.ReadDir(c.Dir); len(left) != 1 {
			t.Errorf("%s: %v in the cache, want the one engine", name, left)
		}
	}
}

func TestKeyMustBeWhole(t *testing.T) {
	k := key
	k.TensorRT, k.Device = "", ""
	err := engine.Cache{Dir: t.TempDir()}.Build(k, build, nil)
	if err == nil || !strings.Contains(err.Error(), "tensorrt: not known") || !strings.Contains(err.Error(), "device: not known") {
		t.Errorf("error %v", err)
	}
}

func TestLastBuild(t *testing.T) {
	c := built(t)
	k := key
	k.TensorRT = "11.0" // an upgrade: the time of the build before is a guide
	if d := c.LastBuild(k); d <= 0 || d > time.Minute {
		t.Errorf("last build took %v", d)
	}
	k.Precision = "int8"
	if d := c.LastBuild(k); d != 0 {
		t.Errorf("another precision took %v, want 0: not known", d)
	}
}

func TestLeftoversAreSwept(t *testing.T) {
	c := built(t)
	for name, age := range map[string]time.Duration{".building-1": 48 * time.Hour, ".building-2": time.Minute} {
		dir := filepath.Join(c.Dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(dir, then, then); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Build(key, build, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{".building-1": false, ".building-2": true} {
		if _, err := os.Stat(filepath.Join(c.Dir, name)); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", name, err == nil, want)
		}
	}
}
