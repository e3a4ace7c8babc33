package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// DefaultSearch is where Open looks when Config names nothing, in order:
//
//   - .deps/onnxruntime beside the executable's folder and in it,
//   - .deps/onnxruntime in the working directory and its parents, up to the
//     folder with a go.mod,
//   - /usr/local/lib, /usr/lib, /usr/lib/<arch>-linux-gnu, /opt/onnxruntime/lib.
func DefaultSearch() []string {
	const deps = ".deps/onnxruntime"
	var dirs []string
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dir := filepath.Dir(exe)
		dirs = append(dirs, filepath.Join(dir, "..", deps), filepath.Join(dir, deps))
	}
	if dir, err := os.Getwd(); err == nil {
		for {
			dirs = append(dirs, filepath.Join(dir, deps))
			_, err := os.Stat(filepath.Join(dir, "go.mod"))
			parent := filepath.Dir(dir)
			if err == nil || parent == dir {
				break
			}
			dir = parent
		}
	}
	gnu := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	return append(dirs, "/usr/local/lib", "/usr/lib", filepath.Join("/usr/lib", gnu), "/opt/onnxruntime/lib")
}

// Find returns the absolute path of the library that Open would load.
func (c Config) Find() (string, error) {
	const help = "run `make deps`, or give the path of a libonnxruntime.so (PERCEIVE_ORT_LIB)"
	if c.Library != "" {
		info, err := os.Stat(c.Library)
		if err == nil && info.IsDir() {
			err = fmt.Errorf("%s is a folder, want the library's file", c.Library)
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w; %s", ErrUnavailable, err, help)
		}
		return filepath.Abs(c.Library)
	}
	dirs := c.Search
	if len(dirs) == 0 {
		dirs = DefaultSearch()
	}
	for _, dir := range dirs {
		// The plain name comes first, then the versioned ones. Provider plug-ins
		// (libonnxruntime_providers_*) do not match.
		names, _ := filepath.Glob(filepath.Join(dir, "libonnxruntime.so*"))
		more, _ := filepath.Glob(filepath.Join(dir, "libonnxruntime*.dylib"))
		for _, name := range append(slices.Sorted(slices.Values(names)), more...) {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				return filepath.Abs(name)
			}
		}
	}
	return "", fmt.Errorf("%w: no libonnxruntime in %s; %s", ErrUnavailable, strings.Join(dirs, ", "), help)
}
